package import Latency
import TextFormatting

/// A document's figures, computed anew from its histograms, and where the document has other ones.
struct RecomputedFigures {
  /// The document with the histograms' figures, and the judgements that follow from them.
  private(set) var document: ResultDocument
  private(set) var contradictions: [String] = []
  /// Sums of the same doubles differ in their last digits when the order differs.
  private static let tolerance = 1e-9

  /// - Throws: Where a histogram can't be decoded, so that there is nothing to show.
  init(_ document: ResultDocument) throws(UnreadableHistogram) {
    self.document = document
    for (name, metric) in document.metrics.sorted(by: { $0.key < $1.key }) {
      let actual = try metric.recomputed(name, failed: document.failedPart(of: name))
      compare(name, metric, actual)
      self.document.metrics[name] = actual
    }
    for (number, row) in (document.timeline?.rows ?? []).enumerated() {
      guard let data = row.histogram else { continue }
      _ = try UnreadableHistogram.decode(data, "timeline.\(number).histogram")
    }
    review(RejudgedThresholds(self.document))
    self.document.notes = contradictions + document.notes
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
      // However the file writes it: reports show every threshold in one form.
      document.thresholds[index].expression = judged.expression
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
    "\(threshold.observedText), \(threshold.pass ? "pass" : "fail")"
      + (threshold.pass ? "" : threshold.reason.map { " (\($0))" } ?? "")
  }

  private static func areEqual(_ left: Double, _ right: Double) -> Bool {
    left == right || abs(left - right) <= tolerance * max(abs(left), abs(right))
  }
}

extension MetricDocument {
  /// The metric with its histogram's figures in place of the written ones. Facts that no histogram holds stay: the
  /// percentiles that failures make unreliable, the resolution of polls, and the number of values beyond the range.
  ///
  /// - Parameters:
  ///   - name: The metric's name, for the error.
  ///   - failed: What its latencies leave out (``ResultDocument/failedPart(of:)``).
  /// - Throws: Where the histogram can't be decoded or is empty.
  package func recomputed(_ name: String, failed: FailedPart) throws(UnreadableHistogram) -> MetricDocument {
    try recomputed(from: decodedHistogram(name), name, failed: failed)
  }

  /// The histogram of this metric, whose name is `name`.
  ///
  /// - Throws: Where the histogram can't be decoded, or its unit is not ns.
  package func decodedHistogram(_ name: String) throws(UnreadableHistogram) -> LatencyHistogram {
    guard histogram.unit == "ns", histogram.encoding == HistogramV2Codec.compressedBase64Name else {
      throw UnreadableHistogram(kind: .wrong("metrics.\(name) is of other units than ms and ns"))
    }
    return try UnreadableHistogram.decode(histogram.data, "metrics.\(name).histogram")
  }

  /// The metric with the figures of `decoded`, which is its own histogram decoded before.
  ///
  /// - Throws: Where the histogram is empty.
  package func recomputed(
    from decoded: LatencyHistogram, _ name: String, failed: FailedPart
  ) throws(UnreadableHistogram) -> MetricDocument {
    var encoded = histogram
    encoded.significantDigits = decoded.layout.significantDigits
    guard var actual = MetricDocument(decoded, encoded: encoded, failed: failed) else {
      throw UnreadableHistogram(kind: .wrong("the histogram of metrics.\(name) is empty"))
    }
    // Results before 0.2.0 don't mark a maximum.
    actual.unreliable = Self.failable.filter { unreliable.contains($0) || $0 == "max" && failed.failed > 0 }
    actual.clamped = clamped
    actual.resolution = resolution
    return actual
  }

  /// Whether its figures differ from those of `actual` by more than rounding. A histogram knows a time to within 0.1 %,
  /// so a figure that somebody rounded by less does not differ.
  package func contradicts(_ actual: MetricDocument) -> Bool {
    zip([mean, p50, p95, p99], [actual.mean, actual.p50, actual.p95, actual.p99]).contains { said, actual in
      abs(said - actual) > Self.rounding * actual
    }
  }

  private static let rounding = 0.001
  /// In ms. A time is written as its bucket's highest value, and the last bucket ends above 1 h.
  private static let possibleTimes = 1e-6...3.6e6 * (1 + rounding)

  /// Whether all times are possible ones, from 1 ns to 1 h.
  var hasPossibleTimes: Bool {
    [mean, p50, p95, p99].allSatisfy(Self.possibleTimes.contains)
      && (0...Self.possibleTimes.upperBound).contains(resolution ?? 0)
  }
}

/// Why a histogram can't be decoded.
package struct UnreadableHistogram: Error, Sendable, Equatable {
  package var kind: ResultReadError.Kind

  package init(kind: ResultReadError.Kind) { self.kind = kind }

  /// - Parameter place: The field's name, for the error.
  static func decode(_ data: String, _ place: String) throws(UnreadableHistogram) -> LatencyHistogram {
    do throws(HistogramError) {
      return try HistogramV2Codec.decode(base64: data)
    } catch {
      throw UnreadableHistogram(kind: .incomplete("\(place): \(error)"))
    }
  }
}

/// A document's thresholds, judged again by its own figures.
struct RejudgedThresholds {
  let judged: [ResultDocument.JudgedThreshold]

  init(_ document: ResultDocument) {
    let bounds = FailureTimeouts(document.tool, document.parameters)
    let parser = ThresholdParser(for: [document])
    judged = document.thresholds.map { said in
      // A threshold that can't be parsed was written by another version, so the document's judgement is kept.
      guard let threshold = try? parser.parse(said.expression, isDefault: said.skipped == true) else { return said }
      // A rate of some of the shards is none of the load.
      if document.fleet?.isPartial == true, threshold.isOfRate { return said }
      let judged = threshold.judge(
        metrics: document.metrics, counters: document.counters, bounds: bounds, soak: document.soak)
      // Only the run knew why there was no sample, so its reason is kept.
      return judged.observed == nil && said.observed == nil ? said : judged
    }
  }
}

extension ResultDocument {
  /// Pass or fail, by the thresholds and the generator's saturation.
  var verdictOfThresholds: Verdict {
    let isSpoiled = generator.saturated && !notes.contains(Saturation.allowedNote)
    return thresholds.allSatisfy(\.pass) && !isSpoiled && fleet?.failure == nil ? .pass : .fail
  }
}
