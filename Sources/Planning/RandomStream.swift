import Glibc
import Statistics

/// Reproducible random numbers of one purpose in one run.
///
/// Arrivals, sessions and starts draw from streams of their own. So all candidates see the same arrivals with the same
/// sessions, however many starts each of them orders.
package struct RandomStream: Sendable {
  /// What the numbers decide.
  package enum Purpose: UInt64, Sendable {
    case arrivals = 1
    case sessions, assignments, starts, instances
  }

  private var generator: SeededGenerator

  /// Equal arguments give equal numbers.
  package init(seed: UInt64, run: Int, _ purpose: Purpose) {
    var ofSeed = SeededGenerator(seed: seed)
    var place = SeededGenerator(seed: ofSeed.next() ^ (UInt64(run) << 8 | purpose.rawValue))
    generator = SeededGenerator(seed: place.next())
  }

  /// The next number, all bits of which are random.
  package mutating func next() -> UInt64 { generator.next() }

  /// A number between 0 and 1, never one of both.
  mutating func unit() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

  /// A number of an exponential distribution with mean 1.
  mutating func exponential() -> Double { -log(unit()) }

  /// A whole number below `bound`, which is at least 1.
  mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
}
