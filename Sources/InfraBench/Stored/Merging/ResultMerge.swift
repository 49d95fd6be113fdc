import Latency

/// Merges runs into one result, exactly: the histogram of all values, the sum of all counts, judged anew.
package struct ResultMerge {
  /// The runs, the earliest first.
  private let runs: [ResultDocument]
  /// Their files.
  private let paths: [String]
  private let first: ResultDocument

  /// The merged result.
  ///
  /// - Throws: Everything that forbids merging `results`.
  package static func merge(_ results: [StoredResult]) throws(Problems) -> ResultDocument {
    var problems = Problems()
    for sentence in MergeCheck(results).problems { problems.add("--merge", sentence) }
    guard problems.isEmpty else { throw problems }
    let sorted = results.sorted { $0.document.startedAt < $1.document.startedAt }
    guard let first = sorted.first?.document else { throw problems }
    do throws(MergeError) {
      return try ResultMerge(runs: sorted.map(\.document), paths: sorted.map(\.path), first: first).document()
    } catch {
      problems.add("--merge", error.description)
      throw problems
    }
  }

  private struct MergeError: Error, CustomStringConvertible {
    var description: String
  }

  private func document() throws(MergeError) -> ResultDocument {
    var merged = first
    merged.label = same(\.label)
    merged.durationSeconds = runs.reduce(0) { $0 + $1.durationSeconds }
    merged.build = runs.contains { $0.build == "debug" } ? "debug" : "release"
    merged.parameters = parameters
    merged.target.gatewayUrl = same(\.target.gatewayUrl)
    merged.target.ecsEndpointUrl = same(\.target.ecsEndpointUrl)
    merged.target.profile = same(\.target.profile)
    merged.target.directory = same(\.target.directory)
    merged.target.fileSystem = same(\.target.fileSystem)
    merged.metrics = try metrics()
    merged.counters = counters
    merged.errors = errors
    merged.generator = generator
    merged.timeline = nil
    merged.repetition = nil
    merged.findings = findings
    merged.notes = MergeNotes(runs: runs).all
    merged.thresholds = MergedThresholds(runs: runs, metrics: merged.metrics, counters: merged.counters).judged
    merged.verdict = verdict(of: merged)
    return merged
  }

  /// A value that all runs share; nil where they differ.
  private func same<Value: Equatable>(_ value: (ResultDocument) -> Value?) -> Value? {
    runs.allSatisfy { value($0) == value(first) } ? value(first) : nil
  }

  /// Those that differ, such as the seed, are null.
  private var parameters: [String: JSONValue] {
    let names = runs.reduce(into: Set<String>()) { $0.formUnion($1.parameters.keys) }
    return names.reduce(into: [:]) { parameters, name in parameters[name] = same { $0.parameters[name] } ?? .null }
  }

  private func metrics() throws(MergeError) -> [String: MetricDocument] {
    var metrics: [String: MetricDocument] = [:]
    for name in runs.reduce(into: Set<String>(), { $0.formUnion($1.metrics.keys) }) {
      metrics[name] = try metric(name)
    }
    return metrics
  }

  private func metric(_ name: String) throws(MergeError) -> MetricDocument? {
    let parts = runs.compactMap { $0.metrics[name] }
    var whole: LatencyHistogram?
    for (path, run) in zip(paths, runs) {
      guard let part = run.metrics[name] else { continue }
      do throws(HistogramError) {
        let histogram = try HistogramV2Codec.decode(base64: part.histogram.data)
        whole = try whole.take()?.merging(histogram) ?? histogram
      } catch {
        throw MergeError(description: "'\(PlainText.line(path))', \(name): \(error)")
      }
    }
    guard let whole, var metric = MetricDocument(whole, failed: failedPart(of: name)) else { return nil }
    metric.histogram.significantDigits = whole.layout.significantDigits
    if first.tool == ExhaustionBenchmark.tool {
      // Its metrics have populations of their own, which a document doesn't count. A percentile that is sound in every run is
      // sound in all of them together; of the others nobody can tell.
      metric.unreliable = MetricDocument.failable.filter { name in parts.contains { $0.unreliable.contains(name) } }
    }
    metric.clamped = parts.reduce(0) { saturatingSum($0, $1.clamped) }
    metric.resolution = parts.compactMap(\.resolution).max()
    return metric
  }

  /// As a single run has it: what was not finished because the run was interrupted is no failure.
  private func failedPart(of metric: String) -> FailedPart {
    runs.map { $0.failedPart(of: metric) }.reduce(.none) { sum, part in
      FailedPart(saturatingSum(sum.failed, part.failed), of: saturatingSum(sum.all, part.all))
    }
  }

  private var counters: [String: UInt64] {
    runs.reduce(into: [:]) { $0.merge($1.counters, uniquingKeysWith: saturatingSum) }
  }

  /// By kind, with the words of the first one.
  private var errors: [ResultDocument.Failure] {
    var errors: [ResultDocument.Failure] = []
    var places: [String: Int] = [:]
    for error in runs.flatMap(\.errors) {
      if let index = places[error.kind] {
        errors[index].count = saturatingSum(errors[index].count, error.count)
      } else {
        places[error.kind] = errors.count
        errors.append(error)
      }
    }
    return errors
  }

  private var generator: ResultDocument.Generator {
    let seconds = runs.reduce(0) { $0 + $1.durationSeconds }
    let saturated = runs.filter(\.generator.saturated)
    let reason = saturated.first?.generator.saturatedReason
    return .init(
      cpuUtilisation: seconds > 0
        ? runs.reduce(0) { $0 + $1.generator.cpuUtilisation * $1.durationSeconds } / seconds
        : runs.map(\.generator.cpuUtilisation).max() ?? 0,
      // Without their histograms percentiles can't be merged; that of all starts is at most the highest of the runs'.
      scheduleLatenessP50Ms: nil, scheduleLatenessP99Ms: runs.compactMap(\.generator.scheduleLatenessP99Ms).max(),
      backlogMax: runs.map(\.generator.backlogMax).max() ?? 0, saturated: !saturated.isEmpty,
      saturatedReason: saturated.isEmpty
        ? nil : "\(saturated.count) of \(runs.count) runs" + (reason.map { ", the first because: \($0)" } ?? ""))
  }

  /// Those that are the same in all runs, and how many runs these were.
  private var findings: [String: JSONValue] {
    var findings = (first.findings ?? [:]).filter { name, value in runs.allSatisfy { $0.findings?[name] == value } }
    findings[ResultDocument.mergedRunsFinding] = .int(Int64(runs.count))
    return findings
  }

  private func verdict(of merged: ResultDocument) -> ResultDocument.Verdict {
    let isWorthless = merged.metrics.keys.allSatisfy(MetricOrder.ofSetUp.contains)
    if runs.allSatisfy({ $0.verdict == .interrupted }) { return .interrupted }
    if isWorthless || runs.allSatisfy({ $0.verdict == .error }) { return .error }
    return merged.verdictOfThresholds
  }
}

/// A sum that stops at the largest number: the counts of a stored document may be anything.
func saturatingSum(_ left: UInt64, _ right: UInt64) -> UInt64 {
  let (sum, overflow) = left.addingReportingOverflow(right)
  return overflow ? .max : sum
}
