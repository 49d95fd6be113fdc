/// Reproducible random numbers from one seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, OOPSLA 2014). Not for secrets.
///
/// ```swift
/// var generator = SeededGenerator(seed: 42)
/// let face = Int.random(in: 1...6, using: &generator)  // the same in every run
/// ```
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  @usableFromInline var state: UInt64

  /// Equal seeds give equal sequences.
  @inlinable package init(seed: UInt64) { state = seed }

  /// The generator of `seed` after its first `count` numbers: any of them can be had without those before it.
  package init(seed: UInt64, after count: UInt64) { state = seed &+ count &* Self.increment }

  /// What the state grows by with each number: 2⁶⁴ divided by the golden ratio.
  @inlinable package static var increment: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  /// The next number as one of 0..<1, a multiple of 2⁻⁵³.
  package mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// The next number of the sequence, all bits of which are random.
  ///
  /// Inlined into other modules, because a simulation draws some hundred million numbers.
  @inlinable package mutating func next() -> UInt64 {
    state &+= Self.increment
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
