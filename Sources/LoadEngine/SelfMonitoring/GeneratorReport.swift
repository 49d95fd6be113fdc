public import Latency

/// The load generator's judgement of itself.
///
/// A run is saturated when the generator, not the target, limited its figures:
/// - in an open loop or a burst, whose latencies contain the lateness of starts, the P99 of the lateness is over 1 ms;
///   with fewer than 100 starts their P99 is the latest start, so two or more starts must be over 1 ms late;
/// - in any loop, a load thread was busy or blocked for more than 90 % of any second;
/// - in any loop, the CPU quota kept the process from running for more than 1 % of the run.
public struct GeneratorReport: Sendable, Equatable {
  /// CPU time of the process divided by the length of the run: 1 is one core.
  public var cpuUtilisation: Double
  /// P50 of the lateness of starts; nil when nothing was started.
  public var latenessP50: Nanoseconds?
  /// P99 of the lateness of starts; nil when nothing was started.
  public var latenessP99: Nanoseconds?
  /// The number of starts behind the lateness, where it is known. With fewer than 100 the P99 is the latest start.
  public var starts: UInt64?
  /// How many starts were later than ``latenessBound``, where that is known.
  public var lateStarts: UInt64?
  /// The lateness of the latest start; nil when nothing was started.
  public var latest: Nanoseconds?
  /// Whether the latencies contain the lateness of starts. In a closed loop they do not, because each start waits for
  /// its user.
  public var judgesLateness = true
  /// The most starts that waited for a free user at one time; 0 in a closed loop, where every user is its own queue.
  public var backlogMax: UInt64
  /// The highest share of any second, 0…1, in which a loop's thread used a CPU, waited for one, or was blocked.
  public var busiestSecond: Double
  /// Whether that thread was blocked rather than at work: by a lock, by a stop of the process, or by a quota.
  public var wasBlocked = false
  /// The share of the run, 0…1, in which the CPU quota kept the process from running.
  public var throttledShare = 0.0
  /// The number of periods in which the quota was used up.
  public var throttledPeriods: UInt64 = 0

  /// A start later than this shows that the generator could not keep its schedule.
  public static let latenessBound: Nanoseconds = .milliseconds(1)
  /// A loop's thread that is busy for more than this share of a second has no reserve.
  public static let busyBound = 0.9
  /// Throttling for more than this share of the run distorts the figures.
  public static let throttledBound = 0.01
  /// The fewest starts of which the P99 is not just the latest.
  private static let enoughStarts: UInt64 = 100

  /// Judges the figures of a run. Each parameter sets the property of its name.
  public init(
    cpuUtilisation: Double, latenessP50: Nanoseconds? = nil, latenessP99: Nanoseconds?, starts: UInt64? = nil,
    backlogMax: UInt64 = 0, busiestSecond: Double
  ) {
    self.cpuUtilisation = cpuUtilisation
    self.latenessP50 = latenessP50
    self.latenessP99 = latenessP99
    self.starts = starts
    self.backlogMax = backlogMax
    self.busiestSecond = busiestSecond
  }

  /// Why the generator was the bottleneck, with the figure that shows it; nil when it was not.
  public var saturatedReason: String? {
    // Throttling is judged first because it causes the others: a throttled process starts late, and its loops reach
    // their work late.
    if throttledShare > Self.throttledBound {
      return "the CPU quota kept the generator from running for "
        + "\(Self.percent(throttledShare, above: Self.throttledBound)) % of the run, over 1 % "
        + "(nr_throttled \(throttledPeriods) in cpu.stat)"
    }
    if judgesLateness, let reason = latenessReason { return reason }
    guard busiestSecond > Self.busyBound else { return nil }
    let share = Self.percent(min(busiestSecond, 1), above: Self.busyBound)
    return wasBlocked
      ? "a load thread did not get to its work for \(share) % of a second, over 90 %: the process was stopped, or a lock "
        + "or a quota held it"
      : "a load thread used a CPU or waited for one for \(share) % of a second, over 90 %"
  }

  /// Whether the generator, not the target, bounded the figures.
  public var saturated: Bool { saturatedReason != nil }

  /// Findings that do not reject the run, but that a reader should know.
  public var notes: [String] {
    guard let latest, latest > Self.latenessBound else { return [] }
    let time = Self.milliseconds(latest)
    if !judgesLateness {
      guard let latenessP99, latenessP99 > Self.latenessBound else { return [] }
      return [
        "users went on up to \(Self.milliseconds(latenessP99)) ms (P99) after their last answer because the generator was "
          + "busy: that is in no latency, and lowers the rate"
      ]
    }
    guard latenessReason == nil, let starts, starts < Self.enoughStarts else { return [] }
    return ["one of \(starts) starts was \(time) ms late because of the generator: its latency has that in it"]
  }

  private var latenessReason: String? {
    guard let latenessP99, latenessP99 > Self.latenessBound else { return nil }
    guard let starts, starts < Self.enoughStarts else {
      return "starts were late: P99 \(Self.milliseconds(latenessP99)) ms, over 1 ms"
    }
    // A single late start may be a hiccup of the machine, not the state of the generator.
    guard let lateStarts, lateStarts >= 2 else { return nil }
    return "\(lateStarts) of \(starts) starts were more than 1 ms late, the latest \(Self.milliseconds(latenessP99)) ms"
  }

  private static func milliseconds(_ length: Nanoseconds) -> String {
    figure(length.milliseconds, above: latenessBound.milliseconds, decimals: 2)
  }

  private static func percent(_ share: Double, above bound: Double) -> String {
    figure(share * 100, above: bound * 100, decimals: 0)
  }

  /// `value` with `decimals` places behind the point, or with as many as it takes to be seen above `bound`.
  private static func figure(_ value: Double, above bound: Double, decimals: Int) -> String {
    var scale = 1.0
    for places in 0..<9 {
      let scaled = (value * scale).rounded()
      if places >= decimals, scaled > bound * scale {
        let (whole, rest) = UInt64(scaled).quotientAndRemainder(dividingBy: UInt64(scale))
        let fraction = String(rest)
        return places == 0
          ? "\(whole)" : "\(whole).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
      }
      scale *= 10
    }
    return "\(value)"
  }
}
