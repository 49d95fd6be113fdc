import Latency
import TextFormatting

/// Makes a result of a soak's lines: of a run that was killed, as of one that came to its end. Pure; its memory is that
/// of one result and of the series, however many minutes there are.
package struct SoakRebuild: Sendable {
  private let head: SoakHead
  private var histograms: [String: LatencyHistogram] = [:]
  private var clamped: [String: UInt64] = [:]
  private var counters: [String: UInt64] = [:]
  private var errors: [ResultDocument.Failure] = []
  private var series: SoakSeries
  private var end: SoakEnd?
  private var cpuSeconds = 0.0

  /// Far more than a tool has, so that no file can make its reader need more than some MB.
  private static let mostMetrics = 200
  private static let mostErrorKinds = 50
  /// What a run counts only when it ends. Minutes have them as 0, which says nothing of the run.
  private static let countedAtTheEnd: Set<String> = ["censored", ToolDescription.Counter.unreleased.name]

  package init(_ head: SoakHead) {
    self.head = head
    series = SoakSeries(
      headlines: head.tool.headlines, everySeconds: head.everySeconds, named: head.namedSeries)
  }

  package var minutes: Int { series.minutes }
  package var isEnded: Bool { end != nil }

  /// Adds the next minute.
  ///
  /// - Throws: Where a histogram of it can't be decoded; nothing is added then.
  package mutating func add(_ minute: SoakMinute) throws(UnreadableHistogram) {
    var decoded: [String: LatencyHistogram] = [:]
    guard minute.histograms.count <= Self.mostMetrics else {
      throw UnreadableHistogram(kind: .wrong("no tool has more than \(Self.mostMetrics) metrics"))
    }
    for (name, data) in minute.histograms {
      decoded[name] = try UnreadableHistogram.decode(data, "minute.histograms.\(name)")
    }
    var sums = histograms
    guard Set(sums.keys).union(decoded.keys).count <= Self.mostMetrics else {
      throw UnreadableHistogram(kind: .wrong("no tool has more than \(Self.mostMetrics) metrics"))
    }
    for (name, histogram) in decoded {
      if sums[name] == nil {
        sums[name] = histogram
      } else {
        do { try sums[name]?.merge(histogram) } catch {
          throw UnreadableHistogram(kind: .wrong("minute.histograms.\(name): \(error)"))
        }
      }
    }
    histograms = sums
    for (name, count) in minute.clamped ?? [:] { clamped[name] = (clamped[name] ?? 0).saturatingSum(count) }
    for (name, count) in minute.counters { counters[name] = (counters[name] ?? 0).saturatingSum(count) }
    for failure in minute.errors { add(failure) }
    cpuSeconds += (minute.tool?.cpu ?? 0) * minute.seconds
    series.add(minute, decoded)
  }

  package mutating func finish(_ end: SoakEnd) { self.end = end }

  private mutating func add(_ failure: ResultDocument.Failure) {
    if let index = errors.firstIndex(where: { $0.kind == failure.kind }) {
      errors[index].count = errors[index].count.saturatingSum(failure.count)
    } else if errors.count < Self.mostErrorKinds || failure.kind == "other" {
      errors.append(failure)
    } else {
      // As a run counts them that has as many kinds.
      add(.init(kind: "other", count: failure.count, example: "\(failure.kind): \(failure.example)"))
    }
  }

  /// The result.
  ///
  /// - Parameters:
  ///   - file: The name of the file without its folder.
  ///   - remarks: What the reader had to leave out of the file, a sentence each.
  package func document(file: String, remarks: [String]) -> ResultDocument {
    var document = ResultDocument(
      tool: head.tool, version: head.version, build: head.build, label: head.label, startedAt: head.startedAt,
      durationSeconds: end?.durationSeconds ?? series.recordedSeconds, verdict: end?.verdict ?? .interrupted,
      parameters: head.parameters, target: head.target, environment: head.environment, metrics: [:],
      counters: end?.counters ?? allCounters, errors: end?.errors ?? errors,
      generator: end?.generator
        ?? .init(cpuUtilisation: cpuUtilisation, backlogMax: 0, saturated: false),
      thresholds: [], notes: [note] + [missing].compactMap(\.self) + remarks + (end?.notes ?? head.notes),
      findings: end?.findings)
    for (name, histogram) in histograms {
      var metric = MetricDocument(histogram, failed: document.failedPart(of: name))
      metric?.clamped = clamped[name] ?? 0
      document.metrics[name] = metric
    }
    document.soak = series.soak(file: file)
    document.thresholds = judged(document)
    return document
  }

  /// The counters of a run without its end. Every tested counter of the tool is in a result, also one that no minute has
  /// counted; those that only the end counts are not known.
  private var allCounters: [String: UInt64] {
    let names = (ToolDescription.countersOfAll + head.tool.counters).map(\.name)
    let tested = names.filter { !head.untested.contains($0) }
    return counters.merging(tested.map { ($0, 0) }) { old, _ in old }
      .filter { !Self.countedAtTheEnd.contains($0.key) }
  }

  private var note: String {
    let lines = "\(minutes) \(minutes == 1 ? "line" : "lines") of the soak's file"
    guard end == nil else { return "this result was rebuilt from \(lines)" }
    return "the run did not come to its end: this result was rebuilt from \(lines), and what came after them is lost; "
      + "what was not finished, tasks that were not given back, and whether the generator was saturated, are not known"
  }

  private var cpuUtilisation: Double { series.recordedSeconds > 0 ? cpuSeconds / series.recordedSeconds : 0 }

  /// What is missing between the minutes, and after them where the end tells how long the run was. Without the end the
  /// counters are sums of the minutes, so that the duration must be theirs too: rates would else be too low.
  private var missing: String? {
    let after = (end?.durationSeconds ?? 0) - series.lengthSeconds
    let seconds = series.missingSeconds + (after > SoakSeries.tolerance ? after : 0)
    guard seconds > 0 else { return nil }
    let said = "\(NumberText.decimals(seconds, 0)) s of the run are in no line of the file"
    if end != nil { return "\(said): their latencies are lost; duration, counters and errors are of the whole run" }
    return
      "\(said): what was measured in them is lost; duration and rates are of the "
      + "\(NumberText.decimals(series.recordedSeconds, 0)) s that were recorded"
  }

  private func judged(_ document: ResultDocument) -> [ResultDocument.JudgedThreshold] {
    let bounds = FailureTimeouts(head.tool, head.parameters)
    let parser = ThresholdParser(for: [document])
    return head.thresholds.map { criterion in
      do throws(ThresholdError) {
        let threshold = try parser.parse(criterion.expression, isDefault: criterion.isDefault)
        return threshold.judge(
          metrics: document.metrics, counters: document.counters, bounds: bounds, soak: document.soak)
      } catch {
        return .init(
          expression: criterion.expression, pass: false, reason: "this version can't read it: \(error.message)")
      }
    }
  }
}
