import ArgumentParser
import FoundationEssentials
import Latency
import LoadEngine
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// From a saturated generator to the process's exit status.
@Suite struct SaturationExitTests {
  /// Measures nothing: it hands in what it was given.
  private struct Finished: Benchmark {
    static let description = ToolDescription(
      "bench-finished", headlines: ["allocation"], metrics: AllocationBenchmark.description.metrics,
      counters: AllocationBenchmark.description.counters, parameters: [])
    static let catalogue = description.catalogue
    var parameters: [String: JSONValue] { [:] }
    var busiestSecond: Double
    var latency: Nanoseconds

    func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
      var recording = Recording(Self.catalogue)
      recording.sample(Self.catalogue.metric("allocation"), latency)
      return Measurement(
        recording: recording,
        generator: GeneratorReport(cpuUtilisation: 1, latenessP99: 1, busiestSecond: busiestSecond),
        target: .init(kind: "embedded", gatewayUrl: nil, ecsEndpointUrl: nil), startedAt: Date(), duration: 1)
    }
  }

  @Test(
    arguments: [
      (1, 1, [], .thresholdCrossed), (1, 1, ["--allow-saturated"], .pass), (0, 1, ["--allow-saturated"], .pass),
      (0, 1, [], .pass), (1, .milliseconds(10), ["--allow-saturated"], .thresholdCrossed),
    ] as [(Double, Nanoseconds, [String], ToolExit)])
  func saturationFailsARunUnlessItIsAllowed(
    _ busiest: Double, _ latency: Nanoseconds, _ options: [String], _ exit: ToolExit
  ) async throws {
    let scratch = try ScratchDirectory()
    var reader = OptionReader(environment: [:])
    let options = try OutputOptions.parse(
      options + ["--output-dir", scratch.path, "--quiet", "--format", "md,openmetrics,csv"])
    let thresholds = [try ThresholdParser(Finished.description).parse("allocation.max < 5ms")]
    let runner = BenchmarkRunner(output: reader.output(options), thresholds: thresholds, environment: [:])
    #expect(await runner.run(Finished(busiestSecond: busiest, latency: latency)) == exit)
    #expect(exit.status == (exit == .pass ? 0 : 99))
    #expect(scratch.files.count == 3 && Set(scratch.files.map { $0.split(separator: ".").first }).count == 1)
    for file in scratch.files {
      let text = try String(contentsOfFile: "\(scratch.path)/\(file)", encoding: .utf8)
      let sign =
        file.hasSuffix(".md")
        ? "**Saturated**"
        : file.hasSuffix(".csv")
          ? ",saturated,,,1,"
          : "infrabench_generator_saturated{tool=\"bench-finished\",target=\"embedded\"} 1\n"
      #expect(text.contains(sign) == (busiest > 0.9), "\(file)")
    }
  }
}
