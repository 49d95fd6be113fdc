import Latency
import TextFormatting

/// Merges the results of all shards of one load into the result of the whole, exactly: what one generator would have
/// measured.
///
/// A merge of runs (``ResultMerge``) is of runs one after another: it adds their lengths. Shards went on at the same
/// time: histograms and counts are added, the length is the span from the shared begin to the last answer, and time
/// lines are added instant by instant. Documents are read one after another, so that a hundred of them take the memory
/// of one.
package struct ShardMerge {
  private let allowsMissing: Bool
  private var entries: [ShardCheck.Entry] = []
  private var strangers: [String] = []
  private var metrics: [String: LatencyHistogram] = [:]
  private var lateness: LatencyHistogram?
  private var shardsWithLateness = 0
  private var timelines: ShardTimelines?
  private var broken: [String] = []

  /// - Parameter allowsMissing: Whether some shards may be missing: the result is partial then, and no rate is judged.
  package init(allowsMissing: Bool) { self.allowsMissing = allowsMissing }

  /// Reads and merges files.
  ///
  /// - Throws: All reasons against merging them.
  package static func merge(
    _ paths: [String], allowsMissing: Bool, reader: ResultReader
  ) throws(ResultMergeError) -> ResultDocument {
    var merge = ShardMerge(allowsMissing: allowsMissing)
    var unreadable: [String] = []
    for path in paths {
      do throws(ResultReadError) {
        merge.add(try reader.readShard(path), path)
      } catch {
        unreadable.append(error.description)
      }
    }
    guard unreadable.isEmpty else { throw ResultMergeError(sentences: unreadable) }
    return try merge.document()
  }

  /// Adds a shard's result.
  package mutating func add(_ document: ResultDocument, _ path: String) {
    guard let shard = document.shard else { return strangers.append(path) }
    var light = document
    light.timeline = nil
    for name in light.metrics.keys { light.metrics[name]?.histogram.data = "" }
    light.shard?.lateness = nil
    let isFirst = entries.isEmpty
    let earlier = entries.contains { $0.shard.index == shard.index }
    entries.append(.init(path: path, document: light, shard: light.shard ?? shard))
    // What is wrong with it is said later; it is not added twice.
    guard !earlier, document.verdict != .error else { return }
    do throws(HistogramError) {
      for (name, metric) in document.metrics {
        try Self.merge(try HistogramV2Codec.decode(base64: metric.histogram.data), into: &metrics[name])
      }
      if let own = shard.lateness {
        try Self.merge(try HistogramV2Codec.decode(base64: own.data), into: &lateness)
        shardsWithLateness += 1
      }
      if isFirst || timelines == nil { timelines = ShardTimelines(of: document) }
      let origin = entries.first { $0.document.verdict != .error }?.shard.measuredFrom ?? shard.measuredFrom
      try timelines?.add(document.timeline, offset: shard.measuredFrom - origin)
    } catch {
      broken.append("shard \(shard.index) ('\(PlainText.line(path))'): \(error)")
    }
  }

  private static func merge(_ part: LatencyHistogram, into whole: inout LatencyHistogram?) throws(HistogramError) {
    guard let present = whole.take() else {
      whole = part
      return
    }
    whole = try present.merging(part)
  }

  /// The result of all shards.
  ///
  /// - Throws: All reasons against merging them.
  package mutating func document() throws(ResultMergeError) -> ResultDocument {
    let check = ShardCheck(entries, strangers: strangers, allowsMissing: allowsMissing)
    let problems = check.problems + broken
    guard problems.isEmpty else { throw ResultMergeError(sentences: problems) }
    let counting = entries.filter { !check.failed.contains($0.shard.index) }.sorted { $0.shard.index < $1.shard.index }
    guard let first = counting.first else { throw ResultMergeError(sentences: ["there is no shard"]) }
    let timeline: ResultTimeline?
    do throws(HistogramError) { timeline = try timelines?.joined() } catch {
      throw ResultMergeError(sentences: ["the time lines can't be added: \(error)"])
    }
    let without = timelines?.without ?? 0
    timelines = nil
    return MergedShards(
      entries: counting, missing: check.missing, of: first.shard.of, metrics: metrics,
      lateness: shardsWithLateness == counting.count ? lateness : nil, timeline: timeline,
      shardsWithoutTimeline: timeline == nil ? 0 : without
    ).document(first.document)
  }
}

