import Latency
package import Results
import TextFormatting

/// The tables that the text and the Markdown report share.
package struct ReportTables {
  let document: ResultDocument

  package init(document: ResultDocument) {
    self.document = document
  }

  /// Percentiles and the maximum per metric. The marks mean: `*` few samples beyond, `^` the maximum, `!` unreliable.
  var percentiles: Table {
    let isPolled = metrics.contains { $0.1.resolution != nil }
    var table = Table(
      ["metric", "count", "mean", "min", "P50", "P90", "P95", "P99", "P99.9", "max"] + (isPolled ? ["resolution"] : []))
    for (name, metric) in metrics {
      let figures = [
        ("p50", metric.p50), ("p90", metric.p90), ("p95", metric.p95), ("p99", metric.p99), ("p999", metric.p999),
      ]
      table.add(
        [
          name, "\(metric.count)", NumberText.time(milliseconds: metric.mean),
          NumberText.time(milliseconds: metric.min),
        ]
          + figures.map { NumberText.time(milliseconds: $0.1) + (metric.mark(of: $0.0)?.rawValue ?? "") }
          + [NumberText.time(milliseconds: metric.max) + (metric.mark(of: "max")?.rawValue ?? "")]
          + (isPolled ? [metric.resolution.map { "−" + NumberText.time(milliseconds: $0) } ?? ""] : []))
    }
    return table
  }

  /// The meanings of the marks in the table.
  var legend: [String] {
    let shown = document.metrics.values.flatMap { metric in MetricDocument.failable.compactMap(metric.mark) }
    let polled = "resolution: found by polling, a time may have been shorter than shown by at most so much"
    let isPolled = document.metrics.values.contains { $0.resolution != nil }
    return MetricDocument.Mark.legend(of: Set(shown)) + (isPolled ? [polled] : [])
  }

  var thresholds: Table {
    var table = Table(["threshold", "observed", "result"])
    for threshold in document.thresholds {
      let result = threshold.skipped == true ? "skipped" : threshold.pass ? "pass" : "FAIL"
      let reason = threshold.reason.map { " (\($0))" } ?? ""
      table.add([threshold.expression, threshold.observedText, result + reason])
    }
    return table
  }

  /// Counters with their share: of the iterations, or, for starts without an iteration, of all starts that were due.
  /// Counters of other things have no share.
  var counters: Table {
    var table = Table(["counter", "number", "of iterations"])
    let iterations = document.counters["iterations"] ?? 0
    for (name, number) in document.counters.sorted(by: { order($0.key, $1.key) }) {
      table.add([name, "\(number)", share(of: name, number, iterations: iterations)])
    }
    return table
  }

  /// A counter without a description comes from another version; it is taken for a share of the iterations.
  private func share(of name: String, _ number: UInt64, iterations: UInt64) -> String {
    switch document.tool.counter(name)?.share ?? .ofIterations {
    case .ofDue where number > 0: NumberText.percent(Double(number) / Double(document.startsDue)) + " of due"
    case .none: ""
    case .ofIterations where name == "iterations" || iterations == 0 || number > iterations: ""
    case .ofIterations, .ofDue: iterations == 0 ? "" : NumberText.percent(Double(number) / Double(iterations))
    }
  }

  var errors: Table {
    var table = Table(["error", "count", "first example"])
    for error in document.errors { table.add([error.kind, "\(error.count)", error.example]) }
    return table
  }

  var parameters: Table {
    var table = Table(["parameter", "value"])
    for (name, value) in document.parameters.sorted(by: { $0.key < $1.key }) { table.add([name, value.description]) }
    return table
  }

  var machine: Table {
    let facts = document.environment
    var table = Table(["fact", "value"])
    table.add(["host", facts.hostname])
    table.add(["system", "\(facts.os), \(facts.kernel)"])
    table.add(["CPU", "\(facts.cpu), \(facts.logicalCores) logical cores"])
    table.add(["memory", "\(facts.memoryBytes >> 20) MiB"])
    table.add(["Swift", facts.swift])
    if let commit = facts.gitCommit { table.add(["commit", commit]) }
    return table
  }

  /// Metrics in the tool's order where it is known, else by name.
  var metrics: [(String, MetricDocument)] {
    document.tool.sorted(document.metrics.keys).compactMap { name in document.metrics[name].map { (name, $0) } }
  }

  /// The tool's headline metric, if it has a sample. For an unknown tool it is the first metric that is no set-up
  /// phase.
  package var headline: (name: String, metric: MetricDocument)? {
    guard document.tool.isKnown else { return metrics.first { !document.tool.isSetUp($0.0) } }
    return document.tool.headline(among: document.metrics.keys).flatMap { name in
      document.metrics[name].map { (name, $0) }
    }
  }

  /// Reference figures that were measured elsewhere; nil without any.
  var references: Table? {
    let references = document.tool.references.filter { $0.needs.allSatisfy { document.metrics[$0] != nil } }
    guard !references.isEmpty else { return nil }
    var table = Table(["what", "figure"])
    for reference in references { table.add([reference.what, reference.figure]) }
    return table
  }

  private func order(_ left: String, _ right: String) -> Bool {
    let first = ["iterations", "errors", "timeouts"]
    let leftPlace = first.firstIndex(of: left) ?? first.count
    let rightPlace = first.firstIndex(of: right) ?? first.count
    return leftPlace == rightPlace ? left < right : leftPlace < rightPlace
  }
}

