import FoundationEssentials
import NIOCore
import NIOSSL

/// Why TLS with a peer failed, in words of its users rather than of the library's source.
struct TLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong, and what to do about it.
  let description: String

  /// Reads an error of NIOSSL; nil for any other.
  ///
  /// - Parameters:
  ///   - certificate: the peer's, where it has shown one.
  ///   - host: what the certificate should be for.
  ///   - now: when the error occurred, by this machine's clock.
  init?(_ error: any Error, certificate: NIOSSLCertificate?, host: String, now: Date) {
    switch error {
    case let failure as TLSFailure: self = failure
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      description = Self.wrongName(host, certificate)
    case NIOSSLError.handshakeFailed(let error): description = Self.words(of: error, certificate, now)
    case let error as BoringSSLError: description = Self.words(of: error, certificate, now)
    case NIOSSLError.uncleanShutdown: description = "the peer closed the connection without the farewell of TLS"
    case NIOSSLError.noCertificateToValidate: description = "the server has shown no certificate"
    case NIOSSLError.unableToValidateCertificate: description = Self.distrust(of: certificate, now)
    case is NIOSSLError, is NIOSSLExtraError, is NIOTLSUnwrappingError: description = Self.plain("\(error)")
    default: return nil
    }
  }

  private static func words(of error: BoringSSLError, _ certificate: NIOSSLCertificate?, _ now: Date) -> String {
    switch error {
    case .sslError(let stack), .unknownError(let stack):
      guard !stack.contains(.eofDuringHandshake) else {
        return "the peer closed the connection during the TLS handshake"
      }
      guard let reason = stack.lazy.compactMap({ Self.reason(of: $0) }).first else { return "the handshake failed" }
      return words(of: reason, certificate, now)
    case .zeroReturn, .syscallError: return "the peer closed the connection"
    case .invalidSNIName: return "the host's name cannot be sent"
    default: return plain("\(error)")
    }
  }

  /// Reasons of BoringSSL. An alert is what the peer has sent (RFC 8446, section 6.2).
  private static func words(of reason: String, _ certificate: NIOSSLCertificate?, _ now: Date) -> String {
    switch reason {
    case "CERTIFICATE_VERIFY_FAILED": distrust(of: certificate, now)
    case "TLSV1_ALERT_CERTIFICATE_REQUIRED": "the server asks for a client certificate"
    case "SSLV3_ALERT_HANDSHAKE_FAILURE":
      "the server broke the handshake off: it asks for a client certificate, or has no version or cipher of TLS in common "
        + "with this tool"
    case "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
      "TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED":
      "the server refused the client certificate, or that there is none"
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

  /// The hosts of the certificate's subject alternative names (RFC 5280, section 4.2.1.6).
  private static func names(of certificate: NIOSSLCertificate) -> [String] {
    certificate._subjectAlternativeNames().compactMap { name -> String? in
      switch name.nameType {
      case .dnsName: printable(String(decoding: name.contents, as: UTF8.self))
      case .ipAddress: try? SocketAddress(packedIPAddress: ByteBuffer(bytes: name.contents), port: 0).ipAddress
      default: nil
      }
    }
  }

  /// `error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at …/handshake.cc:390`: the reason alone. The
  /// rest is about the library's build.
  private static func reason(of error: BoringSSLInternalError) -> String? {
    let text = "\(error)"
    guard let start = text.firstRange(of: "OPENSSL_internal:")?.upperBound else { return nil }
    let reason = text[start...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    return reason.isEmpty ? nil : String(reason)
  }

  /// A name of a library's, as words: letters and digits, at most 80.
  private static func plain(_ name: String) -> String {
    let words = name.prefix(80).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : " " }
    return String(words).lowercased()
  }

  /// A server may write anything into its certificate.
  private static func printable(_ text: String) -> String {
    String(text.prefix(100).map { $0.isASCII && !$0.isWhitespace && $0 > " " ? $0 : "?" })
  }
}

/// Stands behind the TLS handler and turns its errors into ``TLSFailure``, as long as the peer's certificate can be asked for.
final class TLSFailureReader: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private let host: String

  init(host: String) { self.host = host }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
    let failure = TLSFailure(error, certificate: certificate, host: host, now: Date())
    context.fireErrorCaught(failure ?? error)
  }
}
