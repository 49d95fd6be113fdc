public import Latency

/// When iterations are due: a pure value, (index) → offset from the schedule's begin. Equal schedules give equal
/// sequences; offsets never decrease.
///
/// The i-th start of a constant arrival, from 0, is due when the cumulated rate goes beyond i: at a constant rate that
/// is floor(i · period / starts) exactly, and the 0-th is due at the first instant at which the rate is not zero.
public struct ArrivalSchedule: Sendable, Equatable, Sequence {
  /// How starts are spread.
  public enum Arrival: Sendable, Equatable {
    /// Evenly.
    case constant
    /// As a Poisson process: as many independent users would come. Equal seeds give equal starts.
    case poisson(seed: UInt64)
  }

  private let rate: CumulativeRate
  private let arrival: Arrival

  /// A constant rate without end. A rate of zero gives no starts.
  public init(rate: ArrivalRate, arrival: Arrival) {
    self.rate = .constant(rate)
    self.arrival = arrival
  }

  /// Linear ramps of the rate that begin at `from`; ends with the last stage.
  public init(stages: [RateStage], from: ArrivalRate, arrival: Arrival) {
    rate = CumulativeRate(stages, from: from)
    self.arrival = arrival
  }

  /// All starts are due before it; nil for an endless schedule.
  public var length: Nanoseconds? { rate.length }

  /// Passes through the starts' offsets in constant memory.
  public func makeIterator() -> Iterator {
    Iterator(rate: rate, positions: StartPositions(arrival))
  }

  /// When the start of `index`, from 0, is due; nil if there is none.
  ///
  /// The value that the iterator yields. O(1) for a constant arrival at a constant rate, O(stages) for a constant
  /// arrival in stages, O(index) for a Poisson arrival.
  public func start(of index: UInt64) -> Nanoseconds? {
    guard arrival == .constant else {
      var iterator = makeIterator()
      for _ in 0..<index where iterator.next() == nil { return nil }
      return iterator.next()
    }
    var first = 0
    return rate.offset(of: StartPosition(whole: index, fraction: 0), first: &first)
  }

  /// When the start of `index` is expected: exact for a constant arrival, the mean of a Poisson one. In constant time
  /// for a constant rate, O(stages) otherwise; nil if there is none.
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
      // Rounding could put the second of two starts that are less than 1 ns apart before the first.
      if offset > last { last = offset }
      return last
    }
  }
}
