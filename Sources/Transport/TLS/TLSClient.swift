import NIOCore
public import NIOSSL

/// How a tool speaks TLS: whom it trusts, decided once.
public struct TLSClient: Sendable {
  /// The context that every connection shares.
  public let context: NIOSSLContext

  /// Verifies certificates against the system's roots, or those in `caFile` (PEM) instead.
  ///
  /// - Parameter insecure: accept any certificate for any name.
  /// - Throws: ``TransportError`` of kind `tls` when `caFile` cannot be read or holds no certificate.
  public init(caFile: String? = nil, insecure: Bool = false) throws(TransportError) {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.applicationProtocols = ["http/1.1"]
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

  /// A handler for one connection to `endpoint`.
  func makeHandler(for endpoint: Endpoint) throws -> NIOSSLClientHandler {
    try NIOSSLClientHandler(context: context, serverHostname: endpoint.serverName)
  }
}

extension Endpoint {
  /// The name for SNI; nil for an address, which RFC 6066, section 3, leaves out.
  var serverName: String? {
    (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
  }
}
