/// What comparing needs of a stored result.
package struct StoredRun: Sendable {
  package var file: StoredFile
  package var tool: String
  package var version: String
  package var build: String
  package var label: String?
  /// UTC, ISO 8601.
  package var startedAt: String
  package var durationSeconds: Double
  package var verdict: ResultDocument.Verdict
  package var parameters: [String: JSONValue]
  package var targetKind: String
  /// The gateway's URL, or the ECS endpoint's; nil for an embedded one, whose port says nothing, and for directories.
  package var remote: String?
  /// By which profile the gateway was spoken to; nil of other targets, and of results that don't tell.
  package var profile: String?
  package var environment: EnvironmentFacts
  package var metrics: [String: StoredMetric]
  package var counters: [String: UInt64]
  package var isSaturated: Bool
  /// Whether it is no run but several, merged by `bench-report --merge`.
  package var isMerged: Bool

  /// `2026-11-20`, UTC.
  package var day: String { String(startedAt.prefix(10)) }

  /// Whether its verdict is error, and yet there were iterations. Nothing of what was asked for is among its latencies, but a side
  /// where everything fails must not look like one without runs.
  var countsForRatesOnly: Bool { verdict == .error && counters["iterations", default: 0] > 0 && !isSaturated }

  /// Why its figures can't stand beside others'; nil where they can.
  var reasonToExclude: String? {
    if isMerged { return "a merge of several runs: the runs themselves are what can be compared" }
    if build == "debug" { return "a debug build's run: only those of release builds are compared" }
    switch verdict {
    case .interrupted: return "the run was interrupted"
    case .error where !countsForRatesOnly: return "the run was worthless: its verdict is error"
    case .error: return nil
    case .pass, .fail: return isSaturated ? "the generator was saturated: the latencies are partly its own" : nil
    }
  }

  /// What makes it comparable to others.
  func shape(byLabel: Bool) -> LoadShape {
    LoadShape(
      tool: tool, targetKind: targetKind, label: byLabel ? label ?? "(no label)" : nil,
      parameters: LoadParameters.shaping(parameters))
  }

  /// The same for every file of one run: a copy, one with another label, one whose figures somebody edited or made anew.
  struct Identity: Hashable {
    var tool: String
    var startedAt: String
    var host: String
    var seed: String?
    var parameters: [String: String]
  }

  var identity: Identity {
    Identity(
      tool: tool, startedAt: startedAt, host: environment.hostname, seed: parameters["seed"]?.description,
      parameters: LoadParameters.shaping(parameters))
  }
}