/// The throughput of a closed or an open loop, as a line for people.
struct Throughput {
  private let document: ResultDocument
  private let load: RequestedLoad

  /// A run of at most this many iterations is too short for a throughput.
  private static let few: Int64 = 100

  init(document: ResultDocument) {
    self.document = document
    load = document.load
  }

  /// The line; nil for bursts, and for closed loops of a few iterations.
  var line: String? {
    let parts =
      switch load.kind {
      case .openLoop: openLoop
      case .closedLoop: closedLoop
      case .bursts: [String]()
      }
    return parts.isEmpty ? nil : parts.joined(separator: " · ")
  }

  /// The starts that were due, and their outcomes. In an open loop the schedule sets the rate, and the target decides
  /// the outcomes.
  private var openLoop: [String] {
    // Of some of the shards no rate is that of the load.
    if document.fleet?.isPartial == true { return ["partial: \(document.startsDue) starts due in some of the shards"] }
    var parts = ["\(document.startsDue) starts due"]
    if let rates { parts.append(rates) }
    let asked = [stages, load.rate].compactMap { $0 }
    if !asked.isEmpty { parts.append("asked for \(asked.joined(separator: " from "))") }
    parts.append("\(document.counters["iterations"] ?? 0) finished")
    if document.generator.backlogMax > 0 {
      parts.append("up to \(document.generator.backlogMax) waited for a free user")
    }
    return parts + number(of: "dropped", "dropped") + number(of: "censored", "not finished")
  }

  /// The asked and the finished rate of all shards together. Starts were due for a shorter time than answers came.
  private var rates: String? {
    guard let fleet = document.fleet, fleet.startsSeconds > 0, document.durationSeconds > 0 else { return nil }
    let asked = Double(document.startsDue) / fleet.startsSeconds
    let finished = Double(document.counters["iterations"] ?? 0) / document.durationSeconds
    return "\(NumberText.decimals(asked, 1))/s due, \(NumberText.decimals(finished, 1))/s finished"
  }

  private var closedLoop: [String] {
    if document.fleet?.isPartial == true { return [] }
    let isLong = load.duration != nil || load.stages != nil || load.count ?? 0 > Self.few
    guard isLong, document.durationSeconds > 0 else { return [] }
    let iterations = document.counters["iterations"] ?? 0
    // A user whose set-up failed made no start.
    let rate = Double(iterations - min(iterations, document.failedSetUps)) / document.durationSeconds
    return ["\(NumberText.decimals(rate, 1))/s finished"] + (stages.map { [$0] } ?? [])
      + number(of: "censored", "not finished")
  }

  private var stages: String? { load.stages.map { "stages \($0)" } }

  private func number(of counter: String, _ what: String) -> [String] {
    guard let number = document.counters[counter], number > 0 else { return [] }
    return ["\(number) \(what)"]
  }
}

/// The percentiles of a result that rest on too few samples, and the number of samples that they need.
struct TooFewSamples {
  /// A line per group of metrics with equal needs, in the order of reports.
  let lines: [String]

  /// - Parameter document: its figures must come from its histograms, as in ``StoredResult``.
  init(_ document: ResultDocument) {
    var groups: [(needs: String, metrics: [String])] = []
    for (name, metric) in ReportTables(document: document).metrics where !metric.fewSamples.isEmpty {
      let needs = Self.needs(of: metric.fewSamples)
      let group = groups.firstIndex { $0.needs == needs } ?? groups.endIndex
      if group == groups.endIndex { groups.append((needs, [])) }
      groups[group].metrics.append("\(name) (\(NumberText.grouped(metric.count)))")
    }
    lines = groups.map { "\($0.metrics.joined(separator: ", ")): \($0.needs)" }
  }

  /// The smallest number of samples with ten beyond the percentile, whose rank is rounded up: 1,000 for P99.
  static func samples(for percentile: Double) -> UInt64 {
    // The share beyond in thousandths, which is a whole number for each percentile here.
    let beyond = 1000 - UInt64((percentile * 10).rounded())
    return (10 * 1000 + beyond - 1) / beyond
  }

  /// The text for a terminal; nil if all percentiles rest on enough samples.
  var text: String? { lines.isEmpty ? nil : "\(Self.title):\n" + lines.map { "\($0)\n" }.joined() }

  /// The section; nil if all percentiles rest on enough samples.
  var markdown: String? {
    lines.isEmpty ? nil : "## Samples\n\n\(Self.title):\n\n" + lines.map { "- \(Markdown.escape($0))\n" }.joined()
  }

  static let title = "Too few samples (a percentile needs 10 beyond it)"

  /// `P99 needs 1,000, P99.9 10,000`
  private static func needs(of percentiles: [String]) -> String {
    let needs = zip(MetricDocument.names, LatencySummary.percentiles).filter { percentiles.contains($0.0) }.map {
      name, percentile in
      (name == "p999" ? "P99.9" : name.uppercased(), NumberText.grouped(samples(for: percentile)))
    }
    return needs.enumerated().map { "\($1.0) \($0 == 0 ? "needs " : "")\($1.1)" }.joined(separator: ", ")
  }
}
