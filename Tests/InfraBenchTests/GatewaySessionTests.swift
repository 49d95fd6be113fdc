import Gateway
import Latency
import LoadEngine
import TestSupport
import Testing
import Transport

@testable import InfraBench
@testable import WarmTask
@testable import Results

@Suite struct ReleaseBudgetTests {
  @Test func theTimeBeginsWithTheFirstReleaseAndIsSharedByAll() {
    let budget = ReleaseBudget(100)
    #expect([1000, 1030, 1100, 5000].map { budget.remaining(at: $0) } == [100, 70, 0, 0])
  }
}

@Suite(.timeLimit(.minutes(1))) struct GatewaySessionTests {
  private var quiet: RunContext { RunContext(console: Console(print: .json, isQuiet: true)) }

  private func target(_ server: ScriptedServer) -> TargetSettings {
    TargetSettings(
      gateway: .remote(Endpoint(host: "127.0.0.1", port: server.port)), headers: [], tls: nil, isInsecure: false,
      agents: 0, allowsAgentsBesideReal: false)
  }

  @Test func aMuteGatewayIsWaitedForOnceAtTheEndHoweverOftenItIsAsked() async throws {
    let server = try await ScriptedServer { _ in [] }
    try await GatewaySession.with(target(server), timeout: .seconds(20), bench: quiet) { session in
      _ = session.held.assign("t")
      await session.releaseAtEnd()
      await session.releaseAtEnd()
    }
    // The first of the three releases used up the time for all of them.
    #expect(server.requests.count <= 1)
    await server.stop()
  }

  @Test(arguments: [
    (
      503, "Server: nginx/1\r\nContent-Type: text/html", "<title>503 Busy</title>",
      "from a proxy (nginx/1), which has nothing"
    ),
    (302, "Location: https://login.example/?t=secret", "", "'https://login.example/', and no redirect is followed"),
    (401, "X: y", "no: Bearer secret", "sent with the header 'Authorization'"),
    (409, "X: y", #"{"error": "in use"}"#, #"refused with status 409: {"error": "in use"}"#),
  ])
  func aRefusedUpgradeIsSaidAsAnyOtherAnswer(_ status: Int, _ fields: String, _ body: String, _ words: String)
    async throws
  {
    let server = try await ScriptedServer { _ in
      [.send("HTTP/1.1 \(status) X\r\n\(fields)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")]
    }
    var target = target(server)
    target.headers = [SecretHeader(name: "Authorization", value: "Bearer secret")]
    let role = try #require(BuiltInProfiles.embedded.session)
    try await GatewaySession.with(target, timeout: .seconds(20), bench: quiet) { session in
      do throws(WebSocketError) {
        _ = try await session.openSession(
          role, path: role.path, ProfileValues([.userId: "u"]), on: session.loops.executor(forUser: 0))
        Issue.record("upgraded")
      } catch {
        #expect(error.kind == "http_\(status)" && error.description.contains(words), "\(error)")
        #expect(!error.description.contains("secret"))
      }
    }
    await server.stop()
  }

  @Test func theProbeForSessionsIsAnInvalidUserAndNoWayThroughThePath() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("{}", status: 400)] }
    try await GatewaySession.with(target(server), timeout: .seconds(20), bench: quiet) { session in
      #expect(await ProfileFinder.find(session).name == "embedded")
    }
    #expect(server.requests.map(\.line) == ["GET /session/.infrabench-probe"])
    #expect(!UserID.isValid(ProfileFinder.probeID))
    #expect(!server.requests.contains { $0.head.lowercased().contains("sec-websocket-key") }, "nobody may grant it")
    await server.stop()
  }

  @Test(
    arguments: [
      (.failure(GatewayError(.transport(.closed), "")), false),
      (.failure(GatewayError(.transport(.reset), "")), false),
      (.failure(GatewayError(.transport(.timeout), "")), true),
      (.failure(GatewayError(.transport(.connectRefused), "")), true),
    ] as [(Result<Int, GatewayError>, Bool)])
  func aMissingPathAndAClosedConnectionSayThatThereIsNoUsersSide(answer: Result<Int, GatewayError>, has: Bool) {
    #expect(ProfileFinder.hasSessionSide(answer) == has)
  }

  /// Anything else is a page of the gateway's, or the way to one.
  @Test func onlyAnswersOfWhoKnowsThePathSayThatThereIsAUsersSide() {
    let known = [101, 400, 401, 403, 426, 429] + (500...599).filter { $0 != 501 }
    #expect((100...599).filter { ProfileFinder.hasSessionSide(.success($0)) } == known)
  }

  /// A gateway that answers the status closed the probe without a byte. Where that isn't answered either, nothing is known.
  /// Node's ws refuses an upgrade without a key by a word that it calls a page.
  @Test(arguments: [
    (502, "<html>bad gateway", 200, false), (502, "", 200, false), (503, "<html>", 200, false),
    (502, "<html>bad gateway", 502, true), (503, #"{"error": "busy"}"#, 200, true), (400, "Bad Request", 200, true),
    (400, "<html>bad request", 200, false),
  ])
  func whereAProxyAnswersTheProbeTheStatusDecides(
    status: Int, body: String, ofStatusCall: Int, hasSide: Bool
  ) async throws {
    let server = try await ScriptedServer { request in
      request.line == "GET /api/status"
        ? [ScriptedServer.answer(#"{"warmCount": 0, "assignedCount": 0}"#, status: ofStatusCall)]
        : [ScriptedServer.answer(body, status: status)]
    }
    try await GatewaySession.with(target(server), timeout: .seconds(20), bench: quiet) { session in
      #expect(await (ProfileFinder.find(session).session != nil) == hasSide)
    }
    await server.stop()
  }

  /// As haproxy does, which passes on an upgrade that has a key.
  @Test func aProxyThatAnswersAnUpgradeWithoutAKeyIsAskedWithOneThatNobodyMayGrant() async throws {
    let server = try await ScriptedServer { request in
      request.head.contains("Sec-WebSocket-Key: ")
        ? [ScriptedServer.answer("{}", status: 426)] : [ScriptedServer.answer("<html>bad request", status: 400)]
    }
    try await GatewaySession.with(target(server), timeout: .seconds(20), bench: quiet) { session in
      #expect(await ProfileFinder.find(session).session != nil)
    }
    #expect(server.requests.count == 2 && server.requests.last?.head.contains("Version: 12") == true)
    await server.stop()
  }

  @Test func anAgentThatWasReadyForSomebodyElseIsAFailedStep() async throws {
    let server = try await ScriptedServer { request in
      request.line == "GET /api/status"
        ? WarmPoolTests.status(1) : [ScriptedServer.answer(#"{"success": true, "taskId": "t", "source": "warm"}"#)]
    }
    try await GatewaySession.with(target(server), timeout: .seconds(20), bench: quiet) { session in
      let agents = AgentTimeline()
      let kinds: [TaskEvent.Kind] = [.connected, .initReceived(userId: "other"), .readySent]
      for (number, kind) in kinds.enumerated() {
        agents.observe(TaskEvent(taskId: "t", kind: kind, at: Instant(nanoseconds: UInt64(number))))
      }
      let benchmark = EndToEndBenchmark(target: target(server), load: WarmPoolTests.load(), message: "hello")
      let scenario = EndToEndScenario(
        session: session, profile: BuiltInProfiles.withoutUsersSide, route: .agents, agents: agents, benchmark)
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
