package import Gateway
import Latency
package import LoadEngine
import Synchronization
import Transport

/// What the users of a run know of the pool: waits for a warm task, and tells afterwards whether it was one.
package final class WarmPool: Sendable {
  /// What was known when a request was let go.
  package struct Evidence: Sendable {
    fileprivate var ticket: RequestsInFlight.Ticket
    fileprivate var look: PoolStatus?
  }

  private struct State {
    var requests = RequestsInFlight()
    /// Whether the gateway says `source`, so that looks need not; unknown before its first answer.
    var saysSource = false
    /// The last look of an open loop's observer, and what was under way when it was begun.
    var observed: (look: PoolStatus, mark: RequestsInFlight.Mark)?
    var wait = WarmWaitPolicy()
    /// Whether a request for a task has got no answer within its time-out.
    var hasTimedOut = false
    /// Whether a request has got a task, a cold one too.
    var hasServed = false
  }

  private let state = Mutex(State())
  private let shared = SharedPoolStatus()
  private let timeout: Nanoseconds
  private let end: PlanDeadline
  private let givesSessions: Bool
  private let note: @Sendable (String) -> Void

  /// Between two looks at an empty pool: first, and at most.
  private static let firstPause: Nanoseconds = .milliseconds(2)
  private static let longestPause: Nanoseconds = .milliseconds(50)

  /// - Parameters:
  ///   - givesSessions: What the gateway gives are sessions, whose tasks come later: there is no pool to wait for, and
  ///     nothing to be told warm from cold.
  ///   - note: Takes what a reader of the result must know of the pool, the same again and again.
  package init(
    _ load: LoadSettings, givesSessions: Bool = false, note: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.givesSessions = givesSessions
    timeout = load.timeout
    end = PlanDeadline(load)
    self.note = note
  }

  /// Why a run of this pool may have no warm start; nil where every wait found a warm task.
  package var reasonWithoutWarmTask: String? {
    state.withLock { $0.wait.wasGivenUp } ? WarmWaitPolicy.reason(timeout: timeout) : nil
  }

  /// Why the next iteration is not to ask for a task: no warm one was ever seen, no request has got any, and one has waited
  /// the whole time-out for it, as each further one would. nil where it is to ask.
  package var reasonNotToAsk: String? {
    let isHopeless = state.withLock { $0.wait.isGivenUp && $0.hasTimedOut && !$0.hasServed }
    return isHopeless
      ? WarmWaitPolicy.reason(timeout: timeout) + ", and a request for one got no answer in that time" : nil
  }

  /// The kind of the error of an iteration that does not ask.
  package static let notAsked = "no_warm_task"

  /// Notes that a request for a task got no answer within its time-out.
  package func timedOut() { state.withLock { $0.hasTimedOut = true } }

  /// Between two iterations that don't ask: they would be over at once, and thousands a second.
  package func rest() async { try? await Task.sleep(for: Self.longestPause) }

  /// Waits until there is a warm task for the caller's request; at most for the operation's timeout, and until the
  /// plan is over or the task is cancelled. After one whole timeout in which no warm task has ever been seen it looks and does
  /// not wait, until one is seen. The caller then asks for a task in any case, and passes the evidence to `finish(_:)`.
  package func waitUntilWarm(_ iteration: Iteration, _ client: GatewayClient) async -> Evidence {
    guard !givesSessions else { return beginAtOnce() }
    let waitsSince = MonotonicClock.now()
    let wholeWait = waitsSince + timeout
    let deadline = min(wholeWait, end.of(iteration, at: waitsSince))
    var pause = Self.firstPause
    var look: PoolStatus?
    repeat {
      if let ticket = state.withLock({ $0.saysSource ? $0.requests.beginOnCredit() : nil }) {
        return Evidence(ticket: ticket, look: nil)
      }
      let seen = await shared.take(marking: { state.withLock { $0.requests.mark } }, through: client)
      look = seen.look
      if let look {
        if let ticket = begin(look, since: seen.mark) { return Evidence(ticket: ticket, look: look) }
      } else if seen.isOwn {
        // The request that follows will show what is wrong.
        break
      }
      if state.withLock({ $0.wait.isGivenUp }) { break }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, Self.longestPause)
    } while !Task.isCancelled && MonotonicClock.now() < deadline
    // A gateway that tells nothing of its pool may have warm tasks.
    if look != nil, !Task.isCancelled, MonotonicClock.now() >= wholeWait { endWait() }
    return Evidence(ticket: state.withLock { $0.requests.beginUncovered() }, look: look)
  }

  private func endWait() {
    let isGivenUp = state.withLock { state in
      state.wait.ended()
      return state.wait.isGivenUp
    }
    if isGivenUp { note(WarmWaitPolicy.note(timeout: timeout)) }
  }

  /// Begins a request without waiting, as an open loop must; what the observer saw last may cover it.
  package func beginAtOnce() -> Evidence {
    state.withLock { state in
      guard !state.saysSource, let (look, mark) = state.observed else {
        return Evidence(ticket: state.requests.beginUncovered(), look: nil)
      }
      let ticket = state.requests.begin(warmCount: look.status.warmCount, since: mark)
      return Evidence(ticket: ticket ?? state.requests.beginUncovered(), look: look)
    }
  }

  /// Runs `work` with somebody looking at the pool meanwhile, for as long as the gateway doesn't say `source`.
  package func watching<T: Sendable>(
    ifNeeded isNeeded: Bool, through session: GatewaySession, _ work: () async -> T
  ) async -> T {
    guard isNeeded else { return await work() }
    async let _ = observe(session)
    return await work()
  }

  private func observe(_ session: GatewaySession) async {
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    while !Task.isCancelled, !state.withLock({ $0.saysSource }) {
      let mark = state.withLock { $0.requests.mark }
      if let look = await PoolStatus.take(through: client) { state.withLock { $0.observed = (look, mark) } }
      try? await Task.sleep(for: Self.longestPause)
    }
  }

  private func begin(_ look: PoolStatus, since mark: RequestsInFlight.Mark) -> RequestsInFlight.Ticket? {
    state.withLock { state in
      state.wait.saw(warmCount: look.status.warmCount)
      guard state.saysSource else { return state.requests.begin(warmCount: look.status.warmCount, since: mark) }
      state.requests.grant(warmCount: look.status.warmCount, since: mark)
      return state.requests.beginOnCredit()
    }
  }

  /// Ends a request, whatever came of it.
  @discardableResult
  package func finish(_ evidence: Evidence) -> FinalEvidence {
    let isCovered = state.withLock { $0.requests.end(evidence.ticket) }
    return FinalEvidence(isCovered: isCovered, look: evidence.look)
  }

  /// What was known when a request was let go, and whether it held until its answer.
  package struct FinalEvidence: Sendable {
    fileprivate var isCovered: Bool
    fileprivate var look: PoolStatus?
  }

  /// Tells warm from cold; looks at the pool once more, through `client`, where nothing else tells.
  package func classify(
    _ task: String, source: String?, _ evidence: FinalEvidence?, _ client: GatewayClient
  ) async -> TaskOrigin {
    guard !givesSessions else { return .warm }
    state.withLock { state in
      state.hasServed = true
      state.saysSource = source == "warm" || source == "cold"
      if source == "warm" { state.wait.saw(warmCount: 1) }
    }
    if let origin = WarmClassifier.classify(source: source, isCovered: evidence?.isCovered ?? false) { return origin }
    guard let before = evidence?.look else { return .unclassified }
    let after = before.status.tasks == nil ? nil : await PoolStatus.take(through: client)
    return WarmClassifier.classify(task, before: before, after: after)
  }
}

