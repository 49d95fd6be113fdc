/// The result of one run of one tool: `infrabench.result/1` (docs/result-schema.md). Fields are only ever added.
package struct ResultDocument: Codable, Sendable, Equatable {
  package enum Verdict: String, Codable, Sendable {
    case pass, fail, error, interrupted
  }

  package struct Target: Codable, Sendable, Equatable {
    /// `embedded`, `remote`, or `directory` for bench-dirinit.
    package var kind: String
    @AlwaysPresent package var gatewayUrl: String?
    @AlwaysPresent package var ecsEndpointUrl: String?
    /// How the gateway was spoken to, by the profile's name; nil where that was not looked for.
    package var profile: String?
    /// bench-dirinit: what was measured.
    package var directory: String?
    /// bench-dirinit: type, source and mount options of its file system.
    package var fileSystem: JSONValue?
  }

  package struct Failure: Codable, Sendable, Equatable {
    package var kind: String
    package var count: UInt64
    package var example: String
  }

  package struct Generator: Codable, Sendable, Equatable {
    /// CPU time of the tool over the time of the run; 1 is one core.
    package var cpuUtilisation: Double
    package var scheduleLatenessP50Ms: Double?
    @AlwaysPresent package var scheduleLatenessP99Ms: Double?
    package var backlogMax: UInt64
    package var saturated: Bool
    @AlwaysPresent package var saturatedReason: String?
  }

  package struct JudgedThreshold: Codable, Sendable, Equatable {
    package var expression: String
    /// In the unit of the expression's subject: ms, a number, or percent; nil without a sample.
    @AlwaysPresent package var observed: Double?
    package var pass: Bool
    /// A default threshold whose metric got no sample.
    package var skipped: Bool?
    /// Why it failed where the observed value alone does not say it.
    package var reason: String?
  }

  /// Which of several runs a result is (`--repeat`, `--ab-gateway-url`).
  package struct Repetition: Codable, Sendable, Equatable {
    /// From 1 on.
    package var run: Int
    package var of: Int
    /// `a` or `b` where two gateways were measured in turn.
    package var side: String?
  }

  package var schema = "infrabench.result/1"
  package var tool: String
  package var version: String
  /// `release` or `debug`.
  package var build: String
  @AlwaysPresent package var label: String?
  /// UTC, ISO 8601 with milliseconds.
  package var startedAt: String
  package var durationSeconds: Double
  package var verdict: Verdict
  package var parameters: [String: JSONValue]
  package var target: Target
  package var environment: EnvironmentFacts
  package var metrics: [String: MetricDocument]
  package var counters: [String: UInt64]
  package var errors: [Failure]
  package var generator: Generator
  package var timeline: [[String: JSONValue]]?
  package var thresholds: [JudgedThreshold]
  /// What a reader of the figures must know.
  package var notes: [String]
  /// Tool-specific findings that are neither latencies nor counters, such as bench-dirinit's `isolation`.
  package var findings: [String: JSONValue]?
  /// nil for a single run.
  package var repetition: Repetition?
}
