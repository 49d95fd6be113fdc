import FoundationEssentials
import Latency
import LoadEngine

/// Makes a result document of a measurement: figures, judgement, verdict.
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
      of: recording, benchmark.parameters,
      failed: FailedPart(ofIterations: counters, errors: errors, isInterrupted: isInterrupted))
    let bounds = FailureBounds(benchmark.parameters)
    let judged = thresholds.map {
      $0.judge(metrics: metrics, counters: counters, bounds: bounds, missing: measurement.missing)
    }
    return ResultDocument(
      tool: B.tool, version: Suite.version, build: Suite.build, label: output.label,
      startedAt: Timestamp(measurement.startedAt).iso8601, durationSeconds: Double(measurement.duration) / 1e9,
      verdict: verdict(metrics: metrics, judged: judged), parameters: benchmark.parameters, target: measurement.target,
      environment: .current(environment: environment), metrics: metrics, counters: counters,
      errors: errors, generator: generator, timeline: measurement.timeline, thresholds: judged,
      notes: loadNotes(benchmark.parameters) + notes + verdictNotes, findings: measurement.findings)
  }

  private func counters(of recording: Recording) -> [String: UInt64] {
    var counters: [String: UInt64] = [
      "iterations": recording.iterations,
      "errors": recording.errors.total,
      "timeouts": timeouts(in: recording.errors),
      "dropped": recording.dropped,
      "censored": recording.censored,
    ]
    for name in recording.catalogue.counters where !measurement.untested.contains(name) {
      counters[name] = recording[recording.catalogue.counter(name)]
    }
    return counters
  }

  /// Of whatever step: bench-e2e counts errors as `<step>: <kind>`.
  private func timeouts(in errors: ErrorTally) -> UInt64 {
    errors.entries.reduce(0) { sum, entry in
      let kind = entry.kind.split(separator: " ").last
      return kind == "timeout" || kind == "connect_timeout" ? sum + entry.count : sum
    }
  }

  /// - Parameter failed: of the iterations.
  private func metrics(
    of recording: Recording, _ parameters: [String: JSONValue], failed: FailedPart
  ) -> [String: MetricDocument] {
    var metrics: [String: MetricDocument] = [:]
    for name in recording.catalogue.metrics {
      guard let histogram = recording[recording.catalogue.metric(name)] else { continue }
      // Setting up is no part of an iteration: what became of iterations says nothing of it.
      let ofIterations =
        MetricOrder.ofSetUp.contains(name) ? .none : failed.times(SamplesPerIteration.of(name, parameters))
      metrics[name] = MetricDocument(
        histogram, failed: measurement.failures.map { $0[name] ?? .none } ?? ofIterations,
        resolution: measurement.resolutions[name])
    }
    return metrics
  }

  private var generator: ResultDocument.Generator {
    let report = measurement.generator
    return .init(
      cpuUtilisation: report.cpuUtilisation, scheduleLatenessP50Ms: report.latenessP50.map { Double($0) / 1e6 },
      scheduleLatenessP99Ms: report.latenessP99.map { Double($0) / 1e6 },
      backlogMax: report.backlogMax, saturated: report.saturated, saturatedReason: report.saturatedReason)
  }

  private func loadNotes(_ parameters: [String: JSONValue]) -> [String] {
    var mostInFlight: Int64?
    if case .int(let number) = parameters["maxInFlight"] { mostInFlight = number }
    return LoadNotes(
      recording: measurement.recording, backlogMax: measurement.generator.backlogMax, mostInFlight: mostInFlight,
      isInterrupted: isInterrupted, silence: measurement.silence
    ).all + measurement.generator.notes
  }

  private var verdictNotes: [String] {
    guard measurement.generator.saturated, output.allowsSaturated else { return [] }
    return [Saturation.allowedNote]
  }

  private func verdict(
    metrics: [String: MetricDocument], judged: [ResultDocument.JudgedThreshold]
  ) -> ResultDocument.Verdict {
    if isInterrupted { return .interrupted }
    if measurement.worthless != nil || metrics.keys.allSatisfy(MetricOrder.ofSetUp.contains) { return .error }
    if measurement.generator.saturated, !output.allowsSaturated { return .fail }
    return judged.allSatisfy(\.pass) ? .pass : .fail
  }
}
