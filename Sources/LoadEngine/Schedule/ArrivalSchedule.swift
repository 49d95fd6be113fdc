public import Latency

/// When iterations are due: a pure value, (index) → offset from the schedule's begin. Equal schedules give equal
/// sequences; offsets never decrease.
///
/// With evenly spread arrivals the start with index i (from 0) is due when the cumulated rate goes beyond i. At a
/// constant rate that is exactly floor(i · period / starts); start 0 is due at the first instant with a rate above
/// zero.
public struct ArrivalSchedule: Sendable, Equatable, Sequence {
  /// How starts are spread.
  public enum Arrival: Sendable, Equatable {
    /// Evenly.
    case constant
    /// As a Poisson process, which models many independent users. Equal seeds give equal starts.
    case poisson(seed: UInt64)
  }

  private let rate: CumulativeRate
  private let arrival: Arrival

  /// Makes a schedule of a constant rate without end. A rate of zero gives no starts.
  public init(rate: ArrivalRate, arrival: Arrival) {
    self.rate = .constant(rate)
    self.arrival = arrival
  }

  /// Makes a schedule of linear ramps that begin at the rate `from`. It ends with the last stage.
  public init(stages: [RateStage], from: ArrivalRate, arrival: Arrival) {
    rate = CumulativeRate(stages, from: from)
    self.arrival = arrival
  }

  /// The length of the schedule: all starts are due before it; nil for an endless schedule.
  public var length: Nanoseconds? { rate.length }

  /// Passes through the starts' offsets in constant memory.
  public func makeIterator() -> Iterator {
    Iterator(rate: rate, positions: StartPositions(arrival))
  }

  /// When the start with this index (from 0) is due; nil if the schedule has no such start.
  ///
  /// Equals the value that the iterator yields. O(1) for a constant arrival at a constant rate, O(stages) for a
  /// constant arrival in stages, O(index) for a Poisson arrival.
  public func start(of index: UInt64) -> Nanoseconds? {
    guard arrival == .constant else {
      var iterator = makeIterator()
      for _ in 0..<index where iterator.next() == nil { return nil }
      return iterator.next()
    }
    var first = 0
    return rate.offset(of: StartPosition(whole: index, fraction: 0), first: &first)
  }

  /// When the start with this index is expected: exact for evenly spread arrivals, the mean for Poisson arrivals; nil
  /// if the schedule has no such start. O(1) for a constant rate, O(stages) otherwise.
  func expectedStart(of index: UInt64) -> Nanoseconds? {
    var first = 0
    return rate.offset(of: StartPosition(whole: index, fraction: 0), first: &first)
  }

  /// The offsets of a schedule, one by one. A start later than `Nanoseconds.max` (584 years) does not exist.
  public struct Iterator: IteratorProtocol, Sendable {
    private let rate: CumulativeRate
    private var positions: StartPositions
    private var ramp = 0
    private var last = Nanoseconds.zero

    init(rate: CumulativeRate, positions: StartPositions) {
      self.rate = rate
      self.positions = positions
    }

    /// The next offset; nil after the last.
    public mutating func next() -> Nanoseconds? {
      guard let offset = rate.offset(of: positions.next(), first: &ramp) else { return nil }
      // Of two starts less than 1 ns apart, rounding could put the second before the first.
      if offset > last { last = offset }
      return last
    }
  }
}
