import FoundationEssentials
import NIOCore
import NIOSSL

/// Why TLS with a peer failed, in words for users instead of the library's.
struct TLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// The fault and its remedy.
  let description: String
  /// Whether the client certificate is the cause.
  let isOfClientCertificate: Bool
  /// Whether the peer only closed an established connection.
  let isEnd: Bool

  /// Reads an error of NIOSSL; nil for any other error.
  ///
  /// - Parameters:
  ///   - certificate: the peer's certificate, if it has shown one.
  ///   - host: the name that the certificate should have.
  ///   - wanted: whether the peer has asked for a client certificate.
  ///   - now: when the error occurred, by this machine's clock.
  init?(_ error: any Error, certificate: NIOSSLCertificate?, host: String, wanted: CertificateRequest, now: Date) {
    switch error {
    case let failure as TLSFailure: self = failure
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      self.init(Self.wrongName(host, certificate))
    case NIOSSLError.handshakeFailed(let error): self.init(error, certificate, wanted, now)
    case let error as BoringSSLError: self.init(error, certificate, wanted, now)
    case NIOSSLError.uncleanShutdown: self.init(Self.unexpectedEnd, isEnd: true)
    case NIOSSLError.noCertificateToValidate: self.init("the server has shown no certificate")
    case NIOSSLError.unableToValidateCertificate: self.init(Self.distrust(of: certificate, now))
    case is NIOSSLError, is NIOSSLExtraError, is NIOTLSUnwrappingError: self.init(Self.plain("\(error)"))
    default: return nil
    }
  }

  private static let unexpectedEnd = "the peer closed the connection without the farewell of TLS"

  private init(_ description: String, isOfClientCertificate: Bool = false, isEnd: Bool = false) {
    self.description = description
    self.isOfClientCertificate = isOfClientCertificate
    self.isEnd = isEnd
  }

  private init(
    _ error: BoringSSLError, _ certificate: NIOSSLCertificate?, _ wanted: CertificateRequest, _ now: Date
  ) {
    switch error {
    case .sslError(let stack), .unknownError(let stack):
      guard !stack.contains(.eofDuringHandshake) else {
        self.init(
          wanted.wasNotGiven ? CertificateRequest.advice : "the peer closed the connection during the TLS handshake",
          isOfClientCertificate: wanted.wasNotGiven)
        return
      }
      let reason = stack.lazy.compactMap({ Self.reason(of: $0) }).first
      if let refusal = reason.flatMap({ Self.refusal($0, wanted) }) {
        self.init(refusal, isOfClientCertificate: true)
      } else {
        self.init(reason.map { Self.words(of: $0, certificate, now) } ?? "the handshake failed")
      }
    case .zeroReturn, .syscallError: self.init("the peer closed the connection")
    case .invalidSNIName: self.init("the host's name cannot be sent")
    default: self.init(Self.plain("\(error)"))
    }
  }

  /// The meaning of an alert about the client's certificate, or about its absence (RFC 8446, section 6.2); nil for
  /// other alerts.
  private static func refusal(_ alert: String, _ wanted: CertificateRequest) -> String? {
    let check = "check --cert and --key"
    switch alert {
    case "TLSV1_ALERT_CERTIFICATE_REQUIRED": return CertificateRequest.advice
    // TLS 1.2 sends this alert for a missing certificate, and for other reasons.
    case "SSLV3_ALERT_HANDSHAKE_FAILURE" where wanted.wasNotGiven: return CertificateRequest.advice
    case "SSLV3_ALERT_HANDSHAKE_FAILURE" where wanted.hasBeenAsked:
      return "the server broke the handshake off when it had seen the client certificate: \(check)"
    case "TLSV1_ALERT_UNKNOWN_CA" where !wanted.wasNotGiven:
      return "the server does not trust the authority that has signed the client certificate: \(check), with the whole "
        + "chain in the file of --cert"
    case "SSLV3_ALERT_CERTIFICATE_EXPIRED": return "the server says that the client certificate has expired: \(check)"
    case "SSLV3_ALERT_CERTIFICATE_REVOKED":
      return "the server says that the client certificate was revoked: \(check)"
    case "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
      "SSLV3_ALERT_NO_CERTIFICATE", "TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED",
      "TLSV1_ALERT_DECRYPT_ERROR":
      guard wanted.hasBeenAsked else { return nil }
      return wanted.wasNotGiven ? CertificateRequest.advice : "the server refused the client certificate: \(check)"
    default: return nil
    }
  }

  /// The words for BoringSSL's other reasons. The peer has sent those that are alerts (RFC 8446, section 6.2).
  private static func words(of reason: String, _ certificate: NIOSSLCertificate?, _ now: Date) -> String {
    switch reason {
    case "CERTIFICATE_VERIFY_FAILED": distrust(of: certificate, now)
    case "SSLV3_ALERT_HANDSHAKE_FAILURE":
      "the server broke the handshake off: it has no version or cipher of TLS in common with this tool"
    case "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST":
      "what listens there does not speak TLS: is it http instead of https?"
    case "TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL": "there is no version of TLS in common"
    case "TLSV1_ALERT_UNRECOGNIZED_NAME", "TLSV1_UNRECOGNIZED_NAME": "the server has no host of this name"
    case let alert where alert.contains("_ALERT_"):
      "the server broke the handshake off: \(plain(String(alert.drop { $0 != "_" }.dropFirst(7))))"
    default: plain(reason)
    }
  }

  private static func distrust(of certificate: NIOSSLCertificate?, _ now: Date) -> String {
    let unknown = "its certificate is signed by an authority that is not trusted here"
    guard let certificate else { return unknown }
    let begin = Date(timeIntervalSince1970: Double(certificate.notValidBefore))
    let end = Date(timeIntervalSince1970: Double(certificate.notValidAfter))
    if end < now { return "its certificate expired at \(end.formatted(.iso8601))" }
    if begin > now {
      return "its certificate is valid only from \(begin.formatted(.iso8601)) on: check this machine's clock"
    }
    return unknown
  }

  private static func wrongName(_ host: String, _ certificate: NIOSSLCertificate?) -> String {
    let names = certificate.map { Self.names(of: $0) } ?? []
    guard !names.isEmpty else { return "its certificate names no host, and so not \(host)" }
    let shown = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
    return "its certificate is for \(shown), not for \(host)"
  }

  /// The hosts among the certificate's subject alternative names (RFC 5280, section 4.2.1.6).
  private static func names(of certificate: NIOSSLCertificate) -> [String] {
    certificate._subjectAlternativeNames().compactMap { name -> String? in
      switch name.nameType {
      case .dnsName: printable(String(decoding: name.contents, as: UTF8.self))
      case .ipAddress: try? SocketAddress(packedIPAddress: ByteBuffer(bytes: name.contents), port: 0).ipAddress
      default: nil
      }
    }
  }

  /// `error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at …/handshake.cc:390`: only the reason is
  /// taken, because the rest describes the library's build.
  private static func reason(of error: BoringSSLInternalError) -> String? {
    let text = "\(error)"
    guard let start = text.firstRange(of: "OPENSSL_internal:")?.upperBound else { return nil }
    let reason = text[start...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    return reason.isEmpty ? nil : String(reason)
  }

  /// A library's name for a reason as words: letters and digits, at most 80 characters.
  private static func plain(_ name: String) -> String {
    let words = name.prefix(80).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : " " }
    return String(words).lowercased()
  }

  /// Text from a certificate as printable ASCII, because a server may write anything into its certificate.
  private static func printable(_ text: String) -> String {
    String(text.prefix(100).map { $0.isASCII && !$0.isWhitespace && $0 > " " ? $0 : "?" })
  }
}

/// Stands behind the TLS handler and turns its errors into ``TLSFailure`` while the peer's certificate is still
/// available.
final class TLSFailureReader: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private let host: String
  private let wanted: CertificateRequest

  init(host: String, wanted: CertificateRequest) {
    self.host = host
    self.wanted = wanted
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
    let failure = TLSFailure(error, certificate: certificate, host: host, wanted: wanted, now: Date())
    context.fireErrorCaught(failure ?? error)
  }
}
