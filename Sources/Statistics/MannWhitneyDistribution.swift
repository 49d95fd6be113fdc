import Glibc
import Synchronization

/// The distribution of U where both samples come from one population without ties: U is the number of all n·m pairs in
/// which the value of the first sample is larger.
///
/// Up to 10,000 pairs it is exact, by the recurrence of Mann & Whitney (On a Test of Whether One of Two Random
/// Variables is Stochastically Larger than the Other, 1947). The largest of all values belongs to either sample, so the
/// number of arrangements is N(n, m, u) = N(n − 1, m, u − m) + N(n, m − 1, u). These are additions only: the counts are
/// exact up to 2⁵³ and close to it beyond. For more pairs it is the normal approximation of the same paper, with a
/// continuity correction.
package struct MannWhitneyDistribution: Sendable {
  /// The largest number of pairs for which it is exact.
  package static let exactPairs = 10_000

  private let sizes: Sizes
  /// The two-sided p of U = 0, 1, … up to the middle; empty where the approximation is used.
  private let exact: [Double]

  /// The distribution for two sizes. It is kept, because a report needs a few sizes hundreds of times.
  package static func of(old: Int, new: Int) -> MannWhitneyDistribution {
    let sizes = Sizes(old, new)
    if let kept = known.withLock({ $0[sizes] }) { return kept }
    let made = MannWhitneyDistribution(sizes)
    known.withLock { known in
      if known.count >= 256 { known.removeAll() }
      known[sizes] = made
    }
    return made
  }

  private static let known = Mutex<[Sizes: MannWhitneyDistribution]>([:])

  private init(_ sizes: Sizes) {
    self.sizes = sizes
    exact = sizes.areExact ? Self.exactPValues(sizes) : []
  }

  /// The two-sided probability, at most 1, of a U that is `u` or less, or equally far on the other side.
  package func twoSidedP(_ u: Int) -> Double {
    guard u >= 0 else { return 0 }
    guard sizes.pairs > 0, u < (sizes.pairs + 1) / 2 else { return 1 }
    return sizes.areExact ? exact[u] : sizes.approximateP(u)
  }

  /// The largest U whose p is `alpha` or less; nil where the samples are too small for any.
  package func largestRejected(alpha: Double) -> Int? {
    guard twoSidedP(0) <= alpha else { return nil }
    // It stays below the middle for any alpha, so that the interval keeps a difference.
    var (rejected, kept) = (0, (sizes.pairs - 1) / 2 + 1)
    while kept - rejected > 1 {
      let middle = rejected + (kept - rejected) / 2
      if twoSidedP(middle) <= alpha { rejected = middle } else { kept = middle }
    }
    return rejected
  }

  /// The p of the most extreme outcome for these sizes: 2 / C(n + m, n), or its approximation.
  package static func smallestP(old: Int, new: Int) -> Double {
    let sizes = Sizes(old, new)
    guard sizes.pairs > 0 else { return 1 }
    return sizes.areExact ? min(1, 2 / sizes.arrangements) : sizes.approximateP(0)
  }

  private static func exactPValues(_ sizes: Sizes) -> [Double] {
    guard sizes.pairs > 0 else { return [] }
    // One row for each size of the smaller sample, from 0 on; each holds the counts of u up to the middle.
    let width = (sizes.pairs + 1) / 2
    var rows = [Double](repeating: 0, count: (sizes.smaller + 1) * width)
    for row in 0...sizes.smaller { rows[row * width] = 1 }
    rows.withUnsafeMutableBufferPointer { rows in
      for larger in 1...sizes.larger where larger < width {
        for smaller in 1...sizes.smaller {
          let (row, before) = (smaller * width, (smaller - 1) * width - larger)
          for u in stride(from: larger, through: min(smaller * larger, width - 1), by: 1) {
            rows[row + u] += rows[before + u]
          }
        }
      }
    }
    let total = sizes.arrangements
    var sum = 0.0
    return rows.suffix(width).map { count in
      sum += count
      return min(1, 2 * sum / total)
    }
  }
}

/// The sizes of two samples, in either order.
private struct Sizes: Hashable {
  let smaller: Int
  let larger: Int

  init(_ one: Int, _ other: Int) {
    // The limit is far above any number of runs, and the product of two sizes still fits.
    let limit = 1_000_000_000
    smaller = min(max(0, min(one, other)), limit)
    larger = min(max(0, max(one, other)), limit)
  }

  var pairs: Int { smaller * larger }
  var areExact: Bool { pairs <= MannWhitneyDistribution.exactPairs }

  /// C(n + m, n); exact up to 2⁵³.
  var arrangements: Double {
    (1...max(1, smaller)).reduce(1.0) { $0 * Double(larger + $1) / Double($1) }
  }

  func approximateP(_ u: Int) -> Double {
    let deviation = (Double(pairs) * Double(smaller + larger + 1) / 12).squareRoot()
    let distance = (Double(pairs) / 2 - 0.5 - Double(u)) / deviation
    return min(1, erfc(max(0, distance) / 2.squareRoot()))
  }
}
