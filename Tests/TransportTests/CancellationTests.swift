import Latency
import TestSupport
import Testing
import Transport

/// A cancelled exchange ends once, soon, and as `cancelled`; with grace it may still get its answer.
@Suite(.timeLimit(.minutes(1))) struct CancellationTests {
  @Test(arguments: LoopKind.allCases) func aCancelledExchangeEndsLongBeforeItsTimeout(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in [] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    let task = Task { await connection.get() }
    await server.waitForRequests(1)
    task.cancel()
    #expect(await task.value.failure?.kind == .cancelled)
    #expect(!connection.isUsable)
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func anAnswerWithinTheGraceIsStillTaken(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in [.wait(.milliseconds(50)), ScriptedServer.answer("task-1")] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    let task = Task { await connection.get(graceOnCancel: 20 * second) }
    await server.waitForRequests(1)
    task.cancel()
    #expect(await task.value.bodyText == "task-1")
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func theGraceEnds(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in [] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    let task = Task { await connection.get(graceOnCancel: .milliseconds(20)) }
    await server.waitForRequests(1)
    task.cancel()
    #expect(await task.value.failure?.kind == .cancelled)
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases, [false, true])
  func aTaskCancelledBeforehandNeverWaitsForTheTimeout(_ kind: LoopKind, onItsLoop: Bool) async throws {
    let server = try await ScriptedServer { _ in [] }
    for _ in 0..<100 {
      let connection = try await HTTPConnection.open(server.port, on: kind.executor())
      let ask: @Sendable () async -> Result<HTTPExchange, TransportError> = {
        withUnsafeCurrentTask { $0?.cancel() }
        return await connection.get(timeout: 10 * second)
      }
      let result = onItsLoop ? try await onLoop(on: kind, ask) : await Task { await ask() }.value
      #expect(result.failure?.kind == .cancelled)
    }
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func whenCancellationRacesWithTheAnswerExactlyOneOfThemWins(_ kind: LoopKind)
    async throws
  {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("ok")] }
    var random = SeededRandom(seed: 7)
    var outcomes: [String: Int] = [:]
    // Each yield lets all other tests go first: on a busy machine fewer rounds have to do.
    let enough = ContinuousClock.now + .seconds(20)
    for round in 0..<400 where round < 20 || ContinuousClock.now < enough {
      let connection = try await HTTPConnection.open(server.port, on: kind.executor())
      let task = Task { await connection.get() }
      for _ in 0..<Int.random(in: 0..<40, using: &random) { await Task.yield() }
      task.cancel()
      let result = await task.value
      outcomes[result.failure?.kind.rawValue ?? "ok", default: 0] += 1
      connection.close()
    }
    #expect(Set(outcomes.keys).isSubset(of: ["ok", "cancelled"]), "\(outcomes)")
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func connectingIsGivenUp(_ kind: LoopKind) async throws {
    // A server that accepts and never answers a TLS client's hello.
    let server = try await ScriptedServer { _ in [] }
    let tls = try TLSClient(insecure: true)
    let task = Task {
      await HTTPConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: server.port, isSecure: true), tls: tls,
        on: kind.executor(), timeout: 50 * second
      ).failure
    }
    for _ in 0..<5_000 where server.connectionCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
    task.cancel()
    #expect(await task.value?.kind == .cancelled)
    await server.stop()
  }
}
