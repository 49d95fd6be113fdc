/// The colours of a verdict on a change, beside its words.
struct VerdictBadge {
  /// The class of a badge.
  let style: String
  /// Which of the series' colours stands for it in pictures.
  let colour: Int

  init(_ verdict: StatisticComparison.Verdict) {
    switch verdict {
    case .faster: (style, colour) = ("good", 2)
    case .slower: (style, colour) = ("bad", 1)
    case .noChange: (style, colour) = ("", 5)
    case .tooFewRuns: (style, colour) = ("warn", 4)
    }
  }
}

extension StatisticComparison {
  /// The verdict where there is little room.
  var shortVerdict: String {
    switch verdict {
    case .faster, .slower, .noChange: verdictText
    case .tooFewRuns: "too few runs"
    }
  }
}
