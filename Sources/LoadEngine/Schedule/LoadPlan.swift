public import Latency

/// How many iterations are performed, by how many virtual users, and when they start.
public struct LoadPlan: Sendable, Equatable {
  /// The warm-up, which no metric contains.
  public enum Warmup: Sendable, Equatable {
    /// A number of iterations of all users together; 0 is no warm-up.
    case iterations(Int)
    /// A length of time.
    case duration(Nanoseconds)
  }

  /// When iterations start.
  public enum Arrivals: Sendable, Equatable {
    /// Each user starts its next iteration `thinkTime` after its last one is done. With a ramp the number of active
    /// users follows the ramp.
    case closedLoop(thinkTime: Nanoseconds = .zero, ramp: UserRamp? = nil)
    /// Starts come due on a schedule that does not depend on the target; any free user takes the next one. A start
    /// without a free user waits, and the wait counts into its response time; with `dropsWhenBusy` it is dropped and
    /// counted instead. With `isPrecise` a loop spins right before a start, because timers are late.
    case openLoop(ArrivalSchedule, dropsWhenBusy: Bool = false, isPrecise: Bool = false)
    /// All users are set up and prepared first, then released at one instant. Each performs one iteration.
    case burst
  }

  /// The number of virtual users, at least 1. In an open loop it is the most iterations in flight.
  public var users: Int
  /// The number of iterations of all users together; nil is no bound. The run ends when `count` or ``duration`` is
  /// reached, whichever comes first.
  public var count: Int?
  /// The length of the run from the end of the warm-up; nil is no bound.
  public var duration: Nanoseconds?
  /// The warm-up before the measurement.
  public var warmup: Warmup
  /// When iterations start.
  public var arrivals: Arrivals
  /// Open loop: how long after the last start was due the run waits for starts that have not been served.
  public var drainBound: Nanoseconds = .seconds(30)
  /// The part of the plan that this generator makes. All other properties are those of the whole.
  public var shard = Shard.whole

  /// This generator's own users.
  var ownUsers: Int { shard.share(of: max(1, users)) }

  /// A closed loop.
  public static func closedLoop(
    users: Int, count: Int?, duration: Nanoseconds? = nil, warmup: Warmup = .iterations(0),
    thinkTime: Nanoseconds = .zero, ramp: UserRamp? = nil
  ) -> LoadPlan {
    LoadPlan(
      users: users, count: count, duration: duration, warmup: warmup,
      arrivals: .closedLoop(thinkTime: thinkTime, ramp: ramp))
  }

  /// An open loop: at most `users` iterations are in flight.
  public static func openLoop(
    _ schedule: ArrivalSchedule, users: Int, count: Int?, duration: Nanoseconds? = nil,
    warmup: Warmup = .iterations(0), dropsWhenBusy: Bool = false, isPrecise: Bool = false
  ) -> LoadPlan {
    LoadPlan(
      users: users, count: count, duration: duration, warmup: warmup,
      arrivals: .openLoop(schedule, dropsWhenBusy: dropsWhenBusy, isPrecise: isPrecise))
  }

  /// A burst: `users` iterations at one instant.
  public static func burst(users: Int) -> LoadPlan {
    LoadPlan(users: users, count: users, duration: nil, warmup: .iterations(0), arrivals: .burst)
  }
}
