import Glibc

/// Student's t distribution: the intervals of a mean that few independent runs allow.
///
/// ```swift
/// StudentT(degreesOfFreedom: 19).twoSidedQuantile(level: 0.95)  // 2.093: the mean ± 2.093 standard errors
/// ```
package struct StudentT: Sendable {
  /// At least 1.
  package let degreesOfFreedom: Int

  /// A value below 1 counts as 1.
  package init(degreesOfFreedom: Int) { self.degreesOfFreedom = max(1, degreesOfFreedom) }

  /// The number q such that a value of the distribution lies within −q…q with this probability.
  ///
  /// - Parameter level: a probability, 0…1; the result is 0 at 0 and infinite at 1.
  package func twoSidedQuantile(level: Double) -> Double {
    guard level > 0 else { return 0 }
    guard level < 1 else { return .infinity }
    var (low, high) = (0.0, 1.0)
    while probabilityBeyond(high) > 1 - level { high *= 2 }
    // 200 halvings reach neighbouring numbers from any bracket of Doubles.
    for _ in 0..<200 where low < high {
      let middle = low / 2 + high / 2
      if probabilityBeyond(middle) > 1 - level { low = middle } else { high = middle }
    }
    return high
  }

  /// The probability of a value outside −t…t: the regularised incomplete beta function I_x(n/2, 1/2) at
  /// x = n/(n + t²) (Abramowitz & Stegun, 26.7.1 with 26.5.27).
  package func probabilityBeyond(_ t: Double) -> Double {
    let freedom = Double(degreesOfFreedom)
    return IncompleteBeta.regularised(freedom / (freedom + t * t), freedom / 2, 0.5)
  }
}

/// The regularised incomplete beta function.
enum IncompleteBeta {
  /// I_x(a, b) for x in 0…1, and positive a and b. By the continued fraction DLMF 8.17.22, on the side of x where it
  /// converges quickly (https://dlmf.nist.gov/8.17#E22).
  static func regularised(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    let factor = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    return x < (a + 1) / (a + b + 2)
      ? factor * fraction(x, a, b) / a
      : 1 - factor * fraction(1 - x, b, a) / b
  }

  /// The continued fraction by Lentz's method, to the precision of a Double.
  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / nonzero(1 - (a + b) * x / (a + 1))
    var result = d
    for step in 1...10_000 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / nonzero(1 + even * d)
      c = nonzero(1 + even / c)
      result *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / nonzero(1 + odd * d)
      c = nonzero(1 + odd / c)
      result *= d * c
      if abs(d * c - 1) < 1e-16 { break }
    }
    return result
  }
}
