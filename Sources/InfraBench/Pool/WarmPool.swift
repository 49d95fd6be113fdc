package import Gateway
import Latency
package import LoadEngine
import Synchronization
import Transport

/// Waits until the pool has a warm task for a request, and tells afterwards whether the request got a warm one. Shared
/// by all users of a run.
package final class WarmPool: Sendable {
  /// The state of the pool when a request was sent.
  package struct Evidence: Sendable {
    fileprivate var ticket: RequestsInFlight.Ticket
    fileprivate var look: PoolStatus?
  }

  private struct State {
    var requests = RequestsInFlight()
    /// Whether the gateway's answers name `source`, so that no status is needed; false before its first answer.
    var saysSource = false
    /// The last status that an open loop's observer read, and the requests under way when it was requested.
    var observed: (look: PoolStatus, mark: RequestsInFlight.Mark)?
    var wait = WarmWaitPolicy()
    /// Whether a request for a task has got no answer within its time-out.
    var hasTimedOut = false
    /// Whether a request has got a task, warm or cold.
    var hasServed = false
  }

  private let state = Mutex(State())
  private let shared = SharedPoolStatus()
  private let timeout: Nanoseconds
  private let end: PlanDeadline
  private let givesSessions: Bool
  private let note: @Sendable (String) -> Void

  /// The pause between two status requests to an empty pool: the first one, and the longest one.
  private static let firstPause: Nanoseconds = .milliseconds(2)
  private static let longestPause: Nanoseconds = .milliseconds(50)

  /// - Parameters:
  ///   - givesSessions: The gateway gives sessions, whose tasks are started later: there is no pool to wait for, and no
  ///     task to tell warm from cold.
  ///   - note: Takes notes for the reader of the result; one note may come several times.
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

  /// Why the next iteration must not ask for a task; nil where it may. Problem: where no warm task was ever seen, no
  /// request has got a task, and one request has timed out, each further request would wait the whole time-out too.
  package var reasonNotToAsk: String? {
    let isHopeless = state.withLock { $0.wait.isGivenUp && $0.hasTimedOut && !$0.hasServed }
    return isHopeless
      ? WarmWaitPolicy.reason(timeout: timeout) + ", and a request for one got no answer in that time" : nil
  }

  /// The error kind of an iteration that does not ask for a task.
  package static let notAsked = "no_warm_task"

  /// Notes that a request for a task got no answer within its time-out.
  package func timedOut() { state.withLock { $0.hasTimedOut = true } }

  /// Pauses between two iterations that do not ask for a task: without a pause thousands would fail each second.
  package func rest() async { try? await Task.sleep(for: Self.longestPause) }

  /// Waits until there is a warm task for the caller's request; at most for the operation's time-out, until the plan is
  /// over, or until the task is cancelled. After one whole time-out without any warm task it reads the status once and
  /// does not wait, until a warm task is seen. The caller then asks for a task in any case, and passes the evidence to
  /// ``finish(_:)``.
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
        // The request for a task will fail for the same reason and report it.
        break
      }
      if state.withLock({ $0.wait.isGivenUp }) { break }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, Self.longestPause)
    } while !Task.isCancelled && MonotonicClock.now() < deadline
    // Only a gateway that gives its status can be known to have no warm task.
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

  /// Begins a request without waiting, as an open loop must; the observer's last status may cover it.
  package func beginAtOnce() -> Evidence {
    state.withLock { state in
      guard !state.saysSource, let (look, mark) = state.observed else {
        return Evidence(ticket: state.requests.beginUncovered(), look: nil)
      }
      let ticket = state.requests.begin(warmCount: look.status.warmCount, since: mark)
      return Evidence(ticket: ticket ?? state.requests.beginUncovered(), look: look)
    }
  }

  /// Runs `work` while an observer polls the pool's status, as long as the gateway's answers do not name `source`.
  package func watching<T: Sendable>(
    ifNeeded isNeeded: Bool, through session: GatewaySession, _ work: () async -> T
  ) async -> T {
    guard isNeeded else { return await work() }
    async let _ = observe(session)
    return await work()
  }

  /// Problem: the status of a large pool takes milliseconds to decode, and the load must not wait for that. So the
  /// observer has a loop of its own, decodes on none, and pauses for much longer than it decodes.
  private func observe(_ session: GatewaySession) async {
    await LoopGroup.lend { loops in
      let client = session.client(on: loops.executor(forUser: 0))
      defer { client.close() }
      while !Task.isCancelled, !state.withLock({ $0.saysSource }) {
        let mark = state.withLock { $0.requests.mark }
        var pause = Self.longestPause
        if let look = await PoolStatus.take(through: client) {
          state.withLock { $0.observed = (look, mark) }
          pause = Self.observerPause(afterDecodingFor: MonotonicClock.now() - look.readAt)
        }
        try? await Task.sleep(for: pause)
      }
    }
  }

  /// The observer's pause, which keeps its decoding below 5 % of one processor.
  static func observerPause(afterDecodingFor length: Nanoseconds) -> Nanoseconds {
    max(longestPause, length * 20)
  }

  private func begin(_ look: PoolStatus, since mark: RequestsInFlight.Mark) -> RequestsInFlight.Ticket? {
    state.withLock { state in
      state.wait.saw(warmCount: look.status.warmCount)
      guard state.saysSource else { return state.requests.begin(warmCount: look.status.warmCount, since: mark) }
      state.requests.grant(warmCount: look.status.warmCount, since: mark)
      return state.requests.beginOnCredit()
    }
  }

  /// Ends a request, successful or not.
  @discardableResult
  package func finish(_ evidence: Evidence) -> FinalEvidence {
    let isCovered = state.withLock { $0.requests.end(evidence.ticket) }
    return FinalEvidence(isCovered: isCovered, look: evidence.look)
  }

  /// The state of the pool when a request was sent, and whether it still held when the answer came.
  package struct FinalEvidence: Sendable {
    fileprivate var isCovered: Bool
    fileprivate var look: PoolStatus?
  }

  /// Tells a warm start from a cold one; reads the pool's status once more, through `client`, where no other evidence
  /// decides.
  package func classify(
    _ task: TaskID, source: String?, _ evidence: FinalEvidence?, _ client: GatewayClient
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
    return WarmClassifier.classify(task.name, before: before, after: after)
  }
}

