import FoundationEssentials
import Latency

/// What comparing needs of a stored result.
package struct StoredRun: Sendable {
  package var file: ResultFile
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
  var hasRatesOnly: Bool { verdict == .error && counters["iterations", default: 0] > 0 && !isSaturated }

  /// Why its figures can't stand beside others'; nil where they can.
  var exclusionReason: String? {
    if isMerged { return "a merge of several runs: the runs themselves are what can be compared" }
    if build == "debug" { return "a debug build's run: only those of release builds are compared" }
    switch verdict {
    case .interrupted: return "the run was interrupted"
    case .error where !hasRatesOnly: return "the run was worthless: its verdict is error"
    case .error: return nil
    case .pass, .fail: return isSaturated ? "the generator was saturated: the latencies are partly its own" : nil
    }
  }

  /// What makes it comparable to others.
  func shape(byLabel: Bool) -> Workload {
    Workload(
      tool: tool, targetKind: targetKind, label: byLabel ? label ?? "(no label)" : nil,
      parameters: WorkloadParameters.shaping(parameters))
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
      parameters: WorkloadParameters.shaping(parameters))
  }
}

/// What comparing needs of a metric: times in ms.
package struct StoredMetric: Sendable, Decodable {
  struct Histogram: Sendable, Decodable {
    var data: String
  }

  var unit: String
  var count: UInt64
  var mean: Double
  var p50: Double
  var p95: Double
  var p99: Double
  /// Decoded only where runs are compared.
  var histogram: Histogram
  var fewSamples: [String]?
  var restOnMaximum: [String]?
  var unreliable: [String]?
  var resolution: Double?
  /// How many failures the latencies leave out; nil where there is none, and in results before 0.2.0.
  var failures: UInt64?
  /// Whether the mean may be one of the failures' making.
  private(set) var isMeanUnreliable = false

  private enum CodingKeys: String, CodingKey {
    case unit, count, mean, p50, p95, p99, histogram, fewSamples, restOnMaximum, unreliable, resolution, failures
  }

  /// Takes `failures` that might have been latencies, and their time-out in ms; nil where there was none.
  ///
  /// A mean that a few time-outs would move shows as little as they do: it is left out where, counted at their time-out, they
  /// would change it by what counts as a change.
  mutating func count(_ failures: UInt64, at timeout: Double?) {
    guard failures > 0 else { return }
    guard let timeout else {
      isMeanUnreliable = true
      return
    }
    let whole = FailureTimeouts.mean(mean, of: count, with: failures, at: timeout)
    isMeanUnreliable = abs(whole - mean) > Comparison.Settings().minEffect * mean
  }

  /// A statistic's value; nil where failures make it meaningless: failing fast is not being fast.
  func value(of statistic: StatisticComparison.Statistic) -> Double? {
    let unreliable = unreliable ?? []
    if statistic == .mean ? isMeanUnreliable : unreliable.contains(statistic.rawValue) { return nil }
    switch statistic {
    case .mean: return mean
    case .p50: return p50
    case .p95: return p95
    case .p99: return p99
    case .rate: return nil
    }
  }

  /// What a percentile rests on, where that is little.
  func mark(of statistic: StatisticComparison.Statistic) -> MetricDocument.Mark? {
    if restOnMaximum?.contains(statistic.rawValue) == true { return .maximum }
    return fewSamples?.contains(statistic.rawValue) == true ? .fewSamples : nil
  }

  /// Whether all times are ones that a result can have, 1 ns to 1 h.
  var isSound: Bool {
    [mean, p50, p95, p99].allSatisfy(Self.times.contains) && (0...Self.times.upperBound).contains(resolution ?? 0)
  }

  /// Whether `histogram` has other figures. It knows a time to within 0.1 %, and figures that somebody rounded are no others.
  func contradicts(_ histogram: LatencyHistogram) -> Bool {
    let percentiles = histogram.values(atPercentiles: [50, 95, 99]).map { Double($0) }
    return zip([mean, p50, p95, p99], [histogram.mean] + percentiles).contains { said, nanoseconds in
      abs(said - nanoseconds / 1e6) > Self.precision * nanoseconds / 1e6
    }
  }

  private static let precision = 0.001
  /// In ms. Times are their buckets' highest values: the last bucket's lies beyond the hour.
  private static let times = 1e-6...3.6e6 * (1 + precision)
}

extension StoredRun {
  /// What a file of JSON holds.
  enum Reading {
    case run(StoredRun)
    /// JSON, but no result.
    case somethingElse
    case broken(String)
  }

