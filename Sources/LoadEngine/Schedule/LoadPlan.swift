public import Latency

/// How much work is done, by how many users, and when they start.
public struct LoadPlan: Sendable, Equatable {
  /// What is done before the measurement, and left out of it.
  public enum Warmup: Sendable, Equatable {
    /// So many iterations of all users together; 0 is none.
    case iterations(Int)
    /// So long.
    case duration(Nanoseconds)
  }

  /// When iterations start.
  public enum Arrivals: Sendable, Equatable {
    /// Every user starts its next iteration when its last one is done and `thinkTime` has passed; with a ramp the
    /// number of active users follows it.
    case closedLoop(thinkTime: Nanoseconds = .zero, ramp: UserRamp? = nil)
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
  /// From the end of the warm-up; nil is no bound.
  public var duration: Nanoseconds?
  /// What is left out of the measurement.
  public var warmup: Warmup
  /// When iterations start.
  public var arrivals: Arrivals
  /// Open loop: how long the starts that are still waiting or under way at the end are waited for.
  public var drainBound: Nanoseconds = .seconds(30)

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
