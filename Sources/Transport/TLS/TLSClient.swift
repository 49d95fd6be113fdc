import NIOCore
public import NIOSSL
import Synchronization

/// How a tool speaks TLS: whom it trusts and what it shows of itself, decided once.
public struct TLSClient: Sendable {
  /// The context that every connection shares.
  public let context: NIOSSLContext
  /// Whether a server has asked for a certificate of the client and there is none to show.
  let wanted: CertificateRequest

  /// Verifies certificates against the system's roots, or those in `caFile` (PEM) instead.
  ///
  /// - Parameters:
  ///   - insecure: accept any certificate for any name.
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
    // Called when a server has asked for a certificate, and by none that does not.
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
      // The library's own words are about its source.
      throw TransportError(
        .tls,
        caFile.map { "'\($0)' cannot be read, or holds no certificates in PEM" }
          ?? "the system's authorities cannot be read: install them (ca-certificates), or name a file of them")
    }
  }

  /// Whether a server has asked for a client certificate, and there was none to show it.
  package var wasAskedInVain: Bool { wanted.wasNotGiven }

  /// What is said beside another reason by which a server may have refused somebody whose certificate it did not see.
  package static let furtherAdvice = "the server also asked for a client certificate: --cert and --key"

  /// A handler for one connection to `endpoint`. The name of the host is sent and verified, whichever of its addresses is
  /// connected to.
  func makeHandler(for endpoint: Endpoint) throws -> NIOSSLClientHandler {
    try NIOSSLClientHandler(context: context, serverHostname: endpoint.serverName)
  }
}

/// Whether a server has asked for a client certificate. With TLS 1.3 it may accept the handshake without one and close
/// the connection then, with or without an alert; with TLS 1.2 its alert may mean something else as well. That it has asked
/// tells them apart.
final class CertificateRequest: Sendable {
  private let isMissing: Bool
  private let asked = Atomic(false)

  init(isMissing: Bool) { self.isMissing = isMissing }

  func isAsked() { asked.store(true, ordering: .relaxed) }

  /// Whether a server has asked for one.
  var hasBeenAsked: Bool { asked.load(ordering: .relaxed) }
  /// Whether it could not be given one.
  var wasNotGiven: Bool { isMissing && hasBeenAsked }

  /// What is said of a server that wants a certificate and was shown none.
  static let advice = "the server asks for a client certificate and was shown none: give one with --cert and --key"
}

extension Endpoint {
  /// The name for SNI; nil for an address, which RFC 6066, section 3, leaves out.
  var serverName: String? {
    (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
  }
}
