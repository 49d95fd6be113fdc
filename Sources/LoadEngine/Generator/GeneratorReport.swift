/// The generator's judgement of itself.
public struct GeneratorReport: Sendable, Equatable {
  /// CPU time of the process over the time of the run: 1 is one core.
  public var cpuUtilisation: Double
  /// P50 of the lateness of starts, in ns; nil when nothing was started.
  public var latenessP50: UInt64?
  /// P99 of the lateness of starts, in ns; nil when nothing was started.
  public var latenessP99: UInt64?
  /// The most starts that waited for a free user at one time; 0 in a closed loop, where every user is its own queue.
  public var backlogMax: UInt64
  /// Why the generator was the bottleneck; nil when it was not.
  public var saturatedReason: String?

  /// Beyond this P99 of lateness, in ns, the generator was too slow to keep its schedule.
  public static let latenessBound: UInt64 = 1_000_000
  /// Beyond this share of a full second a loop's thread had no reserve.
  public static let busyBound = 0.9

  /// Judges the figures of a run; `busiestSecond` is the highest share of a full second that a loop's thread
  /// ran or wanted to.
  public init(
    cpuUtilisation: Double, latenessP50: UInt64? = nil, latenessP99: UInt64?, backlogMax: UInt64 = 0,
    busiestSecond: Double
  ) {
    self.cpuUtilisation = cpuUtilisation
    self.latenessP50 = latenessP50
    self.latenessP99 = latenessP99
    self.backlogMax = backlogMax
    if let latenessP99, latenessP99 > Self.latenessBound {
      saturatedReason = "starts were late: P99 over 1 ms"
    } else if busiestSecond > Self.busyBound {
      saturatedReason = "a load thread was busy for over 90 % of a second"
    }
  }

  /// Whether the generator, not the target, bounded the figures.
  public var saturated: Bool { saturatedReason != nil }
}
