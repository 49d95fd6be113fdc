import FoundationEssentials
import Latency
package import LoadEngine
import Reports
import Results

/// Makes a result document of a measurement: figures, judged thresholds, verdict.
struct ResultAssembly {
  let measurement: Measurement
  let thresholds: [Threshold]
  let output: OutputSettings
  let environment: [String: String]
  let isInterrupted: Bool
  let notes: [String]

  func document<B: Benchmark>(of benchmark: B) -> ResultDocument {
    let recording = measurement.recording
    let counters = counters(of: recording)
    let errors = recording.errors.entries.map {
      ResultDocument.Failure(kind: $0.kind, count: $0.count, example: $0.example)
    }
    let metrics = metrics(
      of: recording, benchmark,
      failed: FailedPart(ofIterations: counters, errors: errors, isInterrupted: isInterrupted))
    let bounds = FailureTimeouts(B.description, benchmark.timeouts)
    let soak = measurement.soak?.soak
    let judged = thresholds.map {
      $0.judge(metrics: metrics, counters: counters, bounds: bounds, missing: measurement.missing, soak: soak)
    }
    let checks = checks(judged)
    var document = ResultDocument(
      tool: B.description, version: SuiteVersion.version, build: SuiteVersion.build, label: output.label,
      startedAt: Timestamp(measurement.startedAt).iso8601, durationSeconds: measurement.duration.seconds,
      verdict: verdict(of: B.description, metrics: metrics, judged: judged, checks: checks),
      parameters: benchmark.parameters,
      target: measurement.target,
      environment: .current(environment: environment), metrics: metrics, counters: counters,
      errors: errors, generator: generator, timeline: measurement.timeline, thresholds: judged,
      notes: loadNotes(benchmark.maxInFlight) + notes + verdictNotes, findings: measurement.findings, checks: checks)
    document.soak = soak
    return document
  }

  /// The checks with their verdicts: a threshold that was met allows what its counter counts.
  private func checks(_ judged: [ResultDocument.JudgedThreshold]) -> [CheckRecord]? {
    let met = zip(thresholds, judged).compactMap { threshold, judged -> String? in
      guard case .counter(let name) = threshold.subject, judged.pass, judged.skipped != true else { return nil }
      return name
    }
    let crossed = zip(thresholds, judged).compactMap { threshold, judged -> String? in
      guard case .counter(let name) = threshold.subject, !judged.pass else { return nil }
      return name
    }
    return measurement.checks?.map { $0.judged(allowing: Set(met).subtracting(crossed)) }
  }

  private func counters(of recording: Recording) -> [String: UInt64] {
    var counters: [String: UInt64] = [
      "iterations": recording.iterations,
      "errors": recording.errors.total,
      "timeouts": recording.errors.timeouts,
      "dropped": recording.dropped,
      "censored": recording.censored,
    ]
    for name in recording.catalogue.counters where !measurement.untested.contains(name) {
      counters[name] = recording[recording.catalogue.counter(name)]
    }
    return counters
  }

  /// - Parameter failed: How many of the iterations failed.
  private func metrics<B: Benchmark>(
    of recording: Recording, _ benchmark: B, failed: FailedPart
  ) -> [String: MetricDocument] {
    let tool = B.description
    let parameters = benchmark.parameters
    var metrics: [String: MetricDocument] = [:]
    for name in recording.catalogue.metrics {
      guard let histogram = recording[recording.catalogue.metric(name)] else { continue }
      // Setting up is no part of an iteration, so failed iterations say nothing about it.
      let ofIterations =
        tool.isSetUp(name) ? .none : failed.times(tool.samplesPerIteration(of: name, parameters))
      metrics[name] = MetricDocument(
        histogram, failed: measurement.failures.map { $0[name] ?? .none } ?? ofIterations,
        resolution: measurement.resolutions[name])
    }
    return metrics
  }

  private var generator: ResultDocument.Generator {
    let report = measurement.generator
    return .init(
      cpuUtilisation: report.cpuUtilisation, scheduleLatenessP50Ms: report.latenessP50?.milliseconds,
      scheduleLatenessP99Ms: report.latenessP99?.milliseconds,
      backlogMax: report.backlogMax, saturated: report.saturated, saturatedReason: report.saturatedReason)
  }

