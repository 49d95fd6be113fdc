package import LoadEngine

/// How much work is done, checked.
package struct LoadSettings: Sendable {
  package var count: Int?
  /// In ns.
  package var duration: UInt64?
  /// Virtual users: those of a closed loop, with stages those at its begin, or the most in flight of an open one.
  package var concurrency: Int
  package var warmup: LoadPlan.Warmup
  /// In ns.
  package var timeout: UInt64
  package var userIDPrefix: String
  package var seed: UInt64
  package var arrivals = ArrivalSettings()

  /// Whether starts are due on a schedule.
  package var isOpenLoop: Bool { arrivals.isOpenLoop }

  /// The most virtual users at one time.
  package var users: Int { ramp?.maximum ?? concurrency }

  /// What the engine is to do.
  package var plan: LoadPlan {
    var plan: LoadPlan
    if let schedule {
      plan = .openLoop(
        schedule, users: users, count: count, duration: duration, warmup: warmup,
        dropsWhenBusy: arrivals.dropsWhenBusy, isPrecise: arrivals.isPrecise)
    } else {
      plan = .closedLoop(
        users: users, count: count, duration: duration, warmup: warmup,
        thinkTime: arrivals.thinkTime, ramp: ramp)
    }
    plan.drainBound = timeout
    return plan
  }

  /// When nothing more is begun, in ns from the begin of the measured part: by the duration, or the stages' end.
  package var length: UInt64? { [duration, ramp?.length, schedule?.length].compactMap(\.self).min() }

  private var schedule: ArrivalSchedule? {
    let arrival: ArrivalSchedule.Arrival = arrivals.isPoisson ? .poisson(seed: seed) : .constant
    if case .rates(let stages) = arrivals.stages {
      return ArrivalSchedule(
        stages: stages, from: arrivals.rate ?? ArrivalRate(starts: 0, period: 1_000_000_000), arrival: arrival)
    }
    return arrivals.rate.map { ArrivalSchedule(rate: $0, arrival: arrival) }
  }

  /// Users come and go by stages.
  private var ramp: UserRamp? {
    guard case .users(let stages) = arrivals.stages else { return nil }
    return UserRamp(stages: stages, from: concurrency)
  }

  /// The id of user `number` of `total`: the prefix alone for a single user, else with four digits or more.
  package func userID(_ number: Int, of total: Int) -> String {
    Self.userID(userIDPrefix, number, of: total)
  }

  /// The id of user `number` of as many as the plan has.
  package func userID(_ number: Int) -> String {
    userID(number, of: users)
  }

  /// The id of user `number` of `total` whose ids begin with `prefix`.
  static func userID(_ prefix: String, _ number: Int, of total: Int) -> String {
    guard total > 1 else { return prefix }
    let digits = String(number)
    return "\(prefix)-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
  }
}
