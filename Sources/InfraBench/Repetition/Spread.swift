/// What runs have in common: the median of their figures, and the lowest and the highest.
package struct Spread: Sendable, Equatable {
  package var median: Double
  package var low: Double
  package var high: Double

  /// nil without a figure.
  package init?(_ figures: [Double]) {
    let sorted = figures.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let middle = sorted.count / 2
    median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    (low, high) = (first, last)
  }
}
