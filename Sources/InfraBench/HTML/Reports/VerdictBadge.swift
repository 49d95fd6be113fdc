/// How a verdict on a change looks: always in words, with a colour beside them.
struct VerdictBadge {
  let words: String
  /// The class of a badge.
  let style: String
  /// Which of the series' colours stands for it in pictures.
  let colour: Int

  init(_ comparison: StatisticComparison) {
    // A rate isn't faster or slower.
    let isRate = comparison.statistic == .rate
    switch comparison.verdict {
    case .faster: (words, style, colour) = (isRate ? "better" : "faster", "good", 2)
    case .slower: (words, style, colour) = (isRate ? "worse" : "slower", "bad", 1)
    case .noChange: (words, style, colour) = ("no change shown", "", 5)
    case .tooFewRuns: (words, style, colour) = ("too few runs", "warn", 4)
    }
  }

  /// With what is missing.
  static func sentence(of comparison: StatisticComparison) -> String {
    let words = VerdictBadge(comparison).words
    guard let missing = comparison.missing else {
      return comparison.isBelowMinimum ? "\(words): too small to count" : words
    }
    let parts = [(missing.old, "OLD"), (missing.new, "NEW")].filter { $0.0 > 0 }.map { "\($0.0) more \($0.1)" }
    return parts.isEmpty ? words : "\(words): \(parts.joined(separator: " and ")) needed"
  }
}
