import FoundationEssentials
package import Latency
package import Results
import TextFormatting

/// A result as OpenMetrics text that Prometheus' older text parser reads too; node_exporter's textfile collector and
/// the Pushgateway use that parser. So the text has no timestamps, and only the types counter, gauge and histogram.
package struct OpenMetricsReport {
  package let text: String

  /// Makes the text.
  ///
  /// - Throws: ``HistogramError`` if a histogram of the document cannot be decoded.
  package init(_ document: ResultDocument) throws(HistogramError) {
    let labels = Self.labels(of: document)
    var families = Self.run(document, labels) + Self.generator(document.generator, labels)
    families += Self.thresholds(document.thresholds, labels)
    families += Self.counters(document.counters, labels)
    families.append(Self.errors(document.errors, labels))
    for (name, metric) in ReportTables(document: document).metrics {
      families.append(try Self.histogram(name, metric, labels))
    }
    text = families.map(\.text).joined() + "# EOF\n"
  }

  private typealias Labels = [(name: String, value: String)]

  /// The labels of all samples. They are equal for runs of one kind, so that these are one series.
  private static func labels(of document: ResultDocument) -> Labels {
    var labels: Labels = [("tool", document.tool.name)]
    if let label = document.label { labels.append(("label", label)) }
    labels.append(("target", document.stableTarget))
    if let profile = document.givenProfile { labels.append(("profile", profile)) }
    return labels
  }

  private static func run(_ document: ResultDocument, _ labels: Labels) -> [MetricFamily] {
    var info = MetricFamily("infrabench_run_info", .gauge, help: "The run: version and build of the tool; always 1.")
    let facts = document.environment
    let commit = facts.gitCommit.map { [("commit", $0)] } ?? []
    // A profile that the user gave is a label of all samples already.
    let profile = document.givenProfile == nil ? document.target.profile.map { [("profile", $0)] } ?? [] : []
    info.add(
      "",
      labels + profile + [("version", document.version), ("build", document.build), ("host", facts.hostname)] + commit,
      1 as UInt64)
    var start = MetricFamily(
      "infrabench_run_start_timestamp", .gauge, unit: "seconds", help: "When the run began, in Unix time.")
    if let date = try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(document.startedAt) {
      start.add("", labels, (date.timeIntervalSince1970 * 1000).rounded() / 1000)
    }
    var duration = MetricFamily(
      "infrabench_run_duration", .gauge, unit: "seconds", help: "The length of the run's measured part.")
    duration.add("", labels, document.durationSeconds)
    var passed = MetricFamily("infrabench_run_passed", .gauge, help: "1 if the run's verdict is pass, else 0.")
    passed.add("", labels, document.verdict == .pass ? 1 : 0 as UInt64)
    return [info, start, duration, passed]
  }

  private static func generator(_ generator: ResultDocument.Generator, _ labels: Labels) -> [MetricFamily] {
    var busy = MetricFamily(
      "infrabench_generator_cpu_utilisation", .gauge, unit: "ratio",
      help: "CPU time of the load generator over the time of the run; 1 is one core.")
    busy.add("", labels, generator.cpuUtilisation)
    let lateness = [("p50", generator.scheduleLatenessP50Ms), ("p99", generator.scheduleLatenessP99Ms)].map {
      percentile, milliseconds in
      var family = MetricFamily(
        "infrabench_generator_schedule_lateness_\(percentile)", .gauge, unit: "seconds",
        help: "\(percentile.uppercased()) of how late starts were by the generator's own fault.")
      if let milliseconds { family.add("", labels, milliseconds / 1000) }
      return family
    }
    var backlog = MetricFamily(
      "infrabench_generator_backlog_max", .gauge, help: "The most starts that waited for a free user at one time.")
    backlog.add("", labels, generator.backlogMax)
    var saturated = MetricFamily(
      "infrabench_generator_saturated", .gauge, help: "1 if the generator was the bottleneck of the run, else 0.")
    saturated.add("", labels, generator.saturated ? 1 : 0 as UInt64)
    return [busy] + lateness + [backlog, saturated]
  }

  /// Skipped thresholds are absent.
  private static func thresholds(_ thresholds: [ResultDocument.JudgedThreshold], _ labels: Labels) -> [MetricFamily] {
    var family = MetricFamily(
      "infrabench_threshold_passed", .gauge, help: "1 if the run met the threshold, 0 if it crossed it.")
    var seen: Set<String> = []
    for threshold in thresholds where threshold.skipped != true && seen.insert(threshold.expression).inserted {
      // The user may repeat a default threshold. Both are one series, which passes only if both pass.
      let passes = thresholds.allSatisfy { $0.expression != threshold.expression || $0.pass }
      family.add("", labels + [("expression", threshold.expression)], passes ? 1 : 0 as UInt64)
    }
    return [family]
  }

  private static func counters(_ counters: [String: UInt64], _ labels: Labels) -> [MetricFamily] {
    counters.sorted { $0.key < $1.key }.map { name, number in
      var family = MetricFamily("infrabench_\(name)", .counter, help: "The counter \(name) of a run's result.")
      family.add("_total", labels, number)
      return family
    }
  }

  private static func errors(_ errors: [ResultDocument.Failure], _ labels: Labels) -> MetricFamily {
    var family = MetricFamily("infrabench_errors_by_kind", .counter, help: "The errors of a run, by their kind.")
    for error in errors { family.add("_total", labels + [("kind", error.kind)], error.count) }
    return family
  }

  private static func histogram(
    _ name: String, _ metric: MetricDocument, _ labels: Labels
  ) throws(HistogramError) -> MetricFamily {
    let histogram = try HistogramV2Codec.decode(base64: metric.histogram.data)
    var family = MetricFamily(
      "infrabench_\(name)", .histogram, unit: "seconds", help: "The latency \(name) of a run, successes only.")
    for (bound, count) in zip(HistogramBuckets.bounds, HistogramBuckets.cumulativeCounts(of: histogram)) {
      family.add("_bucket", labels + [("le", MetricFamily.number(bound.seconds))], count)
    }
    family.add("_bucket", labels + [("le", "+Inf")], histogram.totalCount)
    family.add("_sum", labels, histogram.mean * Double(histogram.totalCount) / 1e9)
    family.add("_count", labels, histogram.totalCount)
    return family
  }
}

