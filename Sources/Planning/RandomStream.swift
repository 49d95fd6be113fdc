import Glibc

/// Reproducible random numbers of one purpose in one run: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
/// Number Generators, OOPSLA 2014).
///
/// Arrivals, sessions and starts draw from streams of their own. So all candidates see the same arrivals with the same
/// sessions, however many starts each of them orders.
package struct RandomStream: Sendable {
  /// What the numbers decide.
  package enum Purpose: UInt64, Sendable {
    case arrivals = 1
    case sessions, assignments, starts, instances
  }

  private var state: UInt64

  /// Equal arguments give equal numbers.
  package init(seed: UInt64, run: Int, _ purpose: Purpose) {
    var place = RandomStream(state: seed)
    state = place.next() ^ (UInt64(run) << 8 | purpose.rawValue)
    state = next()
  }

  private init(state: UInt64) { self.state = state }

  /// The next number, all bits of which are random.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number between 0 and 1, never one of both.
  mutating func unit() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

  /// A number of an exponential distribution with mean 1.
  mutating func exponential() -> Double { -log(unit()) }

  /// A whole number below `bound`, which is at least 1.
  mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
}
