import LoadEngine

/// A document's thresholds, judged once more by its own figures.
struct ThresholdReview {
  let judged: [ResultDocument.JudgedThreshold]

  init(_ document: ResultDocument) {
    let bounds = FailureBounds(document.parameters)
    let parser = ThresholdParser(.init(knownTo: [document]))
    judged = document.thresholds.map { said in
      // What can't be read was written by another version: its own word stands.
      guard let threshold = try? parser.parse(said.expression, isDefault: said.skipped == true) else { return said }
      let judged = threshold.judge(metrics: document.metrics, counters: document.counters, bounds: bounds)
      // Why there is no sample only the run knew; a reason changes no judgement.
      return judged.observed == nil && said.observed == nil ? said : judged
    }
  }
}

extension Catalogue {
  /// What the tool of `documents` has, and what they have beside it.
  init(knownTo documents: [ResultDocument]) {
    let known = documents.first.flatMap { MetricOrder.catalogue(of: $0.tool) }
    func all(_ names: [String], _ others: [String]) -> [String] {
      names + Set(others).subtracting(names + Self.engineCounters).sorted()
    }
    self.init(
      metrics: all(known?.metrics ?? [], documents.flatMap(\.metrics.keys)),
      counters: all(known?.counters ?? [], documents.flatMap(\.counters.keys)))
  }
}

extension ResultDocument {
  /// Pass or fail, as the thresholds and the generator have it.
  var verdictOfThresholds: Verdict {
    let isSpoiled = generator.saturated && !notes.contains(Saturation.allowedNote)
    return thresholds.allSatisfy(\.pass) && !isSpoiled ? .pass : .fail
  }
}
