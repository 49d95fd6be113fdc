import CLibcurl

extension TransferError {
  static let tooLarge = TransferError(.answerTooLarge, "the answer is larger than this client accepts")

  /// This process may have no more files open: that is nobody else's failure, and ends the run.
  static let outOfDescriptors = TransferError(.cancelled, "this process may have no more files open")

  /// - Parameter names: the hosts that the certificate is for, where they are known.
  static func tls(_ message: String, names: [String]) -> TransferError {
    var error = TransferError(.tls, "TLS failed: " + TLSWords.words(for: message, names: names))
    error.needsNames = names.isEmpty && TLSWords.isWrongName(message)
    return error
  }

  /// What libcurl says of a proxy that opens no tunnel, `CONNECT tunnel failed, response 407`, in words; nil of anything else.
  ///
  /// It counts as a connection that cannot be made, not as one that was lost: the next try finds the same proxy.
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

extension TransferError.Code {
  /// libcurl's code, reduced to what callers decide by.
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

extension TransferTimings {
  /// libcurl's figures are µs since the transfer's start, each including the ones before it.
  init(of handle: UnsafeMutableRawPointer, sentAt: UInt64, answeredAt: UInt64) {
    func nanoseconds(_ info: CURLINFO) -> UInt64 {
      var microseconds: curl_off_t = 0
      infrabench_curl_get_offset(handle, info, &microseconds)
      return UInt64(max(0, microseconds)) * 1_000
    }
    func duration(from earlier: UInt64, to later: UInt64) -> UInt64 { later > earlier ? later - earlier : 0 }
    var newConnections = 0
    infrabench_curl_get_long(handle, CURLINFO_NUM_CONNECTS, &newConnections)
    let nameLookup = nanoseconds(CURLINFO_NAMELOOKUP_TIME_T)
    let connected = nanoseconds(CURLINFO_CONNECT_TIME_T)
    let secured = nanoseconds(CURLINFO_APPCONNECT_TIME_T)
    let isNew = newConnections > 0
    self.init(
      sentAt: sentAt, answeredAt: answeredAt, reusedConnection: !isNew,
      nameLookup: isNew ? nameLookup : nil,
      connect: isNew ? duration(from: nameLookup, to: connected) : nil,
      tls: isNew && secured > 0 ? duration(from: connected, to: secured) : nil,
      firstByte: nanoseconds(CURLINFO_STARTTRANSFER_TIME_T),
      total: nanoseconds(CURLINFO_TOTAL_TIME_T))
  }
}
