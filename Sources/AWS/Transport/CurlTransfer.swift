import CLibcurl
import FoundationEssentials
import Glibc
import Latency
import ProcessControl

/// One transfer: its request, its easy handle while it runs, and the bytes received so far.
///
/// `@unchecked` because only the curl thread touches its variables once the transfer has been posted to it.
final class CurlTransfer: @unchecked Sendable {
  let id: UInt64
  private let request: HTTPRequest
  private let options: CurlTransport.Options
  /// Whether the transfer only connects and reads the server's certificate, and sends nothing.
  private let readsCertificate: Bool
  private let continuation: CheckedContinuation<Result<HTTPResponse, TransferError>, Never>

  private(set) var handle: UnsafeMutableRawPointer?
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  var sentAt: Instant = .distantPast
  private var headers: [(name: String, value: String)] = []
  private var headerBytes = 0
  private var body: [UInt8] = []
  private var isTooLarge = false

  private static let maximumHeaderBytes = 256 << 10

  init(
    id: UInt64, request: HTTPRequest, options: CurlTransport.Options, readsCertificate: Bool = false,
    continuation: CheckedContinuation<Result<HTTPResponse, TransferError>, Never>
  ) {
    self.id = id
    self.request = request
    self.options = options
    self.readsCertificate = readsCertificate
    self.continuation = continuation
    errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    freeHandle()
    errorBuffer.deallocate()
  }

  /// Resumes the waiting task. Each transfer calls either this or ``fail(_:)``, once.
  func finish(_ result: Result<HTTPResponse, TransferError>) { continuation.resume(returning: result) }

  func fail(_ error: TransferError) { finish(.failure(error)) }

