import Glibc
import TestSupport

extension SeededRandom {
  /// Whole numbers of 0 to `values` − 1: the fewer there are, the more ties.
  mutating func ties(_ count: Int, values: Int) -> [Double] {
    (0..<count).map { _ in Double(Int.random(in: 0..<values, using: &self)) }
  }

  /// Normally distributed (Box & Muller 1958).
  mutating func normal() -> Double {
    let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &self))).squareRoot()
    return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
  }

  mutating func normals(_ count: Int) -> [Double] {
    (0..<count).map { _ in normal() }
  }
}
