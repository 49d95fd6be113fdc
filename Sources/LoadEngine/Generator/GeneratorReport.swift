/// The generator's judgement of itself.
public struct GeneratorReport: Sendable, Equatable {
  /// CPU time of the process over the time of the run: 1 is one core.
  public var cpuUtilisation: Double
  /// P50 of the lateness of starts, in ns; nil when nothing was started.
  public var latenessP50: UInt64?
  /// P99 of the lateness of starts, in ns; nil when nothing was started.
  public var latenessP99: UInt64?
  /// How many starts the lateness is of, where that is known: with fewer than 100 its P99 is that of the latest.
  public var starts: UInt64?
  /// The most starts that waited for a free user at one time; 0 in a closed loop, where every user is its own queue.
  public var backlogMax: UInt64
  /// The highest share of a full second, 0…1, that a loop's thread ran or wanted to, or was kept from its work.
  public var busiestSecond: Double

  /// Beyond this P99 of lateness, in ns, the generator was too slow to keep its schedule.
  public static let latenessBound: UInt64 = 1_000_000
  /// Beyond this share of a full second a loop's thread had no reserve.
  public static let busyBound = 0.9

  /// Judges the figures of a run; `busiestSecond` is the highest share of a full second that a loop's thread
  /// ran or wanted to.
  public init(
    cpuUtilisation: Double, latenessP50: UInt64? = nil, latenessP99: UInt64?, starts: UInt64? = nil,
    backlogMax: UInt64 = 0, busiestSecond: Double
  ) {
    self.cpuUtilisation = cpuUtilisation
    self.latenessP50 = latenessP50
    self.latenessP99 = latenessP99
    self.starts = starts
    self.backlogMax = backlogMax
    self.busiestSecond = busiestSecond
  }

  /// Why the generator was the bottleneck, with the figure that says so; nil when it was not.
  public var saturatedReason: String? {
    if let latenessP99, latenessP99 > Self.latenessBound { return Self.late(latenessP99, starts: starts) }
    guard busiestSecond > Self.busyBound else { return nil }
    let share = Self.figure(min(busiestSecond, 1) * 100, above: Self.busyBound * 100, decimals: 0)
    return "a load thread was busy for \(share) % of a second, over 90 %"
  }

  /// Whether the generator, not the target, bounded the figures.
  public var saturated: Bool { saturatedReason != nil }

  private static func late(_ nanoseconds: UInt64, starts: UInt64?) -> String {
    let time = figure(Double(nanoseconds) / 1e6, above: Double(latenessBound) / 1e6, decimals: 2)
    switch starts {
    case 1: return "the only start was \(time) ms late, over 1 ms"
    case let starts? where starts < 100: return "the latest of \(starts) starts was \(time) ms late, over 1 ms"
    default: return "starts were late: P99 \(time) ms, over 1 ms"
    }
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