  /// Sets up the easy handle; ``freeHandle()`` frees it.
  func makeHandle() throws(TransferError) -> UnsafeMutableRawPointer {
    // A line break in a header's value would add further headers.
    guard request.headers.allSatisfy({ !($0.name + $0.value).utf8.contains { $0 < 0x20 && $0 != 0x09 } }) else {
      throw TransferError(.other, "a request header holds a control character")
    }
    guard let handle = infrabench_curl_easy_init() else { throw TransferError(.other, "libcurl gave no handle") }
    self.handle = handle
    let context = Unmanaged.passUnretained(self).toOpaque()
    var codes = [
      infrabench_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorBuffer),
      infrabench_curl_set_string(handle, CURLOPT_URL, request.url),
      infrabench_curl_allow_http_only(handle),
      infrabench_curl_set_long(handle, CURLOPT_NOSIGNAL, 1),
      infrabench_curl_leave_resolver_behind(handle),
      infrabench_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0),
      infrabench_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
      infrabench_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 1),
      infrabench_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 2),
      infrabench_curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1),
      infrabench_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, wholeMilliseconds(options.connectTimeout)),
      infrabench_curl_set_long(handle, CURLOPT_TIMEOUT_MS, wholeMilliseconds(request.timeout ?? options.timeout)),
      infrabench_curl_set_body_callback(handle, receiveBody, context),
      infrabench_curl_set_header_callback(handle, receiveHeader, context),
    ]
    if readsCertificate {
      codes.append(infrabench_curl_set_long(handle, CURLOPT_CONNECT_ONLY, 1))
      codes.append(infrabench_curl_set_long(handle, CURLOPT_CERTINFO, 1))
    }
    if let bundle = options.certificateBundle {
      codes.append(infrabench_curl_set_string(handle, CURLOPT_CAINFO, bundle))
      // The bundle replaces the system's certificates instead of adding to them.
      codes.append(infrabench_curl_set_string(handle, CURLOPT_CAPATH, nil))
    }
    if ProxyExemption.applies(toURL: request.url) {
      // An empty proxy means no proxy. Without the option libcurl reads http_proxy and similar variables itself.
      codes.append(infrabench_curl_set_string(handle, CURLOPT_PROXY, ""))
    }
    if request.method == .put { codes.append(infrabench_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, "PUT")) }
    if request.method == .post {
      codes.append(infrabench_curl_set_long(handle, CURLOPT_POST, 1))
      codes.append(infrabench_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
      codes.append(
        request.body.withUnsafeBytes { bytes in
          infrabench_curl_set_pointer(
            handle, CURLOPT_COPYPOSTFIELDS,
            UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(context)))
        })
    }
    for (name, value) in request.headers {
      guard let longer = infrabench_curl_slist_append(headerList, "\(name): \(value)") else {
        throw TransferError(.other, "libcurl is out of memory")
      }
      headerList = longer
    }
    codes.append(infrabench_curl_set_headers(handle, headerList))
    if let failure = codes.first(where: { $0 != CURLE_OK }) {
      throw TransferError(
        failure == CURLE_URL_MALFORMAT ? .invalidURL : .other, String(cString: infrabench_curl_easy_strerror(failure)))
    }
    return handle
  }

  func freeHandle() {
    if let handle { infrabench_curl_easy_cleanup(handle) }
    if let headerList { infrabench_curl_slist_free_all(headerList) }
    handle = nil
    headerList = nil
  }

  /// The result of the finished transfer; the handle must still exist.
  func result(of code: CURLcode, answeredAt: Instant) -> Result<HTTPResponse, TransferError> {
    guard code == CURLE_OK, let handle else {
      let detail = String(cString: errorBuffer)
      let message = detail.isEmpty ? String(cString: infrabench_curl_easy_strerror(code)) : detail
      // libcurl itself limits the size of one header; versions before 8.6 report "out of memory" for it.
      if isTooLarge || code == CURLE_OUT_OF_MEMORY || code.rawValue == 100 { return .failure(.tooLarge) }
      if code == CURLE_SSL_CACERT_BADFILE, let bundle = options.certificateBundle {
        return .failure(.unusableBundle(bundle))
      }
      if isOutOfDescriptors(handle) { return .failure(.outOfDescriptors) }
      let isOfTLS = TransferError.Kind(code) == .tls || TLSFailureText.isOfTLS(message)
      if isOfTLS, code != CURLE_SSL_CACERT_BADFILE {
        return .failure(.tls(message, names: readsCertificate ? alternativeNames(handle) : []))
      }
      if let refusal = TransferError.proxyRefusal(message) { return .failure(refusal) }
      // For an http URL, "unsupported protocol" means an answer without a status line or with a malformed one.
      let isNotHTTP = code == CURLE_UNSUPPORTED_PROTOCOL && request.url.lowercased().hasPrefix("http")
      return .failure(TransferError(isNotHTTP ? .malformedAnswer : TransferError.Kind(code), message))
    }
    var status = 0
    infrabench_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
    let timings = TransferTimings(of: handle, sentAt: sentAt, answeredAt: answeredAt)
    return .success(HTTPResponse(status: status, headers: headers, body: body, timings: timings))
  }

  private func isOutOfDescriptors(_ handle: UnsafeMutableRawPointer?) -> Bool {
    guard let handle else { return false }
    var number = 0
    infrabench_curl_get_long(handle, CURLINFO_OS_ERRNO, &number)
    return FileDescriptorLimit.isExceeded(errno: Int32(truncatingIfNeeded: number)) || FileDescriptorLimit.isReached
  }

  /// The alternative names in the server's own certificate, which is the first of the chain.
  private func alternativeNames(_ handle: UnsafeMutableRawPointer?) -> [String] {
    var pointer: UnsafeMutableRawPointer?
    guard let handle, infrabench_curl_get_pointer(handle, CURLINFO_CERTINFO, &pointer) == CURLE_OK,
      let chain = pointer?.assumingMemoryBound(to: curl_certinfo.self).pointee, chain.num_of_certs > 0
    else { return [] }
    var line = chain.certinfo[0]
    while let entry = line?.pointee {
      let text = String(cString: entry.data)
      if let colon = text.firstIndex(of: ":"), text[..<colon].hasSuffix("Subject Alternative Name") {
        return TLSFailureText.names(inAlternativeNames: String(text[text.index(after: colon)...]))
      }
      line = entry.next
    }
    return []
  }

  fileprivate func append(body bytes: UnsafeRawBufferPointer) -> Bool {
    isTooLarge = isTooLarge || bytes.count > options.maximumBodyBytes - body.count
    if !isTooLarge { body.append(contentsOf: bytes) }
    return !isTooLarge
  }

  fileprivate func append(header bytes: UnsafeRawBufferPointer) -> Bool {
    headerBytes += bytes.count
    isTooLarge = isTooLarge || headerBytes > CurlTransfer.maximumHeaderBytes
    guard !isTooLarge else { return false }
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      headers = []  // An interim answer came before this one.
    } else if let colon = line.firstIndex(of: ":") {
      let value = bytes[(bytes.firstIndex(of: UInt8(ascii: ":")) ?? 0)...].dropFirst()
      let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }
      let trimmed = value.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
      headers.append((String(line[..<colon]), String(decoding: Array(trimmed), as: UTF8.self)))
    }
    return true
  }
}

/// Takes a part of the body. A libcurl callback returns the number of bytes it took; any other number ends the
/// transfer.
private func receiveBody(bytes: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?)
  -> Int
{
  guard let context else { return 0 }
  let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
  return Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().append(body: buffer) ? buffer.count : -1
}

