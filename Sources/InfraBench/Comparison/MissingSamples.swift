/// Runs that have no sample of what others have one of: what is compared of the others is not the whole story.
struct MissingSamples {
  private let pair: RunPair
  private let settings: Comparison.Settings

  init(_ pair: RunPair, settings: Comparison.Settings) {
    self.pair = pair
    self.settings = settings
  }

  var sentences: [String] {
    (worthless + (standIn.map { [$0] } ?? []) + missing).map { "\(pair.shape.tool): \($0)" }
  }

  private var worthless: [String] {
    pair.sides.compactMap { side, pool in
      let number = pool.runs.count(where: \.countsForRatesOnly)
      guard number > 0 else { return nil }
      return
        "\(number) of \(pool.runs.count) \(side.rawValue) runs were worthless (verdict error): their rates count, their latencies "
        + "don't"
    }
  }

  private var standIn: String? {
    guard let usual = MetricOrder.headlines(of: pair.shape.tool)?.first, let headline = pair.headline,
      headline != usual, settings.shows(headline)
    else { return nil }
    let without = pair.sides.filter { $0.pool.metrics[usual] == nil }.map(\.side.rawValue)
    return
      "\(headline) stands for \(usual) as the headline, of which no \(without.joined(separator: " and no ")) run has a sample"
  }

  /// By metric. Runs of which no latency counts have been named already.
  private var missing: [String] {
    let names = Set(pair.old.metrics.keys).union(pair.new.metrics.keys)
    let sides = pair.sides.map { side, pool in (side, pool.runs.filter { !$0.countsForRatesOnly }) }
    let ordered = MetricOrder.sorted(names, of: pair.shape.tool, headline: pair.expectedHeadline)
    return ordered.filter(settings.shows).flatMap { name in
      sides.compactMap { side, runs in
        let number = runs.count { $0.metrics[name] == nil }
        return number > 0 ? "\(name): no sample in \(number) of \(runs.count) \(side.rawValue) runs" : nil
      }
    }
  }
}
