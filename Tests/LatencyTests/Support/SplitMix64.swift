/// A seeded generator, so that a failing test fails again (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, 2014).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A value of `1...limit` with any number of bits equally likely.
  mutating func logarithmicValue(upTo limit: UInt64) -> UInt64 {
    let bits = UInt64.random(in: 0...63, using: &self)
    return max(1, min(next() >> bits, limit))
  }
}