private func receiveHeader(
  bytes: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
  guard let context else { return 0 }
  let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
  return Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().append(header: buffer) ? buffer.count : -1
}

extension TransferError {
  static let tooLarge = TransferError(.answerTooLarge, "the answer is larger than this client accepts")

  /// This process may open no more files. The cause is this machine and not the server, so the run ends.
  static let outOfDescriptors = TransferError(.cancelled, "this process may have no more files open")

  /// - Parameter names: the hosts that the certificate is valid for, where they are known.
  static func tls(_ message: String, names: [String]) -> TransferError {
    var error = TransferError(.tls, "TLS failed: " + TLSFailureText.words(for: message, names: names))
    error.needsNames = names.isEmpty && TLSFailureText.isWrongName(message)
    return error
  }

  /// The error, in words, for libcurl's message about a proxy that refuses a tunnel, `CONNECT tunnel failed, response
  /// 407`; nil for any other message.
  ///
  /// It counts as a failure to connect, not as a lost connection, because the next try meets the same proxy.
  static func proxyRefusal(_ message: String) -> TransferError? {
    guard message.contains("CONNECT"), message.contains("tunnel") || message.contains("from proxy") else { return nil }
    let status: Substring? = message.split(whereSeparator: { !$0.isNumber }).first { $0.count == 3 }
    let remedy = status == "407" ? ": it wants a name and a password (HTTPS_PROXY=http://name:password@host:port)" : ""
    return TransferError(
      .connect,
      "the proxy of HTTPS_PROXY refuses to connect to this host\(status.map { ", HTTP \($0)" } ?? "")\(remedy)")
  }

  static func unusableBundle(_ path: String) -> TransferError {
    TransferError(
      .tls,
      "'\(ErrorAnswer.printable(path))', the certificate bundle of AWS_CA_BUNDLE or of the profile's ca_bundle, "
        + "cannot be read or holds no certificates in PEM")
  }
}

extension TransferError.Kind {
  /// Reduces libcurl's code to the kind that callers decide by.
  init(_ code: CURLcode) {
    switch code {
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: self = .invalidURL
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: self = .nameLookup
    case CURLE_COULDNT_CONNECT: self = .connect
    case CURLE_OPERATION_TIMEDOUT: self = .timeout
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: self = .connectionLost
    case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: self = .malformedAnswer
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
      self = .tls
    default: self = .other
    }
  }
}

/// A length in whole milliseconds, the unit of libcurl's time-outs.
private func wholeMilliseconds(_ length: Nanoseconds) -> Int { Int(clamping: length / .milliseconds(1)) }

extension TransferTimings {
  /// Reads libcurl's phases, which are µs since the transfer's start; each includes the phases before it.
  init(of handle: UnsafeMutableRawPointer, sentAt: Instant, answeredAt: Instant) {
    func length(_ info: CURLINFO) -> Nanoseconds {
      var microseconds: curl_off_t = 0
      infrabench_curl_get_offset(handle, info, &microseconds)
      return .microseconds(microseconds)
    }
    var newConnections = 0
    infrabench_curl_get_long(handle, CURLINFO_NUM_CONNECTS, &newConnections)
    let nameLookup = length(CURLINFO_NAMELOOKUP_TIME_T)
    let connected = length(CURLINFO_CONNECT_TIME_T)
    let secured = length(CURLINFO_APPCONNECT_TIME_T)
    let isNew = newConnections > 0
    self.init(
      sentAt: sentAt, answeredAt: answeredAt, reusedConnection: !isNew,
      nameLookup: isNew ? nameLookup : nil,
      connect: isNew ? connected - nameLookup : nil,
      tls: isNew && secured > .zero ? secured - connected : nil,
      firstByte: length(CURLINFO_STARTTRANSFER_TIME_T),
      total: length(CURLINFO_TOTAL_TIME_T))
  }
}

/// Hosts that are reached directly, regardless of the proxy variables: this machine, and the link-local addresses of
/// AWS's metadata and container credentials. A proxy could not reach them, and must not see the credentials.
enum ProxyExemption {
  static func applies(toURL url: String) -> Bool {
    guard let host = URL(string: url)?.host else { return false }
    return applies(toHost: host)
  }

  static func applies(toHost host: String) -> Bool {
    var name = host.lowercased()
    if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
    if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" { return true }
    // fe80::/10, and fd00:ec2:: of the IPv6 metadata endpoints.
    if name.contains(":") {
      return ["fe8", "fe9", "fea", "feb"].contains { name.hasPrefix($0) } || name.hasPrefix("fd00:ec2:")
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
    return parts.count == 4 && name.split(separator: ".").count == 4
      && (parts[0] == 127 || (parts[0] == 169 && parts[1] == 254))
  }
}
