/// How much work is done, by how many users, and when they start.
public struct LoadPlan: Sendable, Equatable {
  /// What is done before the measurement, and left out of it.
  public enum Warmup: Sendable, Equatable {
    /// So many iterations of all users together; 0 is none.
    case iterations(Int)
    /// So many ns.
    case duration(UInt64)
  }

  /// When iterations start.
  public enum Arrivals: Sendable, Equatable {
    /// Every user starts its next iteration when its last one is done and `thinkTime` ns have passed; with a ramp the
    /// number of active users follows it.
    case closedLoop(thinkTime: UInt64 = 0, ramp: UserRamp? = nil)
    /// Starts are due on schedule, whatever the target does: any free user takes the next one. A start that finds none
    /// waits for one, which counts into its latency, or is dropped and counted.
    case openLoop(ArrivalSchedule, dropsWhenBusy: Bool = false, isPrecise: Bool = false)
    /// All users are set up and prepared, then released at one instant; each performs one iteration.
    case burst
  }

  /// Virtual users, at least 1: in an open loop the most iterations in flight.
  public var users: Int
  /// Iterations of all users together; nil is no bound. Of `count` and `duration` the first reached ends the run.
  public var count: Int?
  /// In ns from the end of the warm-up; nil is no bound.
  public var duration: UInt64?
  /// What is left out of the measurement.
  public var warmup: Warmup
  /// When iterations start.
  public var arrivals: Arrivals
  /// Open loop: how long the starts that are still waiting or under way at the end are waited for, in ns.
  public var drainBound: UInt64 = 30_000_000_000

  /// A closed loop.
  public static func closedLoop(
    users: Int, count: Int?, duration: UInt64? = nil, warmup: Warmup = .iterations(0), thinkTime: UInt64 = 0,
    ramp: UserRamp? = nil
  ) -> LoadPlan {
    LoadPlan(
      users: users, count: count, duration: duration, warmup: warmup,
      arrivals: .closedLoop(thinkTime: thinkTime, ramp: ramp))
  }

  /// An open loop: at most `users` iterations are in flight.
  public static func openLoop(
    _ schedule: ArrivalSchedule, users: Int, count: Int?, duration: UInt64? = nil,
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
