import Latency
import LoadEngine

/// A document's figures made anew from its histograms, and where it says otherwise.
struct RecomputedFigures {
  /// With the histograms' figures and the judgements that follow from them.
  private(set) var document: ResultDocument
  private(set) var contradictions: [String] = []
  /// Sums of doubles in another order differ in their last digits.
  private static let tolerance = 1e-9

  /// - Throws: Where a histogram can't be read, so that there is nothing to show.
  init(_ document: ResultDocument) throws(UnreadableHistogram) {
    self.document = document
    for (name, metric) in document.metrics.sorted(by: { $0.key < $1.key }) {
      let actual = try Self.figures(of: metric, name, failed: document.failedPart(of: name))
      compare(name, metric, actual)
      self.document.metrics[name] = actual
    }
    for (number, row) in (document.timeline ?? []).enumerated() {
      guard case .string(let data)? = row["histogram"] else { continue }
      _ = try UnreadableHistogram.decode(data, "timeline.\(number).histogram")
    }
    review(RejudgedThresholds(self.document))
    self.document.notes = contradictions + document.notes
  }

  /// What only the document knows stays: the percentiles that failures make unreliable, the resolution of polls, and values
  /// beyond the range.
  private static func figures(
    of metric: MetricDocument, _ name: String, failed: FailedPart
  ) throws(UnreadableHistogram) -> MetricDocument {
    guard metric.unit == "ms", metric.histogram.unit == "ns",
      metric.histogram.encoding == HistogramV2Codec.compressedBase64Name
    else { throw UnreadableHistogram(description: "is no result: metrics.\(name) is of other units than ms and ns") }
    let histogram = try UnreadableHistogram.decode(metric.histogram.data, "metrics.\(name).histogram")
    guard var actual = MetricDocument(histogram, failed: failed) else {
      throw UnreadableHistogram(description: "is no result: the histogram of metrics.\(name) is empty")
    }
    actual.histogram = metric.histogram
    actual.histogram.significantDigits = histogram.layout.significantDigits
    // Results before 0.2.0 don't mark a maximum.
    actual.unreliable = MetricDocument.failable.filter { name in
      metric.unreliable.contains(name) || name == "max" && failed.failed > 0
    }
    actual.clamped = metric.clamped
    actual.resolution = metric.resolution
    return actual
  }

  private mutating func compare(_ name: String, _ said: MetricDocument, _ actual: MetricDocument) {
    if said.count != actual.count { contradict("\(name).count", "\(said.count)", "\(actual.count)") }
    let figures = [
      ("mean", said.mean, actual.mean), ("stddev", said.stddev, actual.stddev), ("min", said.min, actual.min),
      ("p50", said.p50, actual.p50), ("p90", said.p90, actual.p90), ("p95", said.p95, actual.p95),
      ("p99", said.p99, actual.p99), ("p999", said.p999, actual.p999), ("max", said.max, actual.max),
    ]
    for (statistic, said, actual) in figures where !Self.areEqual(said, actual) {
      contradict("\(name).\(statistic)", "\(said) ms", "\(actual) ms")
    }
    for (what, said, actual) in [
      ("percentiles with few samples", said.fewSamples, actual.fewSamples),
      ("percentiles that are the maximum", said.restOnMaximum, actual.restOnMaximum),
    ] where Set(said) != Set(actual) {
      contradict("\(name), \(what)", said.joined(separator: " "), actual.joined(separator: " "))
    }
  }

  private mutating func review(_ review: RejudgedThresholds) {
    for (index, judged) in review.judged.enumerated() {
      let said = document.thresholds[index]
      let isSame =
        switch (said.observed, judged.observed) {
        case (let said?, let judged?): Self.areEqual(said, judged)
        case (nil, nil): true
        default: false
        }
      if isSame, said.pass == judged.pass { continue }
      contradictions.append(
        "threshold '\(said.expression)': the document says \(Self.words(said)), its figures say \(Self.words(judged))")
      document.thresholds[index] = judged
    }
    let verdict = document.verdictOfThresholds
    if [.pass, .fail].contains(document.verdict), verdict != document.verdict {
      contradictions.append(
        "verdict: the document says \(document.verdict.rawValue), its figures say \(verdict.rawValue)")
      document.verdict = verdict
    }
  }

  private mutating func contradict(_ what: String, _ said: String, _ actual: String) {
    func shown(_ text: String) -> String { text.isEmpty ? "none" : text }
    contradictions.append("\(what): the document says \(shown(said)), its histogram says \(shown(actual))")
  }

  private static func words(_ threshold: ResultDocument.JudgedThreshold) -> String {
    "\(ReportTables.observed(threshold)), \(threshold.pass ? "pass" : "fail")"
      + (threshold.pass ? "" : threshold.reason.map { " (\($0))" } ?? "")
  }

  private static func areEqual(_ left: Double, _ right: Double) -> Bool {
    left == right || abs(left - right) <= tolerance * max(abs(left), abs(right))
  }
}

/// A histogram that is none.
struct UnreadableHistogram: Error, CustomStringConvertible {
  var description: String

  static func decode(_ data: String, _ place: String) throws(UnreadableHistogram) -> LatencyHistogram {
    do throws(HistogramError) {
      return try HistogramV2Codec.decode(base64: data)
    } catch {
      throw UnreadableHistogram(description: "is no whole result: \(place): \(error)")
    }
  }
}

/// A document's thresholds, judged once more by its own figures.
struct RejudgedThresholds {
  let judged: [ResultDocument.JudgedThreshold]

  init(_ document: ResultDocument) {
    let bounds = FailureTimeouts(document.parameters)
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
