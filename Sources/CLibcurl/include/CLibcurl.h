// libcurl, loaded when it is used for the first time: a tool that does not speak to AWS maps neither it nor the twenty
// libraries that it needs. Types and constants are those of its headers (Debian: libcurl4-openssl-dev). Its functions are
// called through those below alone, because the program is not linked with it; they also have forms for its variadic
// functions, which are not imported into Swift.
#pragma once
#include <curl/curl.h>

/// How libcurl was found.
enum infrabench_curl_status {
  infrabench_curl_loaded,
  /// The dynamic linker does not find it, or one of the libraries that it needs.
  infrabench_curl_missing,
  /// It is older than 7.68, and lacks a function that is used here.
  infrabench_curl_too_old,
};

/// Loads `libcurl.so.4`, once for the process; later calls give the first one's answer. Any thread may call it. The other
/// functions may be called only after it has answered `infrabench_curl_loaded`.
///
/// - Parameter reason: Gets the dynamic linker's words where libcurl was not loaded; they stay valid.
enum infrabench_curl_status infrabench_curl_load(const char **reason);

CURLcode infrabench_curl_global_init(long flags);

CURL *infrabench_curl_easy_init(void);
void infrabench_curl_easy_cleanup(CURL *handle);
const char *infrabench_curl_easy_strerror(CURLcode code);

struct curl_slist *infrabench_curl_slist_append(struct curl_slist *list, const char *text);
void infrabench_curl_slist_free_all(struct curl_slist *list);

CURLM *infrabench_curl_multi_init(void);
void infrabench_curl_multi_cleanup(CURLM *multi);
CURLMcode infrabench_curl_multi_add_handle(CURLM *multi, CURL *handle);
CURLMcode infrabench_curl_multi_remove_handle(CURLM *multi, CURL *handle);
CURLMcode infrabench_curl_multi_perform(CURLM *multi, int *running);
/// Waits for at most `milliseconds` until a transfer can go on, or until a wake-up.
CURLMcode infrabench_curl_multi_poll(CURLM *multi, int milliseconds);
CURLMcode infrabench_curl_multi_wakeup(CURLM *multi);
CURLMsg *infrabench_curl_multi_info_read(CURLM *multi, int *remaining);
const char *infrabench_curl_multi_strerror(CURLMcode code);

CURLcode infrabench_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode infrabench_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value);
/// libcurl copies strings, except the body (CURLOPT_POSTFIELDS; use CURLOPT_COPYPOSTFIELDS) and the error buffer.
CURLcode infrabench_curl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode infrabench_curl_set_pointer(CURL *handle, CURLoption option, void *value);
CURLcode infrabench_curl_set_headers(CURL *handle, struct curl_slist *headers);
CURLcode infrabench_curl_set_body_callback(CURL *handle, curl_write_callback callback, void *context);
CURLcode infrabench_curl_set_header_callback(CURL *handle, curl_write_callback callback, void *context);
/// No scheme but HTTP and HTTPS.
CURLcode infrabench_curl_allow_http_only(CURL *handle);
/// A transfer that ends while its host's name is looked up does not wait for the resolver's thread: a silent name server
/// would hold every other transfer of the same thread. No effect before 7.87.
CURLcode infrabench_curl_leave_resolver_behind(CURL *handle);

CURLcode infrabench_curl_get_long(CURL *handle, CURLINFO info, long *value);
CURLcode infrabench_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value);
CURLcode infrabench_curl_get_pointer(CURL *handle, CURLINFO info, void **value);

// CURLMsg holds its result in a union.
static inline CURLcode infrabench_curl_message_result(const CURLMsg *message) {
  return message->data.result;
}
