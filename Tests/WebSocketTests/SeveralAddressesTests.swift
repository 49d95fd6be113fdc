import NIOCore
import NIOPosix
import Testing

@testable import Transport

/// A name with several addresses, as `localhost` has: ::1 and 127.0.0.1.
@Suite(.timeLimit(.minutes(1))) struct SeveralAddressesTests {
  /// Answers with the same addresses always: `first` are tried before `second`.
  private final class FixedResolver: Resolver, Sendable {
    let first: [SocketAddress]
    let second: [SocketAddress]
    let loop: any EventLoop

    init(_ first: [SocketAddress], _ second: [SocketAddress], on loop: any EventLoop) {
      self.first = first
      self.second = second
      self.loop = loop
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
      loop.makeSucceededFuture(first)
    }
    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
      loop.makeSucceededFuture(second)
    }
    func cancelQueries() {}
  }

  private let loop = MultiThreadedEventLoopGroup.singleton.next()

  private func connect(
    port: Int, first: [String], second: [String]
  ) async throws -> WebSocketConnection {
    let resolver = FixedResolver(
      try first.map { try SocketAddress(ipAddress: $0, port: port) },
      try second.map { try SocketAddress(ipAddress: $0, port: port) }, on: loop)
    let request = try UpgradeRequest(
      endpoint: Endpoint(host: "several.test", port: port), path: "/task", headers: [], tls: nil)
    return try await WebSocketHandshake.perform(
      request, on: loop, limits: WebSocketLimits(), timeout: 10_000_000_000, resolver: resolver)
  }

  @Test(arguments: [["::1"], ["127.0.0.2"], ["127.0.0.2", "127.0.0.3"]])
  func deadAddressDoesNotDecideWhileAnotherIsLeft(dead: [String]) async throws {
    let server = try await RawServer(answer: { accepted($0) + frame(0x81, Array("hello".utf8)) })
    let connection = try await connect(port: server.port, first: dead, second: ["127.0.0.1"])
    #expect(try await connection.receive()?.text == "hello")
    let phases = connection.phases
    #expect(phases.started <= phases.connected && phases.connected <= phases.upgraded)
    connection.abort()
    await server.stop()
  }

  @Test func failureOfTheConnectedAddressStillCounts() async throws {
    let server = try await RawServer(answer: { _ in nil })
    await #expect(throws: WebSocketError.self) {
      _ = try await connect(port: server.port, first: ["127.0.0.2"], second: ["127.0.0.1"])
    }
    await server.stop()
  }

  @Test func nameWhoseAddressesAllRefuseIsRefused() async throws {
    let server = try await RawServer(answer: accepted)
    let port = server.port
    await server.stop()
    await #expect(throws: WebSocketError.refused("several.test:\(port)")) {
      _ = try await connect(port: port, first: ["127.0.0.2"], second: ["127.0.0.1"])
    }
  }
}