extension ResultDocument {
  /// The target without parts that differ between runs: the port of an embedded gateway, the name of a temporary
  /// directory.
  var stableTarget: String {
    switch target.kind {
    case "remote": target.gatewayUrl ?? target.ecsEndpointUrl ?? target.kind
    case "directory" where parameters["root"] != "temporary": target.directory ?? target.kind
    default: target.kind
    }
  }
}

/// One metric of an OpenMetrics exposition with its samples, as text.
/// https://prometheus.io/docs/specs/om/open_metrics_spec/, sections "Metric" and "Text format".
struct MetricFamily {
  enum Kind: String {
    case counter, gauge, histogram
  }

  /// The name with the unit at its end, without a counter's `_total`.
  var name: String
  var kind: Kind
  /// The unit, `seconds` or `ratio`; nil for a plain number.
  var unit: String?
  /// A constant sentence, which needs no escaping.
  var help: String
  private var samples: [(suffix: String, labels: [(name: String, value: String)], value: String)] = []

  init(_ name: String, _ kind: Kind, unit: String? = nil, help: String) {
    self.name = unit.map { "\(name)_\($0)" } ?? name
    self.kind = kind
    self.unit = unit
    self.help = help
  }

  mutating func add(_ suffix: String = "", _ labels: [(name: String, value: String)], _ value: UInt64) {
    samples.append((suffix, labels, "\(value)"))
  }

  mutating func add(_ suffix: String = "", _ labels: [(name: String, value: String)], _ value: Double) {
    samples.append((suffix, labels, Self.number(value)))
  }

  /// The family's lines, each with its line end; empty without samples.
  var text: String {
    guard !samples.isEmpty else { return "" }
    let unitLine = unit.map { "# UNIT \(name) \($0)\n" } ?? ""
    let lines = samples.map { sample in
      let labels = sample.labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }.joined(separator: ",")
      return "\(name)\(sample.suffix){\(labels)} \(sample.value)\n"
    }
    return "# TYPE \(name) \(kind.rawValue)\n\(unitLine)# HELP \(name) \(help)\n\(lines.joined())"
  }

  /// The shortest decimal that is parsed to `value`, which is also the canonical form of `le` (section "Canonical
  /// numbers").
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
    return "\(value)"
  }

  /// Escapes backslash, quotation mark and line feed (section "Label"). Other control characters become blanks, because
  /// some readers split lines at them or refuse them.
  static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result += PlainText.line(String(scalar))
      }
    }
    return result
  }
}

/// The bounds of the buckets in all exported histograms. All metrics and tools share them, so that runs can be added
/// up.
package enum HistogramBuckets {
  /// 1, 2.5 and 5 of each decade from 10 µs to 50 s, and 60 s.
  package static let bounds: [Nanoseconds] =
    [
      .microseconds(10), .microseconds(100), .milliseconds(1), .milliseconds(10), .milliseconds(100), .seconds(1),
      .seconds(10),
    ].flatMap { (decade: Nanoseconds) in [decade, decade / 2 * 5, decade * 5] } + [.seconds(60)]

  /// The number of values up to each of ``bounds``.
  ///
  /// A value is taken for the highest of its HDR bucket, as in percentiles. So each value counted below a bound is
  /// below it, but a value within an HDR bucket's width (0.1 %) below the bound may be counted above it.
  package static func cumulativeCounts(of histogram: LatencyHistogram) -> [UInt64] {
    var buckets = histogram.recordedBuckets()[...]
    var count: UInt64 = 0
    return bounds.map { bound in
      while let bucket = buckets.first, bucket.upper <= bound.nanoseconds {
        count += bucket.count
        buckets.removeFirst()
      }
      return count
    }
  }
}