  /// Reads a document, which may hold anything.
  static func read(_ data: Data, of file: ResultFile) -> Reading {
    do {
      let document = try JSONDecoder().decode(Document.self, from: data)
      if let name = document.metrics.first(where: { !$0.value.isSound })?.key {
        return .broken("metrics.\(name) has a time that is none between 1 ns and 1 h")
      }
      if let name = document.metrics.first(where: { $0.value.unit != "ms" })?.key {
        return .broken("metrics.\(name) is not in ms")
      }
      guard Timestamp.isWritten(document.startedAt) else { return .broken("startedAt is no time in UTC") }
      return .run(StoredRun(document, file: file))
    } catch is OtherSchema {
      return .somethingElse
    } catch let error as NewerSchema {
      return .broken("it has the schema '\(error.name)', which this version can't read")
    } catch {
      return reading(of: DecodingFault(error, in: data))
    }
  }

  private init(_ document: Document, file: ResultFile) {
    self.init(
      file: file, tool: document.tool, version: document.version, build: document.build, label: document.label,
      startedAt: document.startedAt, durationSeconds: document.durationSeconds, verdict: document.verdict,
      parameters: document.parameters, targetKind: document.target.kind, remote: document.target.remote,
      profile: document.target.profile,
      environment: document.environment,
      metrics: document.metricsWithFailures, counters: document.counters, isSaturated: document.generator.saturated,
      isMerged: document.isMerged)
  }

  private static func reading(of fault: DecodingFault) -> Reading {
    switch fault {
    case .noJSON: .broken("it is no JSON: cut off?")
    case .noObject: .somethingElse
    case .missing(let sentence), .wrong(let sentence): .broken(sentence)
    }
  }
}

/// Another kind of file, which is none of ours to read.
private struct OtherSchema: Error {}

/// A result of another version.
private struct NewerSchema: Error {
  var name: String
}

/// The part of `infrabench.result/1` that is read: the rest, such as timelines, is passed over.
private struct Document: Decodable {
  struct Target: Decodable {
    var kind: String
    var gatewayUrl: String?
    var ecsEndpointUrl: String?
    var profile: String?

    var remote: String? { kind == "remote" ? gatewayUrl ?? ecsEndpointUrl : nil }
  }

  struct Generator: Decodable { var saturated: Bool }

  var tool: String
  var version: String
  var build: String
  var label: String?
  var startedAt: String
  var durationSeconds: Double
  var verdict: ResultDocument.Verdict
  var parameters: [String: JSONValue]
  var target: Target
  var environment: EnvironmentFacts
  var metrics: [String: StoredMetric]
  var counters: [String: UInt64]
  var generator: Generator
  var errors: [ResultDocument.Failure]
  var isMerged: Bool

  /// With what is known of the failures that they leave out.
  var metricsWithFailures: [String: StoredMetric] {
    let bounds = FailureTimeouts(parameters)
    let failed = FailedPart(ofIterations: counters, errors: errors, isInterrupted: verdict == .interrupted).failed
    var metrics = metrics
    for (name, metric) in metrics {
      let hasOthers = MetricOrder.ofSetUp.contains(name) || tool == ExhaustionBenchmark.tool
      metrics[name]?.count(
        metric.failures ?? (hasOthers ? 0 : failed), at: bounds.nanoseconds(of: name).map { Double($0) / 1e6 })
    }
    return metrics
  }

  private enum Finding: String, CodingKey {
    case mergedRuns = "merged_runs"
  }

  private enum Key: String, CodingKey {
    case schema, tool, version, build, label, startedAt, durationSeconds, verdict, parameters, target, environment
    case metrics, counters, generator, errors, findings
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    guard let schema = try? container.decode(String.self, forKey: .schema), schema.hasPrefix("infrabench.result/")
    else { throw OtherSchema() }
    guard schema == "infrabench.result/1" else {
      throw NewerSchema(name: schema)
    }
    tool = try container.decode(String.self, forKey: .tool)
    version = try container.decode(String.self, forKey: .version)
    build = try container.decode(String.self, forKey: .build)
    label = try container.decodeIfPresent(String.self, forKey: .label)
    startedAt = try container.decode(String.self, forKey: .startedAt)
    durationSeconds = try container.decode(Double.self, forKey: .durationSeconds)
    verdict = try container.decode(ResultDocument.Verdict.self, forKey: .verdict)
    parameters = try container.decode([String: JSONValue].self, forKey: .parameters)
    target = try container.decode(Target.self, forKey: .target)
    environment = try container.decode(EnvironmentFacts.self, forKey: .environment)
    metrics = try container.decode([String: StoredMetric].self, forKey: .metrics)
    counters = try container.decode([String: UInt64].self, forKey: .counters)
    generator = try container.decode(Generator.self, forKey: .generator)
    errors = (try? container.decode([ResultDocument.Failure].self, forKey: .errors)) ?? []
    let findings = try? container.nestedContainer(keyedBy: Finding.self, forKey: .findings)
    isMerged = findings?.contains(.mergedRuns) ?? false
  }
}