  private func loadNotes(_ mostInFlight: Int?) -> [String] {
    LoadNotes(
      recording: measurement.recording, backlogMax: measurement.generator.backlogMax, mostInFlight: mostInFlight,
      isInterrupted: isInterrupted, silence: measurement.silence
    ).all + measurement.generator.notes
  }

  private var verdictNotes: [String] {
    guard measurement.generator.saturated, output.allowsSaturated else { return [] }
    return [Saturation.allowedNote]
  }

  private func verdict(
    of tool: ToolDescription, metrics: [String: MetricDocument], judged: [ResultDocument.JudgedThreshold],
    checks: [CheckRecord]?
  ) -> ResultDocument.Verdict {
    if isInterrupted { return .interrupted }
    // What was checked is a result even where no time was measured.
    let isEmpty = metrics.keys.allSatisfy(tool.isSetUp) && !(checks ?? []).contains { $0.verdict != .notTested }
    if measurement.worthless != nil || isEmpty { return .error }
    if let checks, checks.contains(where: { $0.verdict == .fail }) { return .fail }
    if measurement.generator.saturated, !output.allowsSaturated { return .fail }
    return judged.allSatisfy(\.pass) ? .pass : .fail
  }
}

/// What a reader must know of arrivals that are in no latency, or that waited.
struct LoadNotes {
  let recording: Recording
  let backlogMax: UInt64
  /// The most iterations in flight at one time; nil in a closed loop.
  let mostInFlight: Int?
  let isInterrupted: Bool
  /// How long the target had answered nothing when arrivals ended, and how long it had answered before.
  var silence: (length: Nanoseconds, since: Nanoseconds)?

  /// The most serious first.
  var all: [String] { [silent, unfinished, dropped, missed, waiting].compactMap { $0 } }

  /// All arrivals that were due.
  private var due: UInt64 { recording.iterations + recording.dropped + recording.censored }

  /// Iterations that were neither answered nor met their time-out. An interruption ends what is in flight, so nothing
  /// is said about it then.
  private var unfinished: String? {
    let number = recording.censored
    guard number > 0, !isInterrupted else { return nil }
    return
      "\(number) of \(due) starts \(Self.were(number)) still within \(number == 1 ? "its" : "their") time-out when "
      + "the run had to end: percentiles are of the others"
  }

  private var silent: String? {
    guard let silence, !isInterrupted else { return nil }
    guard recording.lastAnswerAt != nil else { return "nothing was answered in \(silence.length)" }
    return "nothing was answered in the last \(silence.length) of the run: the last answer came "
      + "\(silence.since) after its begin"
  }

  private var missed: String? {
    let number = recording.missed
    guard number > 0 else { return nil }
    return
      "\(number) of the \(recording.dropped) dropped starts \(Self.were(number)) missed by the generator while a user "
      + "was free: they count as late"
  }

  private var dropped: String? {
    let number = recording.dropped
    guard number > 0 else { return nil }
    return "\(number) of \(due) starts \(Self.were(number)) dropped: no latency shows them"
  }

  private var waiting: String? {
    guard backlogMax > 0, let mostInFlight else { return nil }
    let starts = backlogMax == 1 ? "1 start" : "\(backlogMax) starts"
    let busy = mostInFlight == 1 ? "the only user was" : "all \(mostInFlight) users were"
    return "up to \(starts) waited because \(busy) busy; if the target is to take more at once, raise --max-in-flight"
  }

  private static func were(_ number: UInt64) -> String { number == 1 ? "was" : "were" }
}

extension ResultTimeline {
  /// The timeline of a load run: for each interval, the numbers of iterations, errors and dropped arrivals, and the
  /// latencies of `metric`; nil where no timeline was kept.
  package init?(_ intervals: [TimelineInterval], of metric: String) {
    guard !intervals.isEmpty else { return nil }
    self.init(
      intervals.map { interval in
        .interval(
          start: interval.start, length: interval.length, iterations: interval.iterations, errors: interval.errors,
          dropped: interval.dropped, metric: metric, latencies: LatencySummary(interval.latencies),
          histogram: interval.compressedLatencies)
      })
  }
}

extension ErrorTally {
  /// The most frequent kind of failure, and its first example, on one line; nil without a failure.
  var commonestWords: String? {
    CommonestError(entries.map { (kind: $0.kind, count: $0.count, example: $0.example) })?.words
  }
}
