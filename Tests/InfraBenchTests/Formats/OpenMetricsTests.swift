import Foundation
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results
import TextFormatting

@Suite struct OpenMetricsTests {
  private static let isAvailable = Python.canImport("prometheus_client.openmetrics.parser")

  @Test func theTextIsTheGoldenOne() throws {
    try Golden.expect(OpenMetricsReport(SampleDocuments.typical).text, "report.prom")
  }

  /// node_exporter skips files with timestamps, and its parser refuses types that the older format did not have.
  @Test func thereIsNothingThatTheOlderParserRefuses() throws {
    for document in [SampleDocuments.typical, SampleDocuments.hostile] {
      let lines = try OpenMetricsReport(document).text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.last == "" && lines.dropLast().last == "# EOF")
      for line in lines.dropLast() {
        if line.hasPrefix("# TYPE ") {
          #expect(["counter", "gauge", "histogram"].contains(line.split(separator: " ").last))
        } else if !line.hasPrefix("#") {
          let value = try #require(line.split(separator: "} ").last)
          #expect(Double(value) != nil && !value.contains(" "), "\(line)")
        }
      }
    }
  }

  @Test func latenessIsAbsentWhereNothingWasStarted() throws {
    var document = SampleDocuments.typical
    let name = "infrabench_generator_schedule_lateness_p50_seconds"
    #expect(
      try OpenMetricsReport(document).text.contains("\(name){tool=\"bench-allocation\",target=\"embedded\"} 4e-05\n"))
    document.generator.scheduleLatenessP50Ms = nil
    #expect(try !OpenMetricsReport(document).text.contains(name))
  }

  @Test func aRunsLabelsAreThoseThatStayTheSame() throws {
    var document = SampleDocuments.typical
    #expect(
      try OpenMetricsReport(document).text.contains(
        #"infrabench_errors_total{tool="bench-allocation",target="embedded"} 1"#))
    document.label = "nightly"
    document.target = .init(kind: "remote", gatewayUrl: "https://gw.example", ecsEndpointUrl: nil)
    #expect(try OpenMetricsReport(document).text.contains(#"label="nightly",target="https://gw.example"} 1"#))
    document.target = .init(kind: "remote", gatewayUrl: nil, ecsEndpointUrl: "https://ecs.example")
    #expect(document.stableTarget == "https://ecs.example")
    document.target = .init(kind: "directory", gatewayUrl: nil, ecsEndpointUrl: nil, directory: "/mnt/efs")
    #expect(document.stableTarget == "/mnt/efs")
    document.parameters["root"] = "temporary"
    #expect(document.stableTarget == "directory")
  }

  @Test func aHistogramThatCannotBeDecodedIsAnErrorNotAnEmptyOne() {
    var document = SampleDocuments.typical
    document.metrics["allocation"]?.histogram.data = "HISTFAAAA"
    #expect(throws: HistogramError.self) { try OpenMetricsReport(document) }
  }

  @Test func numbersAreWrittenAsTheFormatHasThem() {
    for (number, text) in [
      (0.00001, "1e-05"), (0.000025, "2.5e-05"), (0.0001, "0.0001"), (1, "1.0"), (60, "60.0"), (.infinity, "+Inf"),
      (-.infinity, "-Inf"), (.nan, "NaN"), (1_795_208_400.123, "1795208400.123"),
    ] as [(Double, String)] { #expect(MetricFamily.number(number) == text) }
  }

  /// Combining marks and line ends of two characters must not hide what has to be escaped.
  @Test func labelValuesAreEscapedWhateverStandsBesideThem() {
    #expect(MetricFamily.escape("a\"\u{301}b\\\u{301}c\r\nd\u{0}\u{2028}") == "a\\\"\u{301}b\\\\\u{301}c \\nd  ")
  }

  @Test(.enabled(if: isAvailable, "needs Python's prometheus_client; INFRABENCH_PYTHON names an interpreter"))
  func bothParsersOfAnotherHandReadTheSame() async throws {
    for document in [SampleDocuments.typical, SampleDocuments.hostile] {
      let text = try OpenMetricsReport(document).text
      let samples = try await Self.parsed(text, by: "openmetrics.parser")
      #expect(samples.count == text.split(separator: "\n").count { !$0.hasPrefix("#") })
      // The older format has no types of counters with this name: the same samples, in another order.
      #expect(Set(try await Self.parsed(text, by: "parser")) == Set(samples))
      for (name, number) in document.counters {
        #expect(samples.contains { $0.name == "infrabench_\(name)_total" && $0.value == Double(number) }, "\(name)")
      }
      let texts = Set(samples.flatMap(\.labels.values))
      for text in [document.label ?? document.tool.name, document.errors[0].kind, document.environment.hostname] {
        let expected = String(
          String.UnicodeScalarView(
            text.unicodeScalars.map { $0 == "\n" ? $0 : PlainText.line(String($0)).unicodeScalars.first ?? $0 }))
        #expect(texts.contains(expected), "\(expected.debugDescription)")
      }
      #expect(samples.contains { $0.name == "infrabench_run_start_timestamp_seconds" && $0.value == 1_795_208_400.123 })
    }
  }

  @Test(.enabled(if: isAvailable, "needs Python's prometheus_client; INFRABENCH_PYTHON names an interpreter"))
  func bucketsCountTheValuesThatAreAtMostTheirBound() async throws {
    var random = SeededRandom(seed: 7)
    // All sizes from 1 µs to an hour, and the bounds themselves.
    let values =
      (0..<5000).map { _ in UInt64(pow(10, Double.random(in: 3...12.5, using: &random))) }
      + HistogramBuckets.bounds.map(\.nanoseconds)
    var document = SampleDocuments.typical
    document.metrics = try ["allocation": #require(SampleDocuments.metric(values))]
    let samples = try await Self.parsed(OpenMetricsReport(document).text, by: "openmetrics.parser")
    let buckets = samples.filter { $0.name == "infrabench_allocation_seconds_bucket" }
    #expect(buckets.count == HistogramBuckets.bounds.count + 1)
    for bucket in buckets {
      let bound = try #require(Double(bucket.labels["le"] == "+Inf" ? "inf" : bucket.labels["le"] ?? "")) * 1e9
      let most = values.count { Double($0) <= bound + 0.5 }
      let least = values.count { Double($0) <= bound * 0.999 }
      #expect(Double(least)...Double(most) ~= bucket.value, "\(bucket.labels)")
    }
    let sum = try #require(samples.first { $0.name == "infrabench_allocation_seconds_sum" })
    let exact = values.reduce(0.0) { $0 + Double($1) } / 1e9
    #expect(abs(sum.value - exact) < exact * 0.001)
    #expect(samples.contains { $0.name == "infrabench_allocation_seconds_count" && $0.value == Double(values.count) })
  }

  /// The share below a bound and the percentile beside it never contradict one another.
  @Test func bucketsAgreeWithPercentiles() throws {
    var random = SeededRandom(seed: 11)
    var histogram = LatencyHistogram()
    for _ in 0..<2000 { histogram.record(UInt64(pow(10, Double.random(in: 4...10, using: &random)))) }
    for (bound, count) in zip(HistogramBuckets.bounds, HistogramBuckets.cumulativeCounts(of: histogram)) {
      for percentile in [1.0, 25, 50, 90, 99, 99.9] {
        let isBelow = histogram.value(atPercentile: percentile) <= bound.nanoseconds
        #expect(isBelow == (Double(count) * 100 >= percentile * 2000), "\(percentile), \(bound)")
      }
    }
  }

  @Test func theLadderGrows() {
    #expect(HistogramBuckets.bounds == HistogramBuckets.bounds.sorted() && Set(HistogramBuckets.bounds).count == 22)
    #expect(HistogramBuckets.bounds.first == .microseconds(10) && HistogramBuckets.bounds.contains(.milliseconds(25)))
    #expect(HistogramBuckets.cumulativeCounts(of: LatencyHistogram()) == Array(repeating: 0, count: 22))
  }

  struct Sample: Decodable, Hashable {
    var name: String
    var labels: [String: String]
    var value: Double
  }

  /// The samples that `prometheus_client.<module>` finds in a text.
  static func parsed(_ text: String, by module: String) async throws -> [Sample] {
    let scratch = try ScratchDirectory()
    let script = """
      import json, sys
      from prometheus_client.\(module) import text_fd_to_metric_families as parse
      samples = []
      for family in parse(open(sys.argv[1], newline="\\n", encoding="utf-8")):
          if family.type not in ("counter", "gauge", "histogram", "unknown"):
              sys.exit("unexpected type " + family.type)
          samples += [{"name": s.name, "labels": s.labels, "value": s.value} for s in family.samples]
      json.dump(samples, sys.stdout)
      """
    let result = try await Python.run(["-c", script, try scratch.write("metrics.prom", text)])
    try #require(result.status == 0, "\(result.output)")
    return try JSONDecoder().decode([Sample].self, from: Data(result.output.utf8))
  }
}