/// The result of shards that are known to be one load.
private struct MergedShards {
  let entries: [ShardCheck.Entry]
  let missing: [Int]
  let of: Int
  let metrics: [String: LatencyHistogram]
  let lateness: LatencyHistogram?
  let timeline: ResultTimeline?
  let shardsWithoutTimeline: Int

  private var runs: [ResultDocument] { entries.map(\.document) }
  private var shards: [ResultDocument.Shard] { entries.map(\.shard) }

  func document(_ first: ResultDocument) -> ResultDocument {
    let sum = ResultMerge(runs: runs, paths: entries.map(\.path), first: first)
    let across = assignmentsAcross()
    var merged = first
    merged.shard = nil
    merged.startedAt = shards[0].startAt
    merged.label = sum.same(\.label)
    merged.build = runs.contains { $0.build == "debug" } ? "debug" : "release"
    merged.parameters = sum.parameters
    for path in [\ResultDocument.target.gatewayUrl, \.target.ecsEndpointUrl, \.target.profile] {
      merged[keyPath: path] = sum.same { $0[keyPath: path] }
    }
    let begin = shards.map(\.measuredFrom).min() ?? 0
    merged.durationSeconds = max(0, (shards.compactMap(\.lastAnswerAt).max() ?? begin) - begin)
    merged.metrics = metrics.reduce(into: [:]) { documents, metric in
      documents[metric.key] = self.metric(metric.key, metric.value, sum)
    }
    merged.counters = sum.counters
    merged.counters["duplicate_assignments"]? += across.duplicates
    merged.errors = sum.errors
    merged.generator = generator
    merged.timeline = timeline
    merged.findings = findings(first)
    merged.fleet = .init(
      of: of, startAt: shards[0].startAt, startsSeconds: runs.map(\.durationSeconds).max() ?? 0,
      startSpreadMs: spread, duplicatesAcross: across.duplicates, missing: missing,
      shards: zip(runs, shards).map { .init($0, $1) })
    merged.notes = notes(across, sum) + (merged.fleet?.note.map { [$0] } ?? [])
    if let failure = merged.fleet?.failure { merged.notes.insert(failure, at: 0) }
    merged.thresholds = thresholds(first, merged)
    let isEmpty = merged.metrics.keys.allSatisfy(first.tool.isSetUp)
    merged.verdict =
      runs.contains { $0.verdict == .interrupted } ? .interrupted : isEmpty ? .error : merged.verdictOfThresholds
    return merged
  }

  private func metric(_ name: String, _ whole: LatencyHistogram, _ sum: ResultMerge) -> MetricDocument? {
    let parts = runs.compactMap { $0.metrics[name] }
    guard var metric = MetricDocument(whole, failed: sum.failedPart(of: name)) else { return nil }
    metric.histogram.significantDigits = whole.layout.significantDigits
    metric.clamped = parts.reduce(0) { $0.saturatingSum($1.clamped) }
    metric.resolution = parts.compactMap(\.resolution).max()
    return metric
  }

  private var generator: ResultDocument.Generator {
    let saturated = entries.filter(\.document.generator.saturated)
    let reason = saturated.first.map { entry in
      "\(saturated.count) of \(entries.count) shards, shard \(entry.shard.index) because: "
        + (entry.document.generator.saturatedReason ?? "it was")
    }
    let summary = lateness.flatMap { LatencySummary($0) }
    return .init(
      // Cores of all machines together.
      cpuUtilisation: runs.reduce(0) { $0 + $1.generator.cpuUtilisation },
      scheduleLatenessP50Ms: summary.map { Nanoseconds($0.p50.value).milliseconds },
      // Without the histograms of all, the highest of the shards' percentiles: that of all starts is at most that.
      scheduleLatenessP99Ms: summary.map { Nanoseconds($0.p99.value).milliseconds }
        ?? runs.compactMap(\.generator.scheduleLatenessP99Ms).max(),
      backlogMax: runs.reduce(0) { $0.saturatingSum($1.generator.backlogMax) }, saturated: !saturated.isEmpty,
      saturatedReason: reason)
  }

