/// How much work is done, by how many users, and when they start.
public struct LoadPlan: Sendable, Equatable {
  /// What is done before the measurement, and left out of it.
  public enum Warmup: Sendable, Equatable {
    /// So many iterations of all users together; 0 is none.
    case iterations(Int)
    /// So many ns.
    case duration(UInt64)
  }

  /// When the users begin.
  public enum Start: Sendable, Equatable {
    /// Closed loop: each begins when it is set up and goes on until the plan is fulfilled.
    case independently
    /// A burst: all are set up and prepared, then released at one instant; each performs one iteration.
    case together
  }

  /// Virtual users, at least 1.
  public var users: Int
  /// Iterations of all users together; nil is no bound. Of `count` and `duration` the first reached ends the run.
  public var count: Int?
  /// In ns from the end of the warm-up; nil is no bound.
  public var duration: UInt64?
  /// What is left out of the measurement.
  public var warmup: Warmup
  /// When the users begin.
  public var start: Start

  /// A closed loop: every user starts its next iteration when its last one is done.
  public static func closedLoop(
    users: Int, count: Int?, duration: UInt64? = nil, warmup: Warmup = .iterations(0)
  ) -> LoadPlan {
    LoadPlan(users: users, count: count, duration: duration, warmup: warmup, start: .independently)
  }

  /// A burst: `users` iterations at one instant.
  public static func burst(users: Int) -> LoadPlan {
    LoadPlan(users: users, count: users, duration: nil, warmup: .iterations(0), start: .together)
  }
}
