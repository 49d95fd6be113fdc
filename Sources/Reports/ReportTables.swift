import Latency

/// The tables that the text and the Markdown report share.
struct ReportTables {
  let document: ResultDocument

  /// Percentiles and the maximum per metric; marks: `*` few samples beyond, `^` the maximum, `!` unreliable.
  var percentiles: TextTable {
    let isPolled = metrics.contains { $0.1.resolution != nil }
    var table = TextTable(
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

  /// What the marks that are shown mean.
  var legend: [String] {
    let shown = document.metrics.values.flatMap { metric in MetricDocument.failable.compactMap(metric.mark) }
    let polled = "resolution: found by polling, a time may have been shorter than shown by at most so much"
    let isPolled = document.metrics.values.contains { $0.resolution != nil }
    return MetricDocument.Mark.legend(of: Set(shown)) + (isPolled ? [polled] : [])
  }

  var thresholds: TextTable {
    var table = TextTable(["threshold", "observed", "result"])
    for threshold in document.thresholds {
      let result = threshold.skipped == true ? "skipped" : threshold.pass ? "pass" : "FAIL"
      let reason = threshold.reason.map { " (\($0))" } ?? ""
      table.add([threshold.expression, Self.observed(threshold), result + reason])
    }
    return table
  }

  /// Counters with their share of the iterations, where it is a share; of what became no iteration, the share of all starts
  /// that were due.
  var counters: TextTable {
    var table = TextTable(["counter", "number", "of iterations"])
    let iterations = document.counters["iterations"] ?? 0
    for (name, number) in document.counters.sorted(by: { order($0.key, $1.key) }) {
      table.add([name, "\(number)", share(of: name, number, iterations: iterations)])
    }
    return table
  }

  private func share(of name: String, _ number: UInt64, iterations: UInt64) -> String {
    if Self.notIterations.contains(name), number > 0 {
      return NumberText.percent(Double(number) / Double(document.startsDue)) + " of due"
    }
    guard name != "iterations", !Self.others.contains(name), iterations > 0, number <= iterations else { return "" }
    return NumberText.percent(Double(number) / Double(iterations))
  }

  /// Counters of something else than iterations, of which there are any number in one.
  private static let others: Set<String> = [
    "polls", "throttled_polls", "lost_polls", "tasks_started", "tasks_stopped", "connected_before_running", "throttles",
    "retries", "reconnects", "questions",
  ]

  /// Counters of starts that became no iteration.
  private static let notIterations: Set<String> = ["dropped", "censored"]

  var errors: TextTable {
    var table = TextTable(["error", "count", "first example"])
    for error in document.errors { table.add([error.kind, "\(error.count)", error.example]) }
    return table
  }

  var parameters: TextTable {
    var table = TextTable(["parameter", "value"])
    for (name, value) in document.parameters.sorted(by: { $0.key < $1.key }) { table.add([name, value.description]) }
    return table
  }

  var machine: TextTable {
    let facts = document.environment
    var table = TextTable(["fact", "value"])
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
    let order = MetricOrder.of(document.tool)
    return document.metrics.sorted { first, second in
      let left = order.firstIndex(of: first.key) ?? Int.max
      let right = order.firstIndex(of: second.key) ?? Int.max
      return left == right ? first.key < second.key : left < right
    }
  }

  /// What the tool is there to measure, if there is a sample of it.
  var headline: (name: String, metric: MetricDocument)? {
    guard let names = MetricOrder.headlines(of: document.tool) else {
      return metrics.first { !MetricOrder.ofSetUp.contains($0.0) }.map { ($0.0, $0.1) }
    }
    return names.lazy.compactMap { name in document.metrics[name].map { (name, $0) } }.first
  }

  /// A threshold that was crossed, with what was observed, in one line.
  static func crossing(of threshold: ResultDocument.JudgedThreshold) -> String {
    "\(threshold.expression): observed \(observed(threshold))" + (threshold.reason.map { " (\($0))" } ?? "")
  }

  /// A threshold's observed value in its own unit.
  static func observed(_ threshold: ResultDocument.JudgedThreshold) -> String {
    guard let value = threshold.observed else { return "no sample" }
    switch threshold.observedUnit {
    case .percent: return "\(NumberText.decimals(value, 2))%"
    case .milliseconds: return NumberText.time(milliseconds: value)
    case .none: return NumberText.decimals(value, 0)
    }
  }

  private func order(_ left: String, _ right: String) -> Bool {
    let first = ["iterations", "errors", "timeouts"]
    let leftPlace = first.firstIndex(of: left) ?? first.count
    let rightPlace = first.firstIndex(of: right) ?? first.count
    return leftPlace == rightPlace ? left < right : leftPlace < rightPlace
  }
}

extension MetricDocument {
  /// What makes a percentile or a maximum mean less than it seems to.
  package enum Mark: String, CaseIterable, Sendable {
    case maximum = "^"
    case fewSamples = "*"
    case unreliable = "!"

    /// For tables that machines read.
    var words: String {
      switch self {
      case .unreliable: "unreliable"
      case .maximum: "maximum"
      case .fewSamples: "few samples"
      }
    }

    /// A line for each of `marks`.
    static func legend(of marks: Set<Mark>) -> [String] {
      allCases.filter(marks.contains).map { "\($0.rawValue) \($0.meaning)" }
    }

    private var meaning: String {
      switch self {
      case .maximum: "no sample lies beyond this percentile: it is the maximum"
      case .fewSamples: "fewer than 10 samples lie beyond this percentile: it rests on few"
      case .unreliable:
        "so many iterations failed or were not finished that this says nothing: of a maximum one is enough"
      }
    }
  }

  /// The strongest mark of a percentile or of `max`; nil for other statistics.
  func mark(of statistic: String) -> Mark? {
    if unreliable.contains(statistic) { return .unreliable }
    if restOnMaximum.contains(statistic) { return .maximum }
    return fewSamples.contains(statistic) ? .fewSamples : nil
  }
}

extension ResultDocument {
  /// All starts that were due, whatever became of them.
  var startsDue: UInt64 { ["iterations", "dropped", "censored"].reduce(0) { $0 &+ (counters[$1] ?? 0) } }
}

extension ResultDocument.JudgedThreshold {
  enum Unit: String {
    case milliseconds = "ms"
    case percent = "%"
    case none = ""
  }

  /// The unit of the observed value, which is that of the expression's subject.
  var observedUnit: Unit {
    let subject = expression.prefix { $0 != " " }
    if subject.hasSuffix(".rate") { return .percent }
    return subject.contains(".") && !subject.hasSuffix(".count") ? .milliseconds : .none
  }
}

/// What came of the load that was asked for, where iterations follow one another: a line for people.
struct Throughput {
  let document: ResultDocument

  /// Up to so many iterations are a few, which have no throughput to speak of.
  private static let few: Int64 = 100

  /// nil for bursts, and for closed loops of a few iterations.
  var line: String? {
    let parts = document.parameters["maxInFlight"] != nil ? openLoop : closedLoop
    return parts.isEmpty ? nil : parts.joined(separator: " · ")
  }

  /// What became of what was due: the schedule makes the rate, and the target what came of it.
  private var openLoop: [String] {
    var parts = ["\(document.startsDue) starts due"]
    let asked = [stages, text("rate")].compactMap { $0 }
    if !asked.isEmpty { parts.append("asked for \(asked.joined(separator: " from "))") }
    parts.append("\(document.counters["iterations"] ?? 0) finished")
    if document.generator.backlogMax > 0 {
      parts.append("up to \(document.generator.backlogMax) waited for a free user")
    }
    return parts + number(of: "dropped", "dropped") + number(of: "censored", "not finished")
  }

  private var closedLoop: [String] {
    guard document.parameters["bursts"] == nil, document.durationSeconds > 0 else { return [] }
    guard text("duration") != nil || stages != nil || hasManyIterations else { return [] }
    // A user that did not get in made no start.
    var failedSetUps: UInt64 = 0
    if case .int(let number)? = document.findings?[Measurement.failedSetUps] { failedSetUps = UInt64(max(0, number)) }
    let iterations = document.counters["iterations"] ?? 0
    let rate = Double(iterations - min(iterations, failedSetUps)) / document.durationSeconds
    return ["\(NumberText.decimals(rate, 1))/s finished"] + (stages.map { [$0] } ?? [])
      + number(of: "censored", "not finished")
  }

  private var hasManyIterations: Bool {
    guard case .int(let count) = document.parameters["count"] else { return false }
    return count > Self.few
  }

  private var stages: String? { text("stages").map { "stages \($0)" } }

  private func number(of counter: String, _ what: String) -> [String] {
    guard let number = document.counters[counter], number > 0 else { return [] }
    return ["\(number) \(what)"]
  }

  private func text(_ parameter: String) -> String? {
    guard case .string(let text) = document.parameters[parameter] else { return nil }
    return text
  }
}

/// Which percentiles of a result rest on too few samples, and how many they would need.
struct TooFewSamples {
  /// A line for all metrics that lack the same, in the order of reports.
  let lines: [String]

  /// - Parameter document: with its histograms' own figures, as ``StoredResult`` has it.
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

  /// The smallest number of which ten come after the percentile's rank, which is rounded up: 1,000 for P99.
  static func samples(for percentile: Double) -> UInt64 {
    // In thousandths, which are whole for every percentile here.
    let beyond = 1000 - UInt64((percentile * 10).rounded())
    return (10 * 1000 + beyond - 1) / beyond
  }

  /// For a terminal; nil where all percentiles rest on enough.
  var text: String? { lines.isEmpty ? nil : "\(Self.title):\n" + lines.map { "\($0)\n" }.joined() }

  /// A section; nil where all percentiles rest on enough.
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
