import GatewayProtocol
import Latency
import LoadEngine
import TestSupport
import SessionGateway
import Testing
import Transport

@testable import InfraBench
@testable import WarmTask

@Suite struct ReleaseBudgetTests {
  @Test func theTimeBeginsWithTheFirstReleaseAndIsSharedByAll() {
    let budget = ReleaseBudget(100)
    #expect([1000, 1030, 1100, 5000].map { budget.remaining(at: $0) } == [100, 70, 0, 0])
  }
}

@Suite(.timeLimit(.minutes(1))) struct GatewaySessionTests {
  private var quiet: Bench { Bench(console: Console(print: .json, isQuiet: true)) }

  private func target(_ server: ScriptedServer) -> TargetSettings {
    TargetSettings(
      gateway: .remote(Endpoint(host: "127.0.0.1", port: server.port)), headers: [], tls: nil, isInsecure: false,
      agents: 0, allowsAgentsBesideReal: false)
  }

  @Test func aMuteGatewayIsWaitedForOnceAtTheEndHoweverOftenItIsAsked() async throws {
    let server = try await ScriptedServer { _ in [] }
    try await GatewaySession.with(target(server), timeout: 20_000_000_000, bench: quiet) { session in
      _ = session.held.assign("t")
      await session.releaseAtEnd()
      await session.releaseAtEnd()
    }
    // The first of the three releases used up the time for all of them.
    #expect(server.requests.count <= 1)
    await server.stop()
  }

  @Test func theProbeForSessionsIsAnInvalidUserAndNoWayThroughThePath() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("{}", status: 400)] }
    try await GatewaySession.with(target(server), timeout: 20_000_000_000, bench: quiet) { session in
      #expect(await RouteFinder.find(session, hasAgents: false) == .session)
    }
    #expect(server.requests.map(\.line) == ["GET /session/.infrabench-probe"])
    #expect(!UserID.isValid(RouteFinder.probeID))
    #expect(!server.requests.contains { $0.head.lowercased().contains("sec-websocket-key") }, "nobody may grant it")
    await server.stop()
  }

  @Test(
    arguments: [
      (.failure(GatewayError(kind: "closed", message: "")), false),
      (.failure(GatewayError(kind: "reset", message: "")), false),
      (.failure(GatewayError(kind: "timeout", message: "")), true),
      (.failure(GatewayError(kind: "connect_refused", message: "")), true),
    ] as [(Result<GatewayClient.ProbeAnswer, GatewayError>, Bool)])
  func aMissingPathAndAClosedConnectionSayThatThereIsNoUsersSide(
    answer: Result<GatewayClient.ProbeAnswer, GatewayError>, has: Bool
  ) {
    #expect(RouteFinder.hasSessionSide(answer) == has)
  }

  /// Anything else is a page of the gateway's, or the way to one.
  @Test func onlyAnswersOfWhoKnowsThePathSayThatThereIsAUsersSide() {
    let known = [101, 400, 401, 403, 426, 429] + (500...599).filter { ![501, 502, 504].contains($0) }
    #expect((100...599).filter { RouteFinder.hasSessionSide(.success(.init(status: $0))) == true } == known)
  }

  @Test func whatAProxyAnswersTellsNothing() {
    for status in [502, 504] { #expect(RouteFinder.hasSessionSide(.success(.init(status: status))) == nil) }
    for status in [400, 401, 403, 500, 502, 503, 504, 520] {
      #expect(RouteFinder.hasSessionSide(.success(.init(status: status, isMarkup: true))) == nil)
    }
    for status in [200, 302, 404] {
      #expect(RouteFinder.hasSessionSide(.success(.init(status: status, isMarkup: true))) == false)
    }
  }

  @Test(arguments: [
    (200, #"{"warmCount": 0, "assignedCount": 0}"#, EndToEndBenchmark.Route.status), (502, "<html>", .session),
  ])
  func whereAProxyAnswersTheProbeTheStatusDecides(
    status: Int, body: String, route: EndToEndBenchmark.Route
  ) async throws {
    let server = try await ScriptedServer { request in
      request.line == "GET /api/status"
        ? [ScriptedServer.answer(body, status: status)] : [ScriptedServer.answer("<html>bad gateway", status: 502)]
    }
    try await GatewaySession.with(target(server), timeout: 20_000_000_000, bench: quiet) { session in
      #expect(await RouteFinder.find(session, hasAgents: false) == route)
    }
    await server.stop()
  }

  @Test func anAgentThatWasReadyForSomebodyElseIsAFailedStep() async throws {
    let server = try await ScriptedServer { request in
      request.line == "GET /api/status"
        ? WarmPoolTests.status(1) : [ScriptedServer.answer(#"{"success": true, "taskId": "t", "source": "warm"}"#)]
    }
    try await GatewaySession.with(target(server), timeout: 20_000_000_000, bench: quiet) { session in
      let agents = AgentTimeline()
      let kinds: [TaskEvent.Kind] = [.connected, .initReceived(userId: "other"), .readySent]
      for (number, kind) in kinds.enumerated() {
        agents.observe(TaskEvent(taskId: "t", kind: kind, at: UInt64(number)))
      }
      let scenario = EndToEndScenario(
        session: session, load: WarmPoolTests.load(), route: .agents, agents: agents, message: "hello",
        expectedAnswer: .echo)
      let user = await scenario.makeUser(1, on: session.loops.executor(forUser: 0))
      var record = IterationRecord()
      let iteration = Iteration(number: 1, isWarmup: false)
      await scenario.prepare(user, iteration, into: &record)
      await scenario.perform(user, iteration, into: &record)
      await scenario.conclude(user, iteration)
      await scenario.retire(user)
      guard case .failure(let kind, _) = record.ending else {
        Issue.record("\(record.ending)")
        return
      }
      #expect(kind == "ready: not_ours")
    }
    await server.stop()
  }
}
