import NIOCore
public import NIOSSL
import Synchronization

/// A tool's TLS settings: the certificates that it trusts and the one that it shows, decided once.
public struct TLSClient: Sendable {
  /// The context that all connections share.
  public let context: NIOSSLContext
  /// Notes whether a server has asked for a client certificate.
  let wanted: CertificateRequest

  /// Verifies certificates against the system's roots, or against those in `caFile` (PEM) instead.
  ///
  /// - Parameters:
  ///   - insecure: accepts any certificate for any name.
  ///   - certificate: shown to a server that asks for one.
  /// - Throws: ``TransportError`` of kind `tls` when `caFile` cannot be read or holds no certificate.
  public init(
    caFile: String? = nil, insecure: Bool = false, certificate: ClientCertificate? = nil
  ) throws(TransportError) {
    let wanted = CertificateRequest(isMissing: certificate == nil)
    self.wanted = wanted
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.applicationProtocols = ["http/1.1"]
    certificate?.configure(&configuration)
    // BoringSSL calls this only when a server has asked for a certificate.
    configuration.sslContextCallback = { _, promise in
      wanted.isAsked()
      promise.succeed(.noChanges)
    }
    do {
      if let caFile {
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(caFile))
      }
      if insecure { configuration.certificateVerification = .none }
      context = try NIOSSLContext(configuration: configuration)
    } catch {
      // The library's own message describes its source, so it is replaced.
      throw TransportError(
        .tls,
        caFile.map { "'\($0)' cannot be read, or holds no certificates in PEM" }
          ?? "the system's authorities cannot be read: install them (ca-certificates), or name a file of them")
    }
  }

  /// Whether a server has asked for a client certificate and there was none to show.
  package var wasAskedInVain: Bool { wanted.wasNotGiven }

  /// Added to another reason of a refusal, when the missing client certificate may have been the cause.
  package static let furtherAdvice = "the server also asked for a client certificate: --cert and --key"

  /// A handler for one connection to `endpoint`. The host's name is sent and verified, independent of the address in
  /// use.
  func makeHandler(for endpoint: Endpoint) throws -> NIOSSLClientHandler {
    try NIOSSLClientHandler(context: context, serverHostname: endpoint.serverName)
  }
}

/// Notes whether a server has asked for a client certificate. Problem: with TLS 1.3 a server may accept the handshake
/// without one and then close the connection, with or without an alert; with TLS 1.2 its alert may have other meanings.
/// The server's request for a certificate tells the cases apart.
final class CertificateRequest: Sendable {
  private let isMissing: Bool
  private let asked = Atomic(false)

  init(isMissing: Bool) { self.isMissing = isMissing }

  func isAsked() { asked.store(true, ordering: .relaxed) }

  /// Whether a server has asked for a certificate.
  var hasBeenAsked: Bool { asked.load(ordering: .relaxed) }
  /// Whether a server has asked for a certificate and there was none to show.
  var wasNotGiven: Bool { isMissing && hasBeenAsked }

  /// The message for a server that wants a certificate and was shown none.
  static let advice = "the server asks for a client certificate and was shown none: give one with --cert and --key"
}

extension Endpoint {
  /// The name for SNI; nil for an address, which SNI excludes (RFC 6066, section 3).
  var serverName: String? {
    (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
  }
}