/// How many requests for tasks are under way, against what looks at the pool showed. Pure.
///
/// A look is marked when it is begun: what was asked for meanwhile may or may not have been in it.
struct RequestsInFlight {
  /// The state at a look's beginning.
  struct Mark {
    fileprivate var begun: Int
    fileprivate var answered: Int
  }

  private var begun = 0
  private var answered = 0
  private var uncovered = 0
  private var credits = 0

  var mark: Mark { Mark(begun: begun, answered: answered) }

  /// Begins a request after a look that showed `warmCount`; nil, and nothing is begun, unless there was a warm task
  /// for every request under way and for this one.
  mutating func begin(warmCount: Int, since mark: Mark) -> Ticket? {
    guard warmCount > begun - mark.answered else { return nil }
    begun += 1
    return Ticket(isCovered: true, uncoveredBefore: uncovered)
  }

  /// Begins a request all the same; it may take the warm task that another one counts on.
  mutating func beginUncovered() -> Ticket {
    begun += 1
    uncovered += 1
    return Ticket(isCovered: false, uncoveredBefore: uncovered)
  }

  /// Ends a request; true if there was a warm task for it all the time.
  mutating func end(_ ticket: Ticket) -> Bool {
    answered += 1
    return ticket.isCovered && ticket.uncoveredBefore == uncovered
  }

