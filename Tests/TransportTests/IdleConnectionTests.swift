import Latency
import NIOCore
import TestSupport
import Testing
import Transport

/// Kept connections that their peers close while nobody uses them, or just when somebody does.
@Suite(.timeLimit(.minutes(2))) struct IdleConnectionTests {
  fileprivate static let millisecond: Nanoseconds = .milliseconds(1)

  @Test func onlyAnEndRightAfterARequestOnAnIdleConnectionIsTheRace() {
    var idle = IdleConnection()
    idle.served(at: 0)
    let (writtenAt, ms) = (Instant.distantPast + 10 * second, Self.millisecond)
    #expect(idle.race(idleFor: 100 * ms, writtenAt: writtenAt, endedAt: writtenAt)?.kind == .closedIdle)
    #expect(idle.race(idleFor: 100 * ms, writtenAt: writtenAt, endedAt: writtenAt + second)?.kind == .closedIdle)
    #expect(idle.race(idleFor: 99 * ms, writtenAt: writtenAt, endedAt: writtenAt) == nil)
    #expect(idle.race(idleFor: second, writtenAt: writtenAt, endedAt: writtenAt + second + 1) == nil)
    var near = idle
    near.connected(in: 2 * ms)
    #expect(near.race(idleFor: 100 * ms, writtenAt: writtenAt, endedAt: writtenAt + 56 * ms)?.kind == .closedIdle)
    #expect(near.race(idleFor: 100 * ms, writtenAt: writtenAt, endedAt: writtenAt + 56 * ms + 1) == nil)
    var far = idle
    far.connected(in: .max)
    #expect(far.crossing == second)
    let words = idle.race(idleFor: 5 * second, writtenAt: writtenAt, endedAt: writtenAt)?.message ?? ""
    #expect(words.contains("idle for 5000 ms") && words.contains("raise the keep-alive time-out"))
  }

  /// A generator that connects many users at once may need longer for a first request than for any later one.
  @Test func aConnectionWithoutAnAnswerYetIsIdleOnlyAfterASecond() {
    let (fresh, writtenAt, ms) = (IdleConnection(), Instant.distantPast + 10 * second, Self.millisecond)
    #expect(fresh.race(idleFor: 999 * ms, writtenAt: writtenAt, endedAt: writtenAt) == nil)
    #expect(fresh.race(idleFor: second, writtenAt: writtenAt, endedAt: writtenAt)?.kind == .closedIdle)
  }

  @Test func aConnectionIsIdleSinceItsLastAnswer() {
    var idle = IdleConnection()
    idle.began(at: 100)
    #expect(idle.length(at: 150) == 50 && !idle.hasServed)
    idle.served(at: 200)
    #expect(idle.length(at: 250) == 50 && idle.hasServed && idle.length(at: 100) == 0)
    #expect(!idle.isToBeLookedAt(at: .distantPast + 199 + IdleConnection.inUse))
    #expect(idle.isToBeLookedAt(at: .distantPast + 200 + IdleConnection.inUse))
  }

  /// Bounds that a machine which stands still for seconds does not cross.
  fileprivate static func bounds(kept: Nanoseconds) -> IdleBounds {
    var bounds = IdleBounds()
    (bounds.kept, bounds.delay) = (kept, 60 * second)
    return bounds
  }

  /// The server answers the first request, and ends the connection when the second has come: in both ways.
  @Test(arguments: LoopKind.allCases, [true, false])
  func aRequestThatMeetsTheEndIsTheRaceOnlyAfterAPause(_ kind: LoopKind, pauses: Bool) async throws {
    for end in [ScriptedServer.Action.close, .reset] { try await meet(end, kind, pauses: pauses) }
  }

  private func meet(_ end: ScriptedServer.Action, _ kind: LoopKind, pauses: Bool) async throws {
    let server = try await ScriptedServer { $0.number == 1 ? [ScriptedServer.answer("one")] : [end] }
    let bounds = Self.bounds(kept: pauses ? 100 * Self.millisecond : 60 * second)
    let connection = try await HTTPConnection.open(server.port, idleBounds: bounds, on: kind.executor())
    #expect(await connection.get().bodyText == "one")
    if pauses { try await Task.sleep(for: .milliseconds(150)) }
    let error = try #require(await connection.get().failure)
    #expect((error.kind == .closedIdle) == pauses, "\(error)")
    #expect(error.firstByteWrittenAt != nil)
    // Never sent twice.
    #expect(server.requests.count == 2 && server.connectionCount == 1)
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func anAnswerThatStopsHalfwayIsNoRace(_ kind: LoopKind) async throws {
    let half = ScriptedServer.Action.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha")
    let server = try await ScriptedServer { $0.number == 1 ? [ScriptedServer.answer("one")] : [half, .close] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    _ = await connection.get()
    try await Task.sleep(for: .milliseconds(150))
    #expect(await connection.get().failure?.kind == .closed)
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func aConnectionThatIsClosedFromHereIsNoRace(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { $0.number == 1 ? [ScriptedServer.answer("one")] : [] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    _ = await connection.get()
    try await Task.sleep(for: .milliseconds(150))
    async let second = connection.get()
    await server.waitForRequests(2)
    connection.close()
    #expect(await second.failure?.kind == .closed)
    await server.stop()
  }

  /// The loop is busy while the peer closes: nobody has read the end when the connection is to be used.
  @Test(arguments: LoopKind.allCases) func anEndThatHasComeButWasNotReadIsSeenBeforeUse(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("one"), .wait(.milliseconds(30)), .close] }
    // On a busy machine the end may come before the task runs again: then another connection is tried.
    var isUsable: Bool?
    for _ in 1...20 where isUsable == nil {
      isUsable = try await onLoop(on: kind) {
        let connection = try await HTTPConnection.open(server.port, on: kind.executor())
        #expect(await connection.get().bodyText == "one")
        guard connection.isUsable else { return nil }
        // The thread of the loop itself.
        let end = MonotonicClock.now() + 200 * Self.millisecond
        while MonotonicClock.now() < end {}
        return connection.isUsable
      }
    }
    #expect(isUsable == false)
    await server.stop()
  }

  /// TLS 1.3 brings tickets behind its handshake, and says farewell before an end: the first are none.
  @Test(.enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"))
  func ticketsOfTLSAreNoEndAndItsFarewellIsOne() async throws {
    let certificate = try TestCertificate(names: "IP:127.0.0.1")
    let server = try await ScriptedServer(tls: certificate.server) { _ in
      [ScriptedServer.answer("one"), .wait(.milliseconds(30)), .close]
    }
    let tls = try TLSClient(caFile: certificate.path)
    let (isFreshUsable, isEndedUsable) = try await onLoop {
      func keepBusy(_ milliseconds: Int) {
        let end = MonotonicClock.now() + milliseconds * Self.millisecond
        while MonotonicClock.now() < end {}
      }
      let connection = try await HTTPConnection.open(server.port, tls: tls)
      keepBusy(20)
      let isFreshUsable = connection.isUsable
      #expect(await connection.get().bodyText == "one")
      keepBusy(200)
      return (isFreshUsable, connection.isUsable)
    }
    #expect(isFreshUsable && !isEndedUsable)
    await server.stop()
  }

  /// Over TLS the end comes with its farewell or without it.
  @Test(
    .enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"),
    arguments: [ScriptedServer.Action.close, .reset])
  func theRaceIsTheSameOverTLS(_ end: ScriptedServer.Action) async throws {
    let certificate = try TestCertificate(names: "IP:127.0.0.1")
    let server = try await ScriptedServer(tls: certificate.server) {
      $0.number == 1 ? [ScriptedServer.answer("one")] : [end]
    }
    let connection = try await HTTPConnection.open(
      server.port, tls: try TLSClient(caFile: certificate.path), idleBounds: Self.bounds(kept: 100 * Self.millisecond))
    #expect(await connection.get().bodyText == "one")
    try await Task.sleep(for: .milliseconds(150))
    #expect(await connection.get().failure?.kind == .closedIdle)
    await server.stop()
  }

  /// nginx closes after a second without a request, and after so many requests.
  @Suite(.timeLimit(.minutes(2)), .enabled(if: ForeignProxy.nginx != nil, "needs nginx: scripts/setup.sh peers"))
  struct WithNginx {
    @Test(arguments: LoopKind.allCases) func anIdleConnectionThatNginxHasClosedIsKnownToBeUnusable(_ kind: LoopKind)
      async throws
    {
      let server = try await ForeignProxy.nginx("keepalive_timeout 1s; location / { return 200 ok; }")
      defer { server.stop() }
      let connection = try await HTTPConnection.open(server.port, on: kind.executor())
      #expect(await connection.get().bodyText == "ok")
      #expect(await connection.becomesUnusable())
      #expect(server.log.count == 1)
    }

    @Test(arguments: LoopKind.allCases) func nginxSaysWithItsLastAnswerThatItCloses(_ kind: LoopKind) async throws {
      let server = try await ForeignProxy.nginx("keepalive_requests 3; location / { return 200 ok; }")
      defer { server.stop() }
      let connection = try await HTTPConnection.open(server.port, on: kind.executor())
      for number in 1...3 {
        #expect(connection.isUsable, "before request \(number)")
        #expect(await connection.get().bodyText == "ok")
      }
      #expect(!connection.isUsable)
    }

    /// Just at the time-out, again and again: every request is answered, or counted as what it met, and none is sent twice.
    @Test(arguments: LoopKind.allCases) func aRequestAtTheTimeOutIsAnsweredOrCountedAsTheRace(_ kind: LoopKind)
      async throws
    {
      let server = try await ForeignProxy.nginx("keepalive_timeout 1s; location / { return 200 ok; }")
      defer { server.stop() }
      let outcomes = await withTaskGroup(of: Result<HTTPExchange, TransportError>?.self) { group in
        for number in 0..<200 {
          group.addTask(executorPreference: kind.executor(number)) {
            guard
              let connection = try? await HTTPConnection.connect(
                to: Endpoint(host: "127.0.0.1", port: server.port), tls: nil, on: kind.executor(number),
                timeout: 20 * second,
                idleBounds: IdleConnectionTests.bounds(kept: 100 * IdleConnectionTests.millisecond)
              ).get(), case .success = await connection.get()
            else { return nil }
            // nginx's timers have a ms; around its second.
            try? await Task.sleep(for: .microseconds(998_000 + 20 * number))
            return connection.isUsable ? await connection.get() : nil
          }
        }
        var outcomes: [Result<HTTPExchange, TransportError>] = []
        for await outcome in group { if let outcome { outcomes.append(outcome) } }
        return outcomes
      }
      let kinds = Set(outcomes.compactMap(\.failure?.kind))
      #expect(kinds.isSubset(of: [.closedIdle]), "\(kinds)")
      let answered = outcomes.count { $0.bodyText == "ok" }
      for _ in 0..<1000 where server.log.count < 200 + answered { try await Task.sleep(for: .milliseconds(2)) }
      #expect(server.log.count == 200 + answered)
    }
  }
}
