#include "CLibcurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// The library's name has been this one since 7.16 (2006). Debian's libcurl-gnutls.so.4 has the same functions, but other
// messages of TLS errors and another form of certificates, which Sources/AWS reads as OpenSSL writes them.
static const char library_name[] = "libcurl.so.4";

// Options that are newer than some headers that this is built with. Their numbers never change (curl.h).
#define OPTION_PROTOCOLS_STR ((CURLoption)10318)
#define OPTION_QUICK_EXIT ((CURLoption)322)

// Each function that is used, with the type that the headers give it.
#define FUNCTIONS(X) \
  X(global_init) \
  X(easy_init) X(easy_cleanup) X(easy_setopt) X(easy_getinfo) X(easy_strerror) \
  X(slist_append) X(slist_free_all) \
  X(multi_init) X(multi_cleanup) X(multi_add_handle) X(multi_remove_handle) X(multi_perform) \
  X(multi_poll) X(multi_wakeup) X(multi_info_read) X(multi_strerror)

static struct {
#define MEMBER(name) __typeof__(&curl_##name) name;
  FUNCTIONS(MEMBER)
#undef MEMBER
} curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum infrabench_curl_status status = infrabench_curl_missing;
static char failure[512];

// Where a function is missing, dlerror's words name it.
static bool find_functions(void *library) {
#define FIND(name) \
  *(void **)&curl.name = dlsym(library, "curl_" #name); \
  if (curl.name == NULL) return false;
  FUNCTIONS(FIND)
#undef FIND
  return true;
}

static void load(void) {
  // RTLD_LOCAL: a library loaded later must not be bound to libcurl's OpenSSL.
  void *library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
  if (library != NULL && find_functions(library)) {
    status = infrabench_curl_loaded;
    return;
  }
  status = library == NULL ? infrabench_curl_missing : infrabench_curl_too_old;
  const char *words = dlerror();
  snprintf(failure, sizeof failure, "%s", words != NULL ? words : "no reason was given");
}

enum infrabench_curl_status infrabench_curl_load(const char **reason) {
  pthread_once(&once, load);
  *reason = failure;
  return status;
}

CURLcode infrabench_curl_global_init(long flags) { return curl.global_init(flags); }

CURL *infrabench_curl_easy_init(void) { return curl.easy_init(); }
void infrabench_curl_easy_cleanup(CURL *handle) { curl.easy_cleanup(handle); }
const char *infrabench_curl_easy_strerror(CURLcode code) { return curl.easy_strerror(code); }

struct curl_slist *infrabench_curl_slist_append(struct curl_slist *list, const char *text) {
  return curl.slist_append(list, text);
}
void infrabench_curl_slist_free_all(struct curl_slist *list) { curl.slist_free_all(list); }

CURLM *infrabench_curl_multi_init(void) { return curl.multi_init(); }
void infrabench_curl_multi_cleanup(CURLM *multi) { curl.multi_cleanup(multi); }
CURLMcode infrabench_curl_multi_add_handle(CURLM *multi, CURL *handle) { return curl.multi_add_handle(multi, handle); }
CURLMcode infrabench_curl_multi_remove_handle(CURLM *multi, CURL *handle) {
  return curl.multi_remove_handle(multi, handle);
}
CURLMcode infrabench_curl_multi_perform(CURLM *multi, int *running) { return curl.multi_perform(multi, running); }
CURLMcode infrabench_curl_multi_poll(CURLM *multi, int milliseconds) {
  return curl.multi_poll(multi, NULL, 0, milliseconds, NULL);
}
CURLMcode infrabench_curl_multi_wakeup(CURLM *multi) { return curl.multi_wakeup(multi); }
CURLMsg *infrabench_curl_multi_info_read(CURLM *multi, int *remaining) {
  return curl.multi_info_read(multi, remaining);
}
const char *infrabench_curl_multi_strerror(CURLMcode code) { return curl.multi_strerror(code); }

CURLcode infrabench_curl_set_long(CURL *handle, CURLoption option, long value) {
  return curl.easy_setopt(handle, option, value);
}

CURLcode infrabench_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return curl.easy_setopt(handle, option, value);
}

CURLcode infrabench_curl_set_string(CURL *handle, CURLoption option, const char *value) {
  return curl.easy_setopt(handle, option, value);
}

CURLcode infrabench_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return curl.easy_setopt(handle, option, value);
}

CURLcode infrabench_curl_set_headers(CURL *handle, struct curl_slist *headers) {
  return curl.easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
}

CURLcode infrabench_curl_set_body_callback(CURL *handle, curl_write_callback callback, void *context) {
  const CURLcode code = curl.easy_setopt(handle, CURLOPT_WRITEFUNCTION, callback);
  return code ? code : curl.easy_setopt(handle, CURLOPT_WRITEDATA, context);
}

CURLcode infrabench_curl_set_header_callback(CURL *handle, curl_write_callback callback, void *context) {
  const CURLcode code = curl.easy_setopt(handle, CURLOPT_HEADERFUNCTION, callback);
  return code ? code : curl.easy_setopt(handle, CURLOPT_HEADERDATA, context);
}

// The library that is loaded may be older or newer than the headers: it says itself whether it knows an option.
CURLcode infrabench_curl_allow_http_only(CURL *handle) {
  const CURLcode code = curl.easy_setopt(handle, OPTION_PROTOCOLS_STR, "http,https");
  if (code != CURLE_UNKNOWN_OPTION) return code;
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  return curl.easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#pragma clang diagnostic pop
}

CURLcode infrabench_curl_leave_resolver_behind(CURL *handle) {
  const CURLcode code = curl.easy_setopt(handle, OPTION_QUICK_EXIT, 1L);
  return code == CURLE_UNKNOWN_OPTION ? CURLE_OK : code;
}

CURLcode infrabench_curl_get_long(CURL *handle, CURLINFO info, long *value) {
  return curl.easy_getinfo(handle, info, value);
}

CURLcode infrabench_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
  return curl.easy_getinfo(handle, info, value);
}

CURLcode infrabench_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
  return curl.easy_getinfo(handle, info, (char **)value);
}