  /// A request under way.
  struct Ticket: Equatable {
    fileprivate var isCovered: Bool
    fileprivate var uncoveredBefore: Int
  }

  // MARK: Credits, where the gateway tells warm from cold itself

  /// Notes a look that grants as many requests as it showed warm tasks, without those begun meanwhile.
  mutating func grant(warmCount: Int, since mark: Mark) {
    credits = max(0, warmCount - (begun - mark.begun))
  }

  /// Begins a request that an earlier look has granted; nil if there is none left.
  mutating func beginOnCredit() -> Ticket? {
    guard credits > 0 else { return nil }
    credits -= 1
    begun += 1
    return Ticket(isCovered: false, uncoveredBefore: uncovered)
  }

  /// Forgets what was granted.
  mutating func revoke() { credits = 0 }
}

/// How long a run waits for a warm task. A pool that never becomes warm would cost every iteration a whole time-out, so that it is
/// waited for once. A pool that was warm before is refilled, however slowly, and is waited for each time.
struct WarmWaitPolicy {
  /// Whether a whole wait was in vain, and no warm task has ever been seen.
  private(set) var isGivenUp = false
  /// Whether that has ever been so.
  private(set) var wasGivenUp = false
  private var wasWarm = false

  /// The pool was seen with `warmCount` warm tasks.
  mutating func saw(warmCount: Int) {
    guard warmCount > 0 else { return }
    wasWarm = true
    isGivenUp = false
  }

  /// A wait for the whole time-out is over, and its caller has no warm task.
  mutating func ended() {
    guard !wasWarm else { return }
    isGivenUp = true
    wasGivenUp = true
  }

  /// What is said of a pool that was given up, of waits that ended after `timeout`.
  static func reason(timeout: Nanoseconds) -> String {
    "the pool had no warm task for the whole of --timeout (\(DurationText.write(timeout)))"
  }

  /// The same as a note.
  static func note(timeout: Nanoseconds) -> String {
    reason(timeout: timeout) + ": from then on nothing waited for one, and what was given counts as what it was"
  }
}

/// When a plan with a duration is over, as far as waiting for it is concerned.
final class PlanDeadline: Sendable {
  private let load: LoadSettings
  /// When the first iteration of warm-up, and of the measurement, was begun.
  private let begun = Mutex<(warmup: Instant?, measured: Instant?)>((nil, nil))

  init(_ load: LoadSettings) {
    self.load = load
  }

  /// The end, of the part that an iteration begun at `now` belongs to.
  func of(_ iteration: Iteration, at now: Instant) -> Instant {
    let since = begun.withLock { begun in
      if iteration.isWarmup {
        begun.warmup = begun.warmup ?? now
        return begun.warmup ?? now
      }
      begun.measured = begun.measured ?? now
      return begun.measured ?? now
    }
    if iteration.isWarmup {
      guard case .duration(let length) = load.warmup else { return .distantFuture }
      return since + length
    }
    return load.length.map { since + $0 } ?? .distantFuture
  }
}
