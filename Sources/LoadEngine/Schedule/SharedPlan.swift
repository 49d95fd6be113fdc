import Latency
import Synchronization

/// The budget of a closed loop or a burst, which all users draw from.
final class SharedPlan: Sendable {
  /// In ns.
  let begunAt: UInt64
  private let budget: Mutex<IterationBudget>

  /// With a ramp the run is over at its end at the latest.
  init(_ plan: LoadPlan, ramp: UserRamp?, startingAt now: UInt64) {
    var plan = plan
    if let ramp { plan.duration = min(plan.duration ?? .max, ramp.length) }
    begunAt = now
    budget = Mutex(IterationBudget(plan, startingAt: now))
  }

  var measurementStartedAt: UInt64? { budget.withLock { $0.measurementStartedAt } }

  func next() -> Iteration? { budget.withLock { $0.next(at: MonotonicClock.now()) } }

  func giveBack(_ iteration: Iteration) { budget.withLock { $0.giveBack(iteration) } }

  var isOver: Bool { budget.withLock { $0.isOver(at: MonotonicClock.now()) } }

  /// Until the run is over, in ns, as far as is known.
  var remaining: UInt64 { budget.withLock { $0.remaining(at: MonotonicClock.now()) } }
}
