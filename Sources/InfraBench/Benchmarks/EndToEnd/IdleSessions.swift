import Gateway
import Latency
import LoadEngine
import Results
import Synchronization
import TextFormatting
import Transport

/// Sessions that stay silent beside the load, each for longer than a balancer keeps an idle connection (`--idle-sessions`).
///
/// After each silence a session sends one message and waits for its answer. One that has died is counted, with when and
/// how, and is opened again.
final class IdleSessions: Sendable {
  /// How many there are, and how long each is silent.
  struct Plan: Sendable, Equatable {
    var sessions: Int
    var gap: Nanoseconds
  }

  /// The death of a session.
  struct Loss: Sendable, Equatable {
    var session: Int
    /// From the begin of the watch to when it was seen.
    var after: Nanoseconds
    /// How long it had been silent when the death was seen.
    var silentFor: Nanoseconds
    var kind: String
  }

  private struct Tally {
    var opened: UInt64 = 0
    var messages: UInt64 = 0
    var lost: UInt64 = 0
    /// The first ones: a gateway that loses each session must not make the result grow.
    var losses: [Loss] = []
  }

  static let lostCounter = "idle_sessions_lost"
  static let counters = ["idle_sessions_opened", "idle_messages", lostCounter]
  private static let mostLosses = 20
  /// How long a session that could not be opened waits before it is tried again.
  private static let pauseAfterFailure: Nanoseconds = .seconds(1)

  private let plan: Plan
  private let scenario: EndToEndScenario
  private let session: SharedRole<GatewayProfile.Session>
  private let tally = Mutex(Tally())

  /// - Parameter role: How the gateway's sessions are spoken to; its pings are left out, because they would end the
  ///   silence.
  init(_ plan: Plan, scenario: EndToEndScenario, role: GatewayProfile.Session) {
    self.plan = plan
    self.scenario = scenario
    var silent = role
    silent.ping = nil
    session = SharedRole(silent)
  }

  /// The counters so far.
  var counts: [String: UInt64] {
    tally.withLock { zip(Self.counters, [$0.opened, $0.messages, $0.lost]).reduce(into: [:]) { $0[$1.0] = $1.1 } }
  }

  /// The losses for the result's findings.
  var finding: JSONValue? {
    let losses = tally.withLock { $0.losses }
    guard !losses.isEmpty else { return nil }
    return .array(
      losses.map { loss in
        .object([
          "session": .int(Int64(loss.session)), "t": .double(loss.after.seconds),
          "silentSeconds": .double(loss.silentFor.seconds), "kind": .string(loss.kind),
        ])
      })
  }

  /// Opens the sessions, then runs `work` while they are silent, and ends them.
  func besides<T: Sendable>(_ work: () async -> T) async -> T {
    let begin = MonotonicClock.now()
    let (tries, tried) = AsyncStream<Void>.makeStream()
    // The sessions end with this scope, which cancels them and waits.
    async let _ = withTaskGroup(of: Void.self) { group in
      for number in 1...plan.sessions {
        let executor = scenario.session.loops.executor(forUser: number)
        group.addTask(executorPreference: executor) {
          await self.keep(number, on: executor, since: begin) { tried.yield() }
        }
      }
    }
    // The load begins when each session has been opened, or has failed once.
    var missing = plan.sessions
    for await _ in tries {
      missing -= 1
      if missing == 0 { break }
    }
    return await work()
  }

  /// Keeps one session alive, and opens it again when it has died, until the task is cancelled.
  private func keep(
    _ number: Int, on executor: LoopExecutor, since begin: Instant, _ firstTried: @Sendable () -> Void
  ) async {
    let id = "\(scenario.load.userIDPrefix)-i\(number)"
    scenario.session.userIDs.insert(id)
    var isFirst = true
    while !Task.isCancelled {
      // A visit of its own each time: its client, its cookies.
      let user = EndToEndUser(
        number: scenario.load.users + number, id: id,
        client: scenario.session.client(on: executor, user: scenario.load.users + number, isVisitor: true),
        executor: executor)
      let journey = SessionJourney(
        scenario: scenario, user: user, session: session, started: nil,
        deadline: MonotonicClock.now() + scenario.load.timeout)
      var lastSpoken = MonotonicClock.now()
      var record = IterationRecord()
      var course = await journey.begin(into: &record)
      if course != nil, await !journey.ask(1, &course, into: &record) { course = nil }
      if isFirst { firstTried() }
      isFirst = false
      if course != nil { tally.withLock { $0.opened += 1 } }
      var message = 1
      while course != nil, !Task.isCancelled {
        lastSpoken = MonotonicClock.now()
        guard await journey.pause(for: plan.gap, .hold, into: &record) else { break }
        message += 1
        guard await journey.ask(message, &course, into: &record) else { break }
        tally.withLock { $0.messages += 1 }
      }
      let isCancelled = Task.isCancelled
      if case .failure(let kind, let example) = record.ending, !isCancelled {
        lost(
          Loss(
            session: number, after: MonotonicClock.now() - begin, silentFor: MonotonicClock.now() - lastSpoken,
            kind: kind),
          example)
      }
      await scenario.conclude(user, Iteration(number: number, isWarmup: false))
      await scenario.retire(user)
      if course == nil, !isCancelled { await executor.sleep(for: Self.pauseAfterFailure) }
    }
    if isFirst { firstTried() }
  }

  private func lost(_ loss: Loss, _ example: String) {
    let isShown = tally.withLock { tally in
      tally.lost += 1
      guard tally.losses.count < Self.mostLosses else { return false }
      tally.losses.append(loss)
      return true
    }
    guard isShown else { return }
    scenario.session.bench.console.note(
      "note: idle session \(loss.session) was lost after \(NumberText.decimals(loss.silentFor.seconds, 1)) s of silence: "
        + PlainText.line("\(loss.kind): \(example)"))
  }
}
