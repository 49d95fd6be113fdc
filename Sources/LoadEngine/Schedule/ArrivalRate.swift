public import Latency

/// An exact rate: `starts` per `period`. 200/s is 200 per 1 s, 0.5/s is 5 per 10 s.
public struct ArrivalRate: Sendable, Equatable {
  /// Starts per period, 0 or more.
  public let starts: UInt64
  /// At least 1 ns.
  public let period: Nanoseconds

  /// Makes a rate; a `period` of 0 is taken as 1 ns.
  public init(starts: UInt64, period: Nanoseconds) {
    self.starts = starts
    self.period = max(1, period)
  }

  /// The nearest number of starts per second.
  public var perSecond: Double { Double(starts) * 1e9 / Double(period.nanoseconds) }

  /// The nearest number of starts per ns.
  var perNanosecond: Double { Double(starts) / Double(period.nanoseconds) }
}
