import Gateway
import Latency
import LoadEngine
import Synchronization
import TestSupport
import Testing
import Transport

@testable import InfraBench
@testable import Results

@Suite struct RequestsUnderWayTests {
  @Test func everyRequestUnderWayNeedsAWarmTaskOfItsOwn() throws {
    var requests = RequestsInFlight()
    // Looks of two users at one time, each of which showed the same warm task.
    let (first, second) = (requests.mark, requests.mark)
    let covered = requests.begin(warmCount: 1, since: first)
    let doubled = requests.begin(warmCount: 1, since: second)
    let another = requests.begin(warmCount: 2, since: second)
    #expect(doubled == nil && another != nil)
    let isCovered = requests.end(try #require(covered))
    #expect(isCovered)
  }

  @Test func whatWasAnsweredDuringALookMayHaveTakenWhatItShowed() throws {
    var requests = RequestsInFlight()
    let ticket = requests.begin(warmCount: 1, since: requests.mark)
    let stale = requests.mark
    _ = requests.end(try #require(ticket))
    let onStaleLook = requests.begin(warmCount: 1, since: stale)
    let onFreshLook = requests.begin(warmCount: 1, since: requests.mark)
    #expect(onStaleLook == nil && onFreshLook != nil)
  }

  @Test func aRequestBeyondThePoolMakesThoseUnderWayUncertain() throws {
    var requests = RequestsInFlight()
    let before = requests.begin(warmCount: 2, since: requests.mark)
    let beyond = requests.beginUncovered()
    let after = requests.begin(warmCount: 3, since: requests.mark)
    let ends = [requests.end(try #require(before)), requests.end(beyond), requests.end(try #require(after))]
    #expect(ends == [false, false, true])
  }

  @Test func looksAtOneTimeGrantNoTaskTwice() {
    var requests = RequestsInFlight()
    let looks = (0..<5).map { _ in requests.mark }
    var begun = 0
    for look in looks {
      requests.grant(warmCount: 3, since: look)
      if requests.beginOnCredit() != nil { begun += 1 }
    }
    while requests.beginOnCredit() != nil { begun += 1 }
    #expect(begun == 3)
  }
}

@Suite(.timeLimit(.minutes(1))) struct WarmPoolTests {
  static let loops = LoopGroup()

  static func client(_ server: ScriptedServer) -> GatewayClient {
    let endpoint = Endpoint(host: "127.0.0.1", port: server.port)
    return GatewayClient(
      to: endpoint, requests: GatewayRequests(to: endpoint), tls: nil, on: loops.executor(forUser: 0),
      timeout: .seconds(20))
  }

  static func status(_ warm: Int) -> [ScriptedServer.Action] {
    [ScriptedServer.answer(#"{"warmCount": \#(warm), "assignedCount": 0}"#)]
  }

  static func load(
    timeout: Nanoseconds = .seconds(20), duration: Nanoseconds? = nil, warmup: LoadPlan.Warmup = .iterations(0)
  )
    -> LoadSettings
  {
    LoadSettings(
      count: nil, duration: duration, concurrency: 1, warmup: warmup, timeout: timeout, userIDPrefix: "u", seed: 1)
  }

  private let measured = Iteration(number: 1, isWarmup: false)

  @Test func aGatewayThatSaysSourceIsLookedAtOncePerPoolAndAnotherBeforeEveryRequest() async throws {
    let server = try await ScriptedServer { _ in Self.status(3) }
    let client = Self.client(server)
    for (source, looks) in [("warm" as String?, 2), (nil, 3)] {
      let pool = WarmPool(Self.load())
      let before = server.requests.count
      for number in 0..<3 {
        let evidence = pool.finish(await pool.waitUntilWarm(measured, client))
        #expect(await pool.classify("t\(number)", source: source, evidence, client) == .warm)
      }
      #expect(server.requests.count - before == looks, "\(source ?? "none")")
    }
    await server.stop()
  }

  @Test func waitingForAWarmTaskEndsWithThePlan() async throws {
    let server = try await ScriptedServer { _ in Self.status(0) }
    let plans = [
      (Self.load(duration: .milliseconds(100)), measured),
      (Self.load(warmup: .duration(.milliseconds(100))), Iteration(number: 1, isWarmup: true)),
      (Self.load(timeout: .milliseconds(100)), measured),
    ]
    for (load, iteration) in plans {
      let pool = WarmPool(load)
      let begin = MonotonicClock.now()
      _ = await pool.waitUntilWarm(iteration, Self.client(server))
      let waited = MonotonicClock.now() - begin
      // Far below the operation's timeout.
      #expect(waited >= .milliseconds(100) && waited < .seconds(15))
    }
    await server.stop()
  }

  /// How many looks at the pool each of `waits` waits takes.
  private static func looks(_ server: ScriptedServer, _ waits: Int, _ wait: () async -> Void) async -> [Int] {
    var looks: [Int] = []
    for _ in 0..<waits {
      let before = server.requests.count
      await wait()
      looks.append(server.requests.count - before)
    }
    return looks
  }

  @Test func aPoolThatWasNeverWarmIsWaitedForOnceAndALaterOneEachTime() async throws {
    let warm = Atomic<Int>(0)
    let server = try await ScriptedServer { _ in Self.status(warm.load(ordering: .relaxed)) }
    let client = Self.client(server)
    let pool = WarmPool(Self.load(timeout: .seconds(1)))
    let wait = { _ = pool.finish(await pool.waitUntilWarm(self.measured, client)) }
    let before = await Self.looks(server, 4, wait)
    #expect(before[0] > 1 && before[1...] == [1, 1, 1], "\(before)")
    warm.store(1, ordering: .relaxed)
    await wait()
    // It is refilled more slowly than the time-out: the next one may come within the next wait.
    warm.store(0, ordering: .relaxed)
    let after = await Self.looks(server, 3, wait)
    #expect(after.allSatisfy { $0 > 1 }, "\(after)")
    await server.stop()
  }

  @Test func aPoolIsAskedNoMoreOnlyWhereNoRequestWasEverServed() async throws {
    let server = try await ScriptedServer { _ in Self.status(0) }
    let client = Self.client(server)
    let pool = WarmPool(Self.load(timeout: .milliseconds(100)))
    _ = pool.finish(await pool.waitUntilWarm(measured, client))
    #expect(pool.reasonNotToAsk == nil)
    pool.timedOut()
    #expect(pool.reasonNotToAsk != nil)
    _ = await pool.classify("t", source: "cold", nil, client)
    #expect(pool.reasonNotToAsk == nil)
    await server.stop()
  }

  @Test(arguments: [0, 3]) func betweenBurstsOnlyAPoolThatWasNeverWarmIsGivenUp(_ warmAtFirst: Int) async throws {
    let warm = Atomic<Int>(warmAtFirst)
    let server = try await ScriptedServer { _ in Self.status(warm.load(ordering: .relaxed)) }
    var pool = RefillWait(Self.client(server), timeout: .milliseconds(300))
    await pool.wait(for: 3)
    warm.store(0, ordering: .relaxed)
    for _ in 0..<3 {
      let before = server.requests.count
      await pool.wait(for: 3)
      let looks = server.requests.count - before
      #expect(warmAtFirst == 0 ? looks == 1 : looks > 1, "\(looks)")
    }
    await server.stop()
  }

  @Test func beforeTheFirstBurstAPoolAtRestIsFullAndLaterOnesWaitForAsMany() async throws {
    let refilledAt = Mutex<Instant>(.distantPast)
    let server = try await ScriptedServer { _ in
      Self.status(MonotonicClock.now() < refilledAt.withLock(\.self) ? 1 : 3)
    }
    var pool = RefillWait(Self.client(server), timeout: .seconds(20))
    await pool.wait(for: 5)
    // One is back at once, the others only after a while in which the pool would be taken to be at rest.
    let instant = MonotonicClock.now() + .milliseconds(2500)
    refilledAt.withLock { $0 = instant }
    await pool.wait(for: 5)
    #expect(MonotonicClock.now() >= instant)
    await server.stop()
  }
}
