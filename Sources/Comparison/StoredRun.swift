import Latency
package import Results

/// One of the runs that are compared: its document without the timeline, and what comparing asks of it.
///
/// The document's own fields are this type's: `run.tool`, `run.counters`.
@dynamicMemberLookup
package struct StoredRun: Sendable {
  package var file: ResultFile
  package var document: ResultDocument

  package init(_ document: ResultDocument, file: ResultFile) {
    self.document = document
    self.document.timeline = nil
    self.file = file
  }

  package subscript<Value>(dynamicMember field: WritableKeyPath<ResultDocument, Value>) -> Value {
    get { document[keyPath: field] }
    set { document[keyPath: field] = newValue }
  }

  package var targetKind: String { document.target.kind }

  /// The gateway's URL, or the ECS endpoint's; nil for an embedded one, whose port says nothing, and for directories.
  package var remote: String? {
    targetKind == "remote" ? document.target.gatewayUrl ?? document.target.ecsEndpointUrl : nil
  }

  /// By which profile the gateway was spoken to; nil of other targets, and of results that don't tell.
  package var profile: String? { document.target.profile }

  package var isSaturated: Bool { document.generator.saturated }

  /// `2026-11-20`, UTC.
  package var day: String { String(document.startedAt.prefix(10)) }

  /// Whether its verdict is error, and yet there were iterations. Nothing of what was asked for is among its latencies, but a side
  /// where everything fails must not look like one without runs.
  package var hasRatesOnly: Bool {
    document.verdict == .error && document.counters["iterations", default: 0] > 0 && !isSaturated
  }

  /// Why its figures can't stand beside others'; nil where they can.
  var exclusionReason: String? {
    if document.mergedRuns != nil { return "a merge of several runs: the runs themselves are what can be compared" }
    if document.build == "debug" { return "a debug build's run: only those of release builds are compared" }
    switch document.verdict {
    case .interrupted: return "the run was interrupted"
    case .error where !hasRatesOnly: return "the run was worthless: its verdict is error"
    case .error: return nil
    case .pass, .fail: return isSaturated ? "the generator was saturated: the latencies are partly its own" : nil
    }
  }

  /// What makes it comparable to others.
  package func workload(byLabel: Bool) -> Workload {
    Workload(
      tool: document.tool, targetKind: targetKind, label: byLabel ? document.label ?? "(no label)" : nil,
      parameters: document.tool.shaping(document.parameters))
  }

  /// The same for every file of one run: a copy, one with another label, one whose figures somebody edited or made anew.
  package struct Identity: Hashable {
    var tool: ToolDescription
    var startedAt: String
    var host: String
    var seed: String?
    var parameters: [String: String]
  }

  package var identity: Identity {
    Identity(
      tool: document.tool, startedAt: document.startedAt, host: document.environment.hostname,
      seed: document.parameters["seed"]?.description, parameters: document.tool.shaping(document.parameters))
  }
}

extension StoredRun {
  /// A statistic's value in ms; nil where the run has no sample of the metric, and where failures make the value meaningless:
  /// failing fast is not being fast.
  func value(of name: String, _ statistic: StatisticComparison.Statistic) -> Double? {
    guard let metric = document.metrics[name] else { return nil }
    switch statistic {
    case .mean: return isMeanUnreliable(metric, name) ? nil : metric.mean
    case _ where metric.unreliable.contains(statistic.rawValue): return nil
    case .p50: return metric.p50
    case .p95: return metric.p95
    case .p99: return metric.p99
    case .rate: return nil
    }
  }

  /// Whether failures could have made the mean: counted at their time-out they would change it by what counts as a change, or
  /// the run had no time-out to count them at.
  private func isMeanUnreliable(_ metric: MetricDocument, _ name: String) -> Bool {
    guard let failures = metric.failures, failures > 0 else { return false }
    guard let timeout = FailureTimeouts(document.tool, document.parameters).timeout(of: name) else { return true }
    let whole = FailureTimeouts.mean(metric.mean, of: metric.count, with: failures, at: timeout.milliseconds)
    return abs(whole - metric.mean) > Comparison.Settings().minEffect * metric.mean
  }
}

extension MetricDocument {
  /// What a percentile rests on, where that is little.
  func mark(of statistic: StatisticComparison.Statistic) -> Mark? {
    if restOnMaximum.contains(statistic.rawValue) { return .maximum }
    return fewSamples.contains(statistic.rawValue) ? .fewSamples : nil
  }
}
