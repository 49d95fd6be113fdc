import Latency
package import Results

/// A run to be compared: its document without the timeline, and the properties that comparisons use.
///
/// The document's fields can be read directly: `run.tool`, `run.counters`.
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

  /// The URL of the gateway or the ECS endpoint; nil for an embedded gateway, whose port is arbitrary, and for
  /// directories.
  package var remote: String? {
    targetKind == "remote" ? document.target.gatewayUrl ?? document.target.ecsEndpointUrl : nil
  }

  /// The profile by which the gateway was used; nil for other targets, and for results without that field.
  package var profile: String? { document.target.profile }

  package var isSaturated: Bool { document.generator.saturated }

  /// The day of its start in UTC, `2026-11-20`.
  package var day: String { String(document.startedAt.prefix(10)) }

  /// Whether its verdict is error although it has iterations. Its latencies are worthless, but its rates count: a side
  /// on which everything fails must not seem to be a side without runs.
  package var hasRatesOnly: Bool {
    document.verdict == .error && document.counters["iterations", default: 0] > 0 && !isSaturated
  }

  /// Why the run cannot be compared; nil if it can.
  var exclusionReason: String? {
    if document.mergedRuns != nil { return "a merge of several runs: the runs themselves are what can be compared" }
    if let shard = document.shard {
      return "one shard of \(shard.of): the merge of all of them is what can be compared"
    }
    if document.fleet?.isPartial == true { return "a merge of some shards of a load: it is no whole load" }
    if document.build == "debug" { return "a debug build's run: only those of release builds are compared" }
    switch document.verdict {
    case .interrupted: return "the run was interrupted"
    case .error where !hasRatesOnly: return "the run was worthless: its verdict is error"
    case .error: return nil
    case .pass, .fail: return isSaturated ? "the generator was saturated: the latencies are partly its own" : nil
    }
  }

  /// The run's workload; runs with equal workloads are comparable.
  package func workload(byLabel: Bool) -> Workload {
    Workload(
      tool: document.tool, targetKind: targetKind, label: byLabel ? document.label ?? "(no label)" : nil,
      parameters: document.tool.shaping(document.parameters))
  }

  /// The identity of a run. All files of one run have it: copies, files with another label, and files with edited or
  /// recomputed figures.
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
  /// A statistic's value in ms; nil if the run has no sample of the metric, or if failures make the value meaningless,
  /// because failing fast is not being fast.
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

  /// Whether failures could have changed the mean. They could if counting them at their time-out would change it by a
  /// relevant amount, or if the run had no time-out to count them at.
  private func isMeanUnreliable(_ metric: MetricDocument, _ name: String) -> Bool {
    guard let failures = metric.failures, failures > 0 else { return false }
    guard let timeout = FailureTimeouts(document.tool, document.parameters).timeout(of: name) else { return true }
    let whole = FailureTimeouts.mean(metric.mean, of: metric.count, with: failures, at: timeout.milliseconds)
    return abs(whole - metric.mean) > Comparison.Settings().minEffect * metric.mean
  }
}

extension MetricDocument {
  /// The mark of a percentile that rests on few samples; nil for others.
  func mark(of statistic: StatisticComparison.Statistic) -> Mark? {
    if restOnMaximum.contains(statistic.rawValue) { return .maximum }
    return fewSamples.contains(statistic.rawValue) ? .fewSamples : nil
  }
}