  /// Findings are equal in all shards, or of one alone; failed set-ups are added.
  private func findings(_ first: ResultDocument) -> [String: JSONValue]? {
    var findings = (first.findings ?? [:]).filter { name, value in runs.allSatisfy { $0.findings?[name] == value } }
    let failed = runs.reduce(UInt64(0)) { $0 + $1.failedSetUps }
    findings[ResultDocument.failedSetUpsFinding] = failed > 0 ? .int(Int64(clamping: failed)) : nil
    return findings.isEmpty ? nil : findings
  }

  /// How far the first starts lay apart, in ms; nil where fewer than two are known.
  private var spread: Double? {
    let starts = zip(runs, shards).compactMap { ResultDocument.Fleet.Part($0, $1).firstStartMs }
    guard starts.count > 1, let first = starts.min(), let last = starts.max() else { return nil }
    return last - first
  }

  private func assignmentsAcross() -> AssignmentsAcross {
    let files = entries.compactMap { entry -> (shard: Int, path: String, offset: Double)? in
      guard entry.shard.assignments != nil else { return nil }
      let offset = entry.shard.clock.map { $0.source == .folder ? $0.offsetMs : 0 } ?? 0
      return (entry.shard.index, AssignmentFile.path(besides: entry.path), offset)
    }
    // Twice, as each of the two clocks may be wrong by that.
    let error = shards.map { $0.clock?.errorMs ?? Self.unknownError }.max() ?? 0
    return AssignmentsAcross(files, uncertainty: .milliseconds(2 * error))
  }

  /// What a clock may be wrong by where nothing is known of it, in ms.
  private static let unknownError = 50.0

  /// The thresholds of all shards, each once, judged on the union alone. Rates of a part are not judged.
  private func thresholds(_ first: ResultDocument, _ merged: ResultDocument) -> [ResultDocument.JudgedThreshold] {
    let parser = ThresholdParser(for: runs)
    let bounds = FailureTimeouts(first.tool, first.parameters)
    let said = Dictionary(grouping: runs.flatMap(\.thresholds), by: \.expression)
    var seen: Set<String> = []
    return runs.flatMap(\.thresholds).map(\.expression).filter { seen.insert($0).inserted }.map { expression in
      // As in a merge of runs, only a default is skipped without a sample, and then every shard has skipped it.
      let isDefault = said[expression]?.allSatisfy { $0.skipped == true } ?? false
      guard let threshold = try? parser.parse(expression, isDefault: isDefault) else {
        return .init(
          expression: expression, observed: nil, pass: false, reason: "this version of the suite does not know it")
      }
      if threshold.isOfRate, !missing.isEmpty {
        return .init(expression: expression, pass: true, skipped: true, reason: "no rate is judged without all shards")
      }
      return threshold.judge(metrics: merged.metrics, counters: merged.counters, bounds: bounds)
    }
  }

  private func notes(_ across: AssignmentsAcross, _ sum: ResultMerge) -> [String] {
    var notes = ["\(entries.count) shards of one load were merged: figures are those of all of them together"]
    if !missing.isEmpty {
      let list = missing.prefix(20).map(String.init).joined(separator: ", ")
      notes.append(
        "partial: of \(of) shards \(missing.count) are missing or have failed (\(list)\(missing.count > 20 ? ", …" : "")); "
          + "counts and rates are not those of the load")
    }
    for (shard, reason) in across.unreadable {
      notes.append("the assignments of shard \(shard) could not be read (the file \(reason)): duplicates may be missed")
    }
    let silent = shards.filter { $0.assignments == nil }.map(\.index)
    if !silent.isEmpty, runs[0].counters["duplicate_assignments"] != nil {
      notes.append("\(silent.count) shards wrote no assignments: duplicates across shards may be missed")
    }
    if across.duplicates > 0 {
      notes.append("\(across.duplicates) assignments were of a task that a user of another shard had at that time")
    }
    if shardsWithoutTimeline > 0 { notes.append("the time line is without that of \(shardsWithoutTimeline) shards") }
    if shards.contains(where: { $0.clock == nil }) {
      notes.append(
        "the clocks of some shards are unknown: how far the first starts lay apart is by each one's own clock")
    }
    let allowed = runs.filter { $0.generator.saturated && $0.notes.contains(Saturation.allowedNote) }
    if !allowed.isEmpty, allowed.count == runs.count(where: { $0.generator.saturated }) {
      notes.append(Saturation.allowedNote)
    }
    return notes + MergeNotes(runs: runs).notesOfRuns
  }
}
