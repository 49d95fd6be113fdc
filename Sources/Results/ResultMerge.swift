import Latency
import TextFormatting

/// Merges runs into one result exactly: the histograms are merged, the counts added, and the thresholds judged anew.
package struct ResultMerge {
  /// The runs, the earliest first.
  let runs: [ResultDocument]
  /// The runs' files, in the order of the runs.
  let paths: [String]
  let first: ResultDocument

  /// The merged result.
  ///
  /// - Throws: All reasons against merging `results`.
  package static func merge(_ results: [StoredResult]) throws(ResultMergeError) -> ResultDocument {
    let problems = MergeCheck(results).problems
    let sorted = results.sorted { $0.document.startedAt < $1.document.startedAt }
    guard problems.isEmpty, let first = sorted.first?.document else { throw ResultMergeError(sentences: problems) }
    return try ResultMerge(runs: sorted.map(\.document), paths: sorted.map(\.path), first: first).document()
  }

  private func document() throws(ResultMergeError) -> ResultDocument {
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
    merged.soak = nil
    merged.repetition = nil
    merged.findings = findings
    merged.checks = nil
    merged.notes = MergeNotes(runs: runs).all
    merged.thresholds =
      MergedThresholds(runs: runs, first: first, metrics: merged.metrics, counters: merged.counters).judged
    merged.verdict = verdict(of: merged)
    return merged
  }

  /// A value that all runs share; nil where they differ.
  func same<Value: Equatable>(_ value: (ResultDocument) -> Value?) -> Value? {
    runs.allSatisfy { value($0) == value(first) } ? value(first) : nil
  }

  /// The runs' parameters; one that differs between runs, such as the seed, is null.
  var parameters: [String: JSONValue] {
    let names = runs.reduce(into: Set<String>()) { $0.formUnion($1.parameters.keys) }
    return names.reduce(into: [:]) { parameters, name in parameters[name] = same { $0.parameters[name] } ?? .null }
  }

  private func metrics() throws(ResultMergeError) -> [String: MetricDocument] {
    var metrics: [String: MetricDocument] = [:]
    for name in runs.reduce(into: Set<String>(), { $0.formUnion($1.metrics.keys) }) {
      metrics[name] = try metric(name)
    }
    return metrics
  }

  private func metric(_ name: String) throws(ResultMergeError) -> MetricDocument? {
    let parts = runs.compactMap { $0.metrics[name] }
    var whole: LatencyHistogram?
    for (path, run) in zip(paths, runs) {
      guard let part = run.metrics[name] else { continue }
      do throws(HistogramError) {
        let histogram = try HistogramV2Codec.decode(base64: part.histogram.data)
        whole = try whole.take()?.merging(histogram) ?? histogram
      } catch {
        throw ResultMergeError(sentences: ["'\(PlainText.line(path))', \(name): \(error)"])
      }
    }
    guard let whole, var metric = MetricDocument(whole, failed: failedPart(of: name)) else { return nil }
    metric.histogram.significantDigits = whole.layout.significantDigits
    if first.tool.metric(name)?.failures == .ofItsOwn {
      // A document does not count what such a metric is about. A percentile that is reliable in every run is reliable
      // in the merge; nothing can be said about the others.
      metric.unreliable = MetricDocument.failable.filter { name in parts.contains { $0.unreliable.contains(name) } }
    }
    metric.clamped = parts.reduce(UInt64(0)) { $0.saturatingSum($1.clamped) }
    metric.resolution = parts.compactMap(\.resolution).max()
    return metric
  }

  /// The sum of the runs' failed parts. As in a single run, what an interruption left unfinished is no failure.
  func failedPart(of metric: String) -> FailedPart {
    runs.map { $0.failedPart(of: metric) }.reduce(.none) { sum, part in
      FailedPart(sum.failed.saturatingSum(part.failed), of: sum.all.saturatingSum(part.all))
    }
  }

  var counters: [String: UInt64] {
    runs.reduce(into: [:]) { $0.merge($1.counters, uniquingKeysWith: { $0.saturatingSum($1) }) }
  }

  /// The failures by kind, each with the example of the first run that has it.
  var errors: [ResultDocument.Failure] {
    var errors: [ResultDocument.Failure] = []
    var places: [String: Int] = [:]
    for error in runs.flatMap(\.errors) {
      if let index = places[error.kind] {
        errors[index].count = errors[index].count.saturatingSum(error.count)
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
      // Percentiles can't be merged without their histograms. The percentile of all arrivals is at most the highest of
      // the runs'.
      scheduleLatenessP50Ms: nil, scheduleLatenessP99Ms: runs.compactMap(\.generator.scheduleLatenessP99Ms).max(),
      backlogMax: runs.map(\.generator.backlogMax).max() ?? 0, saturated: !saturated.isEmpty,
      saturatedReason: saturated.isEmpty
        ? nil : "\(saturated.count) of \(runs.count) runs" + (reason.map { ", the first because: \($0)" } ?? ""))
  }

  /// The findings that are equal in all runs, and the number of runs.
  private var findings: [String: JSONValue] {
    var findings = (first.findings ?? [:]).filter { name, value in runs.allSatisfy { $0.findings?[name] == value } }
    findings[ResultDocument.mergedRunsFinding] = .int(Int64(runs.count))
    return findings
  }

  private func verdict(of merged: ResultDocument) -> ResultDocument.Verdict {
    let isWorthless = merged.metrics.keys.allSatisfy(first.tool.isSetUp)
    if runs.allSatisfy({ $0.verdict == .interrupted }) { return .interrupted }
    if isWorthless || runs.allSatisfy({ $0.verdict == .error }) { return .error }
    return merged.verdictOfThresholds
  }
}

/// Why results can't be merged: a sentence for each reason.
package struct ResultMergeError: Error, Sendable, Equatable {
  package var sentences: [String]
}

/// The thresholds of all runs, each once, judged by what the runs measured together.
struct MergedThresholds {
  let judged: [ResultDocument.JudgedThreshold]

  /// - Parameter first: One of `runs`. All runs have the parameters that shape the load in common.
  init(
    runs: [ResultDocument], first: ResultDocument, metrics: [String: MetricDocument], counters: [String: UInt64]
  ) {
    let parser = ThresholdParser(for: runs)
    let bounds = FailureTimeouts(first.tool, first.parameters)
    let thresholds = runs.flatMap(\.thresholds)
    let byExpression = Dictionary(grouping: thresholds, by: \.expression)
    var seen: Set<String> = []
    let expressions = thresholds.map(\.expression).filter { seen.insert($0).inserted }
    judged = expressions.map { expression in
      let said = byExpression[expression] ?? []
      // A run that was to measure a metric and has no sample of it missed the threshold. Samples of other runs do not
      // make up for that.
      if let missed = said.first(where: { $0.observed == nil && !$0.pass }) { return missed }
      // A document does not say which thresholds are defaults. `skipped` shows it in the only case where it matters:
      // without a sample, every run has skipped its default.
      let isDefault = said.allSatisfy { $0.skipped == true }
      guard let threshold = try? parser.parse(expression, isDefault: isDefault) else {
        return .init(
          expression: expression, observed: nil, pass: false, reason: "this version of the suite does not know it")
      }
      // A soak's series are of one run, so the run that is worst off decides.
      if threshold.isOfSoak, let worst = said.first(where: { !$0.pass }) ?? said.first { return worst }
      return threshold.judge(metrics: metrics, counters: counters, bounds: bounds)
    }
  }
}

/// The notes of a merged result: first those about the merge, then those of the runs.
struct MergeNotes {
  let runs: [ResultDocument]
  private static let mostOfRuns = 100

  var all: [String] {
    let own =
      [days] + verdicts + differences
      + [
        "each run's timeline is left out"
      ].filter { _ in runs.contains { $0.timeline != nil } }
      + ["the series of soaks are left out, and thresholds on them are those of the run that is worst off"]
      .filter { _ in runs.contains { $0.soak != nil } }
    return own + notesOfRuns
  }

  private var days: String {
    let days = runs.reduce(into: [String: Int]()) { $0[String($1.startedAt.prefix(10)), default: 0] += 1 }
    let list = days.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
    return
      "\(runs.count) runs were merged, of \(list): runs of one day share that day and are not independent, so that "
      + "the samples are fewer than they seem"
  }

  /// Notes about runs that did not pass, or were interrupted.
  private var verdicts: [String] {
    func note(_ number: Int, _ what: String) -> [String] {
      number > 0 ? ["\(number) of \(runs.count) runs \(what)"] : []
    }
    let allowed = runs.filter { $0.generator.saturated && $0.notes.contains(Saturation.allowedNote) }
    return note(runs.count { $0.verdict == .interrupted }, "ended early: interrupted")
      + note(runs.count { $0.verdict == .error }, "measured nothing of what it was there for (verdict error)")
      + note(runs.count { $0.generator.saturated }, "had a saturated generator")
      + note(runs.count { $0.build == "debug" }, "came from a debug build: latencies are higher than a release build's")
      + (allowed.count > 0 && allowed.count == runs.count { $0.generator.saturated } ? [Saturation.allowedNote] : [])
  }

  private var differences: [String] {
    let first = runs[0]
    var notes: [String] = []
    let facts: [(String, (ResultDocument) -> String)] = [
      ("version", \.version), ("host", \.environment.hostname), ("system", \.environment.os),
      ("kernel", \.environment.kernel), ("CPU", \.environment.cpu), ("cores", { "\($0.environment.logicalCores)" }),
      ("commit", { $0.environment.gitCommit ?? "" }), ("label", { $0.label ?? "" }),
    ]
    let differing = facts.filter { fact in runs.contains { fact.1($0) != fact.1(first) } }.map(\.0)
    if !differing.isEmpty {
      notes.append(
        "the runs differ in \(PlainText.list(differing, "and")): what is shown of the machine and the version is the "
          + "earliest run's")
    }
    if let change = BreakingVersions.sentence(across: Set(runs.map(\.version))) {
      notes.append("the runs are of versions whose figures mean different things: \(change)")
    }
    for name in Set(runs.flatMap(\.counters.keys)).sorted() {
      let number = runs.count { $0.counters[name] != nil }
      if number < runs.count { notes.append("\(name) was counted in \(number) of \(runs.count) runs") }
    }
    let findings = Set(runs.flatMap { ($0.findings ?? [:]).keys }).sorted()
    let left = findings.filter { name in runs.contains { $0.findings?[name] != first.findings?[name] } }
    if !left.isEmpty {
      notes.append("findings that differ between the runs are left out: \(left.joined(separator: ", "))")
    }
    if runs.contains(where: { $0.checks != nil }) {
      notes.append("what each run checked is in the runs' own files: the counters are of all of them")
    }
    return notes
  }

  /// The runs' notes, each once. The note on allowed saturation belongs to a run's verdict, and the merge has a verdict
  /// of its own.
  var notesOfRuns: [String] {
    var seen: Set<String> = [Saturation.allowedNote]
    let notes = runs.flatMap(\.notes).filter { seen.insert($0).inserted }
    let surplus = notes.count - Self.mostOfRuns
    return surplus > 0 ? notes.prefix(Self.mostOfRuns) + ["\(surplus) more notes are in the runs' own files"] : notes
  }
}
