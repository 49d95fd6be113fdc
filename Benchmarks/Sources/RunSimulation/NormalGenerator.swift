import Glibc

/// Normally distributed numbers that one seed fixes: Marsaglia's polar method (Marsaglia & Bray, A Convenient Method for Generating
/// Normal Variables, 1964) over SplitMix64 (Steele, Lea, Flood 2014).
struct NormalGenerator {
  private var state: UInt64
  private var spare: Double?

  init(seed: UInt64) { state = seed }

  mutating func next() -> Double {
    if let spare {
      self.spare = nil
      return spare
    }
    while true {
      let (x, y) = (uniform(), uniform())
      let square = x * x + y * y
      guard square < 1, square > 0 else { continue }
      let scale = (-2 * log(square) / square).squareRoot()
      spare = y * scale
      return x * scale
    }
  }

  /// From −1 to 1.
  private mutating func uniform() -> Double {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    mixed ^= mixed >> 31
    return Double(Int64(bitPattern: mixed) >> 11) * 0x1p-52
  }
}
