import Latency
import Synchronization

/// The iteration budget of a closed loop or a burst, shared by all users.
final class SharedIterations: Sendable {
  private struct State {
    var begunAt: Instant
    var budget: IterationBudget
    /// When a user first asked for an iteration in vain. Starts were made until then.
    var refusedAt: Instant?
    var charged: UInt64 = 0
  }

  private let plan: LoadPlan
  private let state: Mutex<State>

  /// A run with a ramp ends with the ramp at the latest.
  init(_ plan: LoadPlan, ramp: UserRamp?, startingAt now: Instant) {
    var plan = plan
    if let ramp { plan.duration = min(plan.duration ?? .max, ramp.length) }
    self.plan = plan
    state = Mutex(State(begunAt: now, budget: IterationBudget(plan, startingAt: now)))
  }

  var begunAt: Instant { state.withLock { $0.begunAt } }

  var measurementStartedAt: Instant? { state.withLock { $0.budget.measurementStartedAt } }

  /// All users are set up at `instant`: time counts from there.
  func begin(at instant: Instant) {
    state.withLock { state in
      state.begunAt = instant
      state.budget.begin(at: instant)
    }
  }

  func next() -> Iteration? {
    let now = MonotonicClock.now()
    return state.withLock { state in
      let iteration = state.budget.next(at: now)
      if iteration == nil { state.refusedAt = min(state.refusedAt ?? now, now) }
      return iteration
    }
  }

  /// Takes a share for one of `loops` event loops.
  func share(of loops: Int) -> IterationBudget.Share {
    let now = MonotonicClock.now()
    return state.withLock { $0.budget.share(of: loops, at: now) }
  }

  func giveBack(_ iteration: Iteration) { state.withLock { $0.budget.giveBack(iteration) } }

  /// The iteration of a user whose set-up failed.
  func charge() -> Iteration {
    state.withLock { state in
      state.charged += 1
      return state.budget.charge()
    }
  }

  /// Users whose set-up failed.
  var charged: UInt64 { state.withLock { $0.charged } }

  var isOver: Bool { state.withLock { $0.budget.isOver(at: MonotonicClock.now()) } }

  /// The time until the run is over, as far as is known.
  var remaining: Nanoseconds { state.withLock { $0.budget.remaining(at: MonotonicClock.now()) } }

  /// The run was interrupted: no start is made from `instant` on.
  func endStarts(at instant: Instant) {
    state.withLock { state in state.refusedAt = min(state.refusedAt ?? instant, instant) }
  }

  /// When starts ended; `now` is the end of the whole run. The iterations under way took some time after the last
  /// start, and dividing a rate by that time would make it too low.
  func startsEndedAt(at now: Instant) -> Instant {
    state.withLock { state in
      let end = min(state.refusedAt ?? now, now)
      guard let since = state.budget.measurementStartedAt, let duration = plan.duration else { return end }
      return min(end, since + duration)
    }
  }
}
