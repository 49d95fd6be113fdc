import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import ProcessControl
import Testing

@testable import KnownDelayServer

/// The program itself: `known-delay-server` beside the tests.
@Suite(.timeLimit(.minutes(1))) struct ProgramTests {
  private struct Ready: Decodable, Equatable { let event, gatewayUrl: String }

  private func start(_ arguments: [String]) async throws -> ChildProcess {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let directory = own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: "\(directory)/known-delay-server", arguments: arguments, standardInput: .pipe,
        standardOutput: .pipe, diesWithParent: true))
  }

  /// The next whole line that the program writes; its lines come one at a time.
  private func line(of process: ChildProcess) async throws -> Data {
    let descriptor = try #require(process.standardOutput).descriptor
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    var bytes = Data()
    while bytes.last != UInt8(ascii: "\n") {
      var byte: UInt8 = 0
      let count = read(descriptor, &byte, 1)
      if count == 0 { break }
      if count > 0 { bytes.append(byte) } else { try await Task.sleep(for: .milliseconds(5)) }
    }
    return bytes
  }

  @Test func saysWhereItServesReportsOnSignalAndAtTheEndOfItsLifeline() async throws {
    let server = try await start(["--lifeline", "--delay", "1ms"])
    let ready = try JSONDecoder().decode(Ready.self, from: try await line(of: server))
    #expect(ready.event == "ready" && ready.gatewayUrl.hasPrefix("http://127.0.0.1:"))
    server.signal(SIGUSR1)
    let early = try JSONDecoder().decode(ServerReport.self, from: try await line(of: server))
    #expect(early.event == "report" && early.acquires == 0 && early.acquireMs == nil)
    try await acquire(port: try #require(ready.gatewayUrl.split(separator: ":").last.flatMap { Int($0) }))
    server.standardInput?.close()
    let last = try JSONDecoder().decode(ServerReport.self, from: try await line(of: server))
    #expect(last.acquires == 1 && last.connections == 1 && last.acquireMs != nil)
    #expect(await server.waitForExit() == .exited(0))
  }

  @Test func signalEndsItWithAReport() async throws {
    let server = try await start([])
    _ = try await line(of: server)
    server.signal(SIGTERM)
    #expect(try JSONDecoder().decode(ServerReport.self, from: try await line(of: server)).acquires == 0)
    #expect(await server.waitForExit() == .exited(143))
  }

  @Test func wrongUsageIsSixtyFour() async throws {
    let server = try await start(["--deaf", "1s"])
    #expect(await server.waitForExit() == .exited(64))
  }

  private func acquire(port: Int) async throws {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: "POST /api/acquire HTTP/1.1\r\n\r\n"))
      for try await _ in inbound { break }
    }
  }
}
