import Latency
import NIOCore
import NIOPosix
import Testing

@testable import KnownDelayServer

@Suite(.timeLimit(.minutes(1))) struct ServerTests {
  private static let acquire = "POST /api/acquire HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
  private static let release = "POST /api/release HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"

  private func serving<T>(_ plan: DelayPlan, _ body: (KnownDelayServer) async throws -> T) async throws -> T {
    let server = try await KnownDelayServer.start(plan: plan)
    do {
      let result = try await body(server)
      await server.stop()
      return result
    } catch {
      await server.stop()
      throw error
    }
  }

  /// Says `text` on a connection of its own and listens until `end` has been said so many times, or the server closes.
  private func say(_ text: String, to server: KnownDelayServer, untilSaid end: String, times: Int = 1) async throws
    -> String
  {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: "127.0.0.1", port: server.port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: text))
      var heard = ""
      for try await bytes in inbound {
        heard += String(buffer: bytes)
        if heard.ranges(of: end).count >= times { break }
      }
      return heard
    }
  }

  @Test func everyAcquireGetsATaskOfItsOwnAndPipelinedOnesAreAnsweredInOrder() async throws {
    try await serving(DelayPlan(delay: .milliseconds(1), slow: .init(every: 2, delay: .milliseconds(20)))) { server in
      let heard = try await say(
        Self.acquire + Self.acquire + Self.acquire + Self.release, to: server, untilSaid: #"{"success":true}"#)
      let bodies = heard.split(separator: "\r\n").compactMap { $0.hasPrefix("{") ? $0.prefix { $0 != "}" } : nil }
      #expect(
        bodies.map { String($0.prefix(31)) } == [
          #"{"success":true,"taskId":"task-"#, #"{"success":true,"taskId":"task-"#,
          #"{"success":true,"taskId":"task-"#, #"{"success":true"#,
        ])
      let tasks = heard.ranges(of: #/"taskId":"task-\d+","source":"warm"/#).map { heard[$0] }
      #expect(tasks.map { $0.filter(\.isNumber) } == ["1", "2", "3"])
    }
  }

  @Test func answerComesNoEarlierThanItsDelayAndTheReportSaysSo() async throws {
    try await serving(DelayPlan(delay: .milliseconds(30))) { server in
      let begin = MonotonicClock.now()
      _ = try await say(Self.acquire, to: server, untilSaid: "warm")
      #expect(MonotonicClock.now() - begin >= .milliseconds(30))
      let report = try await server.report()
      #expect(report.acquires == 1 && report.connections == 1 && report.malformed == 0)
      #expect(try #require(report.acquireMs).p50 >= 29.9)
    }
  }

  @Test func stalledServerAnswersNothingUntilTheStallEnds() async throws {
    // Deaf from 100 ms to 300 ms after the first acquire.
    let plan = DelayPlan(stall: Stall(length: .milliseconds(200), period: .milliseconds(400)))
    try await serving(plan) { server in
      let begin = MonotonicClock.now()
      _ = try await say(Self.acquire, to: server, untilSaid: "warm")
      try await Task.sleep(for: .milliseconds(150))
      let asked = MonotonicClock.now()
      _ = try await say(Self.release, to: server, untilSaid: "success")
      // A machine so busy that the question came after the stall shows nothing.
      if asked - begin < .milliseconds(300) { #expect(MonotonicClock.now() >= begin + .milliseconds(300)) }
    }
  }

  @Test func everythingElseIsToldWhatItIs() async throws {
    try await serving(DelayPlan()) { server in
      let status = try await say("GET /api/status HTTP/1.1\r\nHost: a\r\n\r\n", to: server, untilSaid: "}")
      #expect(status.contains(#"{"warmCount":100000,"assignedCount":0}"#))
      let unknown = try await say("GET /api/acquire HTTP/1.1\r\nHost: a\r\n\r\n", to: server, untilSaid: "}")
      #expect(unknown.hasPrefix("HTTP/1.1 404 "))
      // Both end with the server closing the connection.
      let closed = try await say(
        "GET /api/status HTTP/1.1\r\nConnection: close\r\n\r\n" + Self.acquire, to: server, untilSaid: "never")
      #expect(closed.hasPrefix("HTTP/1.1 200 ") && !closed.contains("taskId"))
      let malformed = try await say("rubbish\r\n\r\n" + Self.acquire, to: server, untilSaid: "never")
      #expect(malformed.hasPrefix("HTTP/1.1 400 ") && !malformed.contains("taskId"))
      let report = try await server.report()
      #expect(report.otherRequests == 3 && report.acquires == 0 && report.malformed == 1)
      #expect(report.connections == 4 && report.acquireMs == nil)
    }
  }
}
