import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import ProcessControl
import Testing

/// TLS with a self-signed certificate in front of a gateway: what comes in goes on in plain text.
final class TLSProxy: Sendable {
  /// The certificate's path, PEM.
  let certificate: String
  /// `https://127.0.0.1:…`.
  let url: String
  private let channel: any Channel
  private let scratch: Scratch

  static let openssl = "/usr/bin/openssl"
  static let isAvailable = FileManager.default.isExecutableFile(atPath: openssl)

  init(to gateway: String) async throws {
    scratch = try Scratch()
    let key = scratch("key.pem")
    certificate = scratch("certificate.pem")
    let openssl = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: Self.openssl,
        arguments: [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
          "-subj", "/CN=infrabench test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ], standardInput: .null, standardOutput: .null, standardError: .null))
    try #require(await openssl.waitForExit() == .exited(0))
    let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
    let tls = try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))))
    let port = try #require(URL(string: gateway)?.port)
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { client in
        client.eventLoop.makeCompletedFuture {
          try client.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
        }.flatMap { Self.join(client, port: port) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    url = "https://127.0.0.1:\(channel.localAddress?.port ?? 0)"
  }

  func stop() async { try? await channel.close() }

  private static func join(_ client: any Channel, port: Int) -> EventLoopFuture<Void> {
    ClientBootstrap(group: client.eventLoop).connect(host: "127.0.0.1", port: port).flatMapThrowing { gateway in
      try gateway.pipeline.syncOperations.addHandler(Pump(into: client))
      try client.pipeline.syncOperations.addHandler(Pump(into: gateway))
    }
  }

  /// Writes what one channel reads into the other, and ends with it.
  private final class Pump: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let other: any Channel

    init(into other: any Channel) { self.other = other }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
