import Glibc
import Statistics

/// A position on the axis of the cumulated rate, on which one unit is one expected start. Whole and fraction are stored
/// apart, so that the 10⁹-th start is as exact as the first.
struct StartPosition: Sendable, Equatable {
  var whole: UInt64
  /// 0..<1.
  var fraction: Double
}

/// The positions of starts on the axis of the cumulated rate, an endless sequence.
enum StartPositions: Sendable {
  /// At 0, 1, 2…
  case even(next: UInt64)
  /// A Poisson process of rate 1: gaps are independent and exponential with mean 1. The first start follows a gap.
  case poisson(last: StartPosition, SeededGenerator)

  init(_ arrival: ArrivalSchedule.Arrival) {
    switch arrival {
    case .constant: self = .even(next: 0)
    case .poisson(let seed): self = .poisson(last: StartPosition(whole: 0, fraction: 0), SeededGenerator(seed: seed))
    }
  }

  mutating func next() -> StartPosition {
    switch self {
    case .even(let index):
      self = .even(next: index &+ 1)
      return StartPosition(whole: index, fraction: 0)
    case .poisson(var position, var generator):
      let sum = position.fraction + Self.exponentialGap(&generator)
      let whole = sum.rounded(.down)
      position.whole &+= UInt64(whole)
      position.fraction = sum - whole
      self = .poisson(last: position, generator)
      return position
    }
  }

  /// By inversion: −ln(1 − u) of a uniform u in 0..<1 with 53 bits. As u is below 1, the gap is finite.
  private static func exponentialGap(_ generator: inout SeededGenerator) -> Double {
    let uniform = Double(generator.next() >> 11) * 0x1p-53
    return -log1p(-uniform)
  }
}
