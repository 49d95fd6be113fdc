package import Gateway
import Latency
package import LoadEngine
import Synchronization
import Transport

/// What the users of a run know of the pool: waits for a warm task, and tells afterwards whether it was one.
package final class WarmPool: Sendable {
  /// What was known when a request was let go.
  package struct Outlook: Sendable {
    fileprivate var ticket: RequestsUnderWay.Ticket
    fileprivate var look: PoolLook?
  }

  private struct State {
    var requests = RequestsUnderWay()
    /// Whether the gateway says `source`, so that looks need not; unknown before its first answer.
    var saysSource = false
    /// The last look of an open loop's observer, and what was under way when it was begun.
    var observed: (look: PoolLook, mark: RequestsUnderWay.Mark)?
    var wait = WarmWait()
    /// Whether a request for a task has got no answer within its time-out.
    var hasTimedOut = false
    /// Whether a request has got a task, a cold one too.
    var hasServed = false
  }

  private let state = Mutex(State())
  private let shared = SharedLook()
  private let timeout: UInt64
  private let end: PlanEnd
  private let givesSessions: Bool
  private let note: @Sendable (String) -> Void

  /// Between two looks at an empty pool, in ns: first, and at most.
  private static let firstPause: UInt64 = 2_000_000
  private static let longestPause: UInt64 = 50_000_000

  /// - Parameters:
  ///   - givesSessions: What the gateway gives are sessions, whose tasks come later: there is no pool to wait for, and
  ///     nothing to be told warm from cold.
  ///   - note: Takes what a reader of the result must know of the pool, the same again and again.
  package init(
    _ load: LoadSettings, givesSessions: Bool = false, note: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.givesSessions = givesSessions
    timeout = load.timeout
    end = PlanEnd(load)
    self.note = note
  }

  /// Why a run of this pool may have no warm start; nil where every wait found a warm task.
  package var reasonWithoutWarmTask: String? {
    state.withLock { $0.wait.wasGivenUp } ? WarmWait.reason(timeout: timeout) : nil
  }

  /// Why the next iteration is not to ask for a task: no warm one was ever seen, no request has got any, and one has waited
  /// the whole time-out for it, as each further one would. nil where it is to ask.
  package var reasonNotToAsk: String? {
    let isHopeless = state.withLock { $0.wait.isGivenUp && $0.hasTimedOut && !$0.hasServed }
    return isHopeless ? WarmWait.reason(timeout: timeout) + ", and a request for one got no answer in that time" : nil
  }

  /// The kind of the error of an iteration that does not ask.
  package static let notAsked = "no_warm_task"

  /// Notes that a request for a task got no answer within its time-out.
  package func timedOut() { state.withLock { $0.hasTimedOut = true } }

  /// Between two iterations that don't ask: they would be over at once, and thousands a second.
  package func rest() async { try? await Task.sleep(nanoseconds: Self.longestPause) }

  /// Waits until there is a warm task for the caller's request; at most for the operation's timeout, and until the
  /// plan is over or the task is cancelled. After one whole timeout in which no warm task has ever been seen it looks and does
  /// not wait, until one is seen. The caller then asks for a task in any case, and ends the outlook.
  package func waitUntilWarm(_ iteration: Iteration, _ client: GatewayClient) async -> Outlook {
    guard !givesSessions else { return beginAtOnce() }
    let waitsSince = MonotonicClock.now()
    let wholeWait = waitsSince + timeout
    let deadline = min(wholeWait, end.of(iteration, at: waitsSince))
    var pause = Self.firstPause
    var look: PoolLook?
    repeat {
      if let ticket = state.withLock({ $0.saysSource ? $0.requests.beginOnCredit() : nil }) {
        return Outlook(ticket: ticket, look: nil)
      }
      let seen = await shared.take(marking: { state.withLock { $0.requests.mark } }, through: client)
      look = seen.look
      if let look {
        if let ticket = begin(look, since: seen.mark) { return Outlook(ticket: ticket, look: look) }
      } else if seen.isOwn {
        // The request that follows will show what is wrong.
        break
      }
      if state.withLock({ $0.wait.isGivenUp }) { break }
      try? await Task.sleep(nanoseconds: pause)
      pause = min(pause * 2, Self.longestPause)
    } while !Task.isCancelled && MonotonicClock.now() < deadline
    // A gateway that tells nothing of its pool may have warm tasks.
    if look != nil, !Task.isCancelled, MonotonicClock.now() >= wholeWait { endWait() }
    return Outlook(ticket: state.withLock { $0.requests.beginUncovered() }, look: look)
  }

  private func endWait() {
    let isGivenUp = state.withLock { state in
      state.wait.ended()
      return state.wait.isGivenUp
    }
    if isGivenUp { note(WarmWait.note(timeout: timeout)) }
  }

  /// Begins a request without waiting, as an open loop must; what the observer saw last may cover it.
  package func beginAtOnce() -> Outlook {
    state.withLock { state in
      guard !state.saysSource, let (look, mark) = state.observed else {
        return Outlook(ticket: state.requests.beginUncovered(), look: nil)
      }
      let ticket = state.requests.begin(warmCount: look.status.warmCount, since: mark)
      return Outlook(ticket: ticket ?? state.requests.beginUncovered(), look: look)
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
      if let look = await PoolLook.take(through: client) { state.withLock { $0.observed = (look, mark) } }
      try? await Task.sleep(nanoseconds: Self.longestPause)
    }
  }

  private func begin(_ look: PoolLook, since mark: RequestsUnderWay.Mark) -> RequestsUnderWay.Ticket? {
    state.withLock { state in
      state.wait.saw(warmCount: look.status.warmCount)
      guard state.saysSource else { return state.requests.begin(warmCount: look.status.warmCount, since: mark) }
      state.requests.grant(warmCount: look.status.warmCount, since: mark)
      return state.requests.beginOnCredit()
    }
  }

  /// Ends a request, whatever came of it.
  @discardableResult
  package func finish(_ outlook: Outlook) -> FinishedOutlook {
    let isCovered = state.withLock { $0.requests.end(outlook.ticket) }
    return FinishedOutlook(isCovered: isCovered, look: outlook.look)
  }

  /// What was known when a request was let go, and whether it held until its answer.
  package struct FinishedOutlook: Sendable {
    fileprivate var isCovered: Bool
    fileprivate var look: PoolLook?
  }

  /// Tells warm from cold; looks at the pool once more, through `client`, where nothing else tells.
  package func classify(
    _ task: String, source: String?, _ outlook: FinishedOutlook?, _ client: GatewayClient
  ) async -> TaskOrigin {
    guard !givesSessions else { return .warm }
    state.withLock { state in
      state.hasServed = true
      state.saysSource = source == "warm" || source == "cold"
      if source == "warm" { state.wait.saw(warmCount: 1) }
    }
    if let origin = WarmClassifier.classify(source: source, isCovered: outlook?.isCovered ?? false) { return origin }
    guard let before = outlook?.look else { return .unclassified }
    let after = before.status.tasks == nil ? nil : await PoolLook.take(through: client)
    return WarmClassifier.classify(task, before: before, after: after)
  }
}