/// Compares the number of requests for tasks under way with the warm tasks that the pool's status showed. Pure.
///
/// A status is marked when it is requested: it may or may not include the tasks asked for between its request and its
/// answer.
struct RequestsInFlight {
  /// The counts when a status was requested.
  struct Mark {
    fileprivate var begun: Int
    fileprivate var answered: Int
  }

  private var begun = 0
  private var answered = 0
  private var uncovered = 0
  private var credits = 0

  var mark: Mark { Mark(begun: begun, answered: answered) }

  /// Begins a request after a status that showed `warmCount`. Returns nil and begins nothing, unless there was a warm
  /// task for every request under way and for this one.
  mutating func begin(warmCount: Int, since mark: Mark) -> Ticket? {
    guard warmCount > begun - mark.answered else { return nil }
    begun += 1
    return Ticket(isCovered: true, uncoveredBefore: uncovered)
  }

  /// Begins a request without a warm task for it; it may take the warm task that another request counts on.
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

  // MARK: Credits, where the gateway's answers name `source`

  /// Grants as many requests as the status showed warm tasks, less those begun since the status was requested.
  mutating func grant(warmCount: Int, since mark: Mark) {
    credits = max(0, warmCount - (begun - mark.begun))
  }

  /// Begins a request that an earlier status has granted; nil if no grant is left.
  mutating func beginOnCredit() -> Ticket? {
    guard credits > 0 else { return nil }
    credits -= 1
    begun += 1
    return Ticket(isCovered: false, uncoveredBefore: uncovered)
  }

  /// Forgets what was granted.
  mutating func revoke() { credits = 0 }
}

/// How long a run waits for a warm task. Problem: in a pool that never becomes warm each iteration would wait a whole
/// time-out. So after one whole time-out without any warm task nothing waits any more, until a warm task is seen. A
/// pool that was warm before is being refilled, however slowly, so that every iteration waits for it.
struct WarmWaitPolicy {
  /// Whether a wait has lasted the whole time-out, and no warm task has ever been seen.
  private(set) var isGivenUp = false
  /// Whether ``isGivenUp`` has ever been true.
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

  /// Says that waits ended after `timeout` without a warm task.
  static func reason(timeout: Nanoseconds) -> String {
    "the pool had no warm task for the whole of --timeout (\(DurationText.write(timeout)))"
  }

  /// ``reason(timeout:)`` as a note, with the consequence for the result.
  static func note(timeout: Nanoseconds) -> String {
    reason(timeout: timeout) + ": from then on nothing waited for one, and what was given counts as what it was"
  }
}

/// When a plan with a duration is over: iterations wait for a warm task until then at most.
final class PlanDeadline: Sendable {
  private let load: LoadSettings
  /// When the first iteration of the warm-up, and of the measurement, began.
  private let begun = Mutex<(warmup: Instant?, measured: Instant?)>((nil, nil))

  init(_ load: LoadSettings) {
    self.load = load
  }

  /// The end of the part (warm-up or measurement) that an iteration begun at `now` belongs to.
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
