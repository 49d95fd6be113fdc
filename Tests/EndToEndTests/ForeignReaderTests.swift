import Foundation
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Written results in the eyes of a library that nobody here wrote: Python's `hdrhistogram`.
@Suite(.timeLimit(.minutes(2))) struct ForeignReaderTests {
  private static let python = ProcessInfo.processInfo.environment["INFRABENCH_PYTHON"]

  private struct Figures: Decodable {
    var count: UInt64
    var min: UInt64
    var max: UInt64
    var valuesAtRanks: [UInt64]
  }

  /// Prints a line of figures per metric; percentiles by the rank that the definition gives, as this library rounds
  /// them to the nearest one.
  private static let script = """
    import json, math, sys
    from fractions import Fraction
    from hdrh.histogram import HdrHistogram
    document = json.load(open(sys.argv[1]))
    figures = {}
    for name, metric in document["metrics"].items():
        histogram = HdrHistogram.decode(metric["histogram"]["data"])
        count = histogram.total_count
        ranks = [math.ceil(Fraction(p) * count / 100) for p in ("50", "90", "95", "99", "99.9")]
        figures[name] = {
            "count": count, "min": histogram.get_min_value(), "max": histogram.get_max_value(),
            "valuesAtRanks": [histogram.get_value_at_percentile(100 * rank / count) for rank in ranks]}
    json.dump(figures, sys.stdout)
    """

  @Test(
    .wholeSuiteOnly, .enabled(if: python != nil, "set INFRABENCH_PYTHON to a Python that has the package hdrhistogram"))
  func pythonReadsTheFiguresThatWerePrinted() async throws {
    let result = try await BenchRun.run(
      "bench-allocation", ["--count", "30", "--concurrency", "2", "--no-default-thresholds"] + BenchRun.smallPool)
    let document = try result.passedDocument()
    let name = try #require(result.files().keys.first { $0.hasSuffix(".json") })
    let child = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: Self.python ?? "", arguments: ["-c", Self.script, result.scratch("results/\(name)")],
        standardInput: .null, standardOutput: .pipe))
    #expect(await child.waitForExit() == .exited(0))
    let output = FileHandle(fileDescriptor: try #require(child.standardOutput).descriptor, closeOnDealloc: false)
    let figures = try JSONDecoder().decode([String: Figures].self, from: output.readDataToEndOfFile())
    #expect(figures.keys.sorted() == document.metrics.keys.sorted())
    for (name, metric) in document.metrics {
      let read = try #require(figures[name])
      #expect(read.count == metric.count, "\(name)")
      #expect(Double(read.min) / 1e6 == metric.min && Double(read.max) / 1e6 == metric.max, "\(name)")
      let printed = [metric.p50, metric.p90, metric.p95, metric.p99, metric.p999]
      #expect(read.valuesAtRanks.map { Double($0) / 1e6 } == printed, "\(name)")
    }
  }
}
