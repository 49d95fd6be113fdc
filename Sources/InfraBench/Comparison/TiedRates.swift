/// Rates of which a change is seen and not shown: zeros are ties, and a rank test gives ties no weight.
struct TiedRates {
  private let group: GroupComparison

  init(_ group: GroupComparison) {
    self.group = group
  }

  var sentences: [String] {
    group.rates.compactMap { rate in
      guard [.noChange, .tooFewRuns].contains(rate.verdict) else { return nil }
      let (old, new) = (rate.old.count { $0 != 0 }, rate.new.count { $0 != 0 })
      let words: String
      if old == 0, new > 0 {
        words = "in \(new) of \(rate.new.count) NEW runs, in none of the \(rate.old.count) OLD"
      } else if new == 0, old > 0 {
        words = "in \(old) of \(rate.old.count) OLD runs, in none of the \(rate.new.count) NEW"
      } else {
        return nil
      }
      return "\(group.key.tool): \(rate.metric) \(words): runs without any are ties, which count against a difference"
    }
  }
}
