/// Why no complete HTTP answer came.
public struct TransferError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of failure, as far as a caller decides by it.
  public enum Kind: String, Sendable {
    /// The text is not a URL, or its scheme is neither http nor https.
    case invalidURL
    /// The host's name (or the proxy's) has no address.
    case nameLookup
    /// No connection could be made: refused, unreachable.
    case connect
    /// The TLS handshake failed or the certificate was not accepted.
    case tls
    /// No complete answer in time.
    case timeout
    /// The connection broke in the middle.
    case connectionLost
    /// The answer is not HTTP.
    case malformedAnswer
    /// Headers or body exceed the transport's limit.
    case answerTooLarge
    /// The waiting task was cancelled.
    case cancelled
    /// The transport was shut down.
    case shutDown
    /// This machine has no libcurl, or one that is too old.
    case noLibrary
    /// Anything else libcurl reports.
    case other
  }

  /// What went wrong.
  public var kind: Kind
  /// libcurl's message; for a TLS failure only the reason.
  public var message: String
  /// Whether the names in the server's certificate would explain the failure.
  var needsNames = false

  /// Makes an error.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }

  /// Whether another try may succeed.
  public var isTransient: Bool {
    switch kind {
    case .nameLookup, .connect, .timeout, .connectionLost, .malformedAnswer: true
    case .invalidURL, .tls, .answerTooLarge, .cancelled, .shutDown, .noLibrary, .other: false
    }
  }
}

extension TransferError {
  /// - Parameter reason: the dynamic linker's words.
  static func noLibrary(isTooOld: Bool, reason: String) -> TransferError {
    TransferError(
      .noLibrary,
      "calls of AWS are made with libcurl, which "
        + (isTooOld ? "is too old here: install 7.68 or later" : "is not installed here: install it")
        + ", on Debian and Ubuntu with 'apt-get install libcurl4' (\(reason))")
  }
}

/// The words for TLS failures of libcurl and OpenSSL, without the libraries' numbers and function names.
enum TLSFailureText {
  /// OpenSSL's reasons, each recognised by a part of it. An alert comes from the peer (RFC 8446, section 6.2).
  private static let reasons: [(part: String, words: String)] = [
    ("alert certificate required", "the server asks for a client certificate"),
    (
      "alert handshake failure",
      "the server broke the handshake off: it asks for a client certificate, or has no version or cipher of TLS in common "
        + "with this tool"
    ),
    ("alert bad certificate", "the server refused the client certificate, or that there is none"),
    ("alert unknown ca", "the server refused the client certificate, or that there is none"),
    ("wrong version number", "what listens there does not speak TLS: is it http instead of https?"),
    ("http request", "what listens there does not speak TLS: is it http instead of https?"),
    ("alert protocol version", "there is no version of TLS in common"),
    ("unsupported protocol", "there is no version of TLS in common"),
    ("unrecognized name", "the server has no host of this name"),
    ("certificate has expired", "its certificate, or one of its authorities', has expired"),
    ("certificate is not yet valid", "its certificate is not yet valid: check this machine's clock"),
    ("self-signed certificate", "its certificate is signed by an authority that is not trusted here"),
    ("self signed certificate", "its certificate is signed by an authority that is not trusted here"),
    ("unable to get local issuer", "its certificate is signed by an authority that is not trusted here"),
    ("unable to get issuer", "its certificate is signed by an authority that is not trusted here"),
  ]
  private static let wrongName = "no alternative certificate subject name matches target host name"

  /// Whether `message`, libcurl's, reports a TLS failure. Its code does not tell, because an alert may come after the
  /// handshake.
  static func isOfTLS(_ message: String) -> Bool { message.contains("SSL routines:") }

  /// Whether `message` says that the certificate belongs to another host.
  static func isWrongName(_ message: String) -> Bool { message.contains(wrongName) }

  /// The user's words for `message`.
  ///
  /// - Parameter names: the hosts that the certificate is valid for; empty where they are not known.
  static func words(for message: String, names: [String] = []) -> String {
    if isWrongName(message) {
      let host = message.split(separator: "'").dropFirst().first.map(String.init) ?? "this host"
      guard !names.isEmpty else { return "its certificate is not for \(host)" }
      let shown = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
      return "its certificate is for \(shown), not for \(host)"
    }
    if let known = reasons.first(where: { message.contains($0.part) }) { return known.words }
    guard let start = message.firstRange(of: "SSL routines:")?.upperBound else { return message }
    // `error:0A000086:SSL routines::certificate verify failed, errno 0`
    let reason = message[start...].prefix { $0 != "," }.split(separator: ":").last.map(String.init) ?? ""
    return reason.isEmpty ? "the TLS handshake failed" : reason.trimmed
  }

  /// The names in libcurl's line of a certificate's alternative names, `DNS:a.example, IP Address:127.0.0.1`.
  static func names(inAlternativeNames line: String) -> [String] {
    line.split(separator: ",").compactMap { part in
      let text = String(part).trimmed
      guard let kind = ["DNS:", "IP Address:"].first(where: { text.hasPrefix($0) }) else { return nil }
      return String(ErrorAnswer.printable(String(text.dropFirst(kind.count))).prefix(100))
    }
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
