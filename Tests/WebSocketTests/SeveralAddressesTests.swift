import Latency
import NIOCore
import NIOPosix
import Testing

@testable import Transport

/// A name with several addresses, as `localhost` has: ::1 and 127.0.0.1.
@Suite(.timeLimit(.minutes(1))) struct SeveralAddressesTests {
  private let loop = MultiThreadedEventLoopGroup.singleton.next()

  private func connect(
    port: Int, first: [String], second: [String]
  ) async throws -> WebSocketConnection {
    let endpoint = Endpoint(host: "several.test", port: port)
    let addresses = HostAddresses(of: endpoint) { _, port, loop in
      loop.makeCompletedFuture { try (first + second).map { try SocketAddress(ipAddress: $0, port: port) } }
    }
    let request = try UpgradeRequest(endpoint: endpoint, path: "/task", headers: [], tls: nil)
    return try await WebSocketHandshake.perform(
      request, addresses, turn: 0, on: loop, limits: WebSocketLimits(), timeout: .seconds(10))
  }

  @Test(arguments: [["::1"], ["127.0.0.2"], ["127.0.0.2", "127.0.0.3"]])
  func deadAddressDoesNotDecideWhileAnotherIsLeft(dead: [String]) async throws {
    let server = try await RawServer(answer: { accepted($0) + frame(0x81, Array("hello".utf8)) })
    let connection = try await connect(port: server.port, first: dead, second: ["127.0.0.1"])
    #expect(try await connection.receive()?.text == "hello")
    let phases = connection.phases
    #expect(phases.started <= phases.connected && phases.connected <= phases.upgraded)
    // The addresses that refused are not in it.
    #expect(phases.started < phases.dialed && phases.connect == phases.lookUp + (phases.connected - phases.dialed))
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
