import FoundationEssentials

extension StoredRun {
  /// What a file of JSON holds.
  enum Reading {
    case run(StoredRun)
    /// JSON, but no result.
    case somethingElse
    case broken(String)
  }

  /// Reads a document, which may hold anything.
  static func read(_ data: Data, of file: StoredFile) -> Reading {
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

  private init(_ document: Document, file: StoredFile) {
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
    let bounds = FailureBounds(parameters)
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
