import ArgumentParser
import FoundationEssentials
import Latency
import Testing
import TestSupport

@testable import InfraBench
@testable import LoadEngine
@testable import Reports
@testable import Results

/// Starts that are in no latency: what they do to the figures, and what is said of them.
@Suite struct LoadNoteTests {
  private static let catalogue = AllocationBenchmark.catalogue
  private static let open = ["--rate", "10/s", "--max-in-flight", "4"]

  private func document(
    finished: Int, failed: Int = 0, censored: UInt64 = 0, dropped: UInt64 = 0, backlog: UInt64 = 0,
    interrupted: Bool = false, arrivals: [String] = open
  ) throws -> ResultDocument {
    var recording = Recording(Self.catalogue)
    for number in 0..<finished {
      var record = IterationRecord()
      for metric in ["allocation", "connect"] { record.sample(Self.catalogue.metric(metric), 1_000_000) }
      if number < failed { record.fail("http_503", "") }
      recording.add(record, dueAt: 1_000_000_000)
    }
    recording.censor(censored)
    recording.drop(dropped)
    var reader = OptionReader(environment: [:])
    let benchmark = AllocationBenchmark(
      target: reader.target(try TargetOptions.parse([])),
      load: reader.load(try LoadOptions.parse([]), try ArrivalOptions.parse(arrivals), defaultCount: 10),
      waitFor: .assigned, holds: false)
    let parser = ThresholdParser(AllocationBenchmark.description)
    return ResultAssembly(
      measurement: Measurement(
        recording: recording,
        generator: GeneratorReport(cpuUtilisation: 0, latenessP99: nil, backlogMax: backlog, busiestSecond: 0),
        target: .init(kind: "remote", gatewayUrl: "http://h", ecsEndpointUrl: nil), startedAt: Date(), duration: 1),
      thresholds: try ["allocation.p50 < 1s", "allocation.p99 < 1s", "connect.p99 < 1s"].map { try parser.parse($0) },
      output: reader.output(try OutputOptions.parse([])), environment: [:], isInterrupted: interrupted,
      notes: ["said before"]
    ).document(of: benchmark)
  }

  @Test func unfinishedStartsMakePercentilesUnreliable() throws {
    let document = try document(finished: 80, censored: 20)
    #expect(document.metrics["allocation"]?.unreliable == ["p90", "p95", "p99", "p999", "max"])
    #expect(document.thresholds.map(\.pass) == [true, false, true] && document.verdict == .fail)
    #expect(
      document.notes == [
        "20 of 100 starts were still within their time-out when the run had to end: percentiles are of the others",
        "said before",
      ])
    #expect(document.counters["censored"] == 20 && document.counters["iterations"] == 80)
    #expect(document.counters["errors"] == 0)
  }

  @Test func failuresAndUnfinishedStartsAddUp() throws {
    // 4 and 1 of 100: 5 % are no more than P95 leaves; one more is.
    #expect(
      try document(finished: 99, failed: 4, censored: 1).metrics["allocation"]?.unreliable == ["p99", "p999", "max"])
    #expect(
      try document(finished: 99, failed: 5, censored: 1).metrics["allocation"]?.unreliable == [
        "p95", "p99", "p999", "max",
      ])
  }

  @Test func whatAnInterruptionCutOffSaysNothingOfTheTarget() throws {
    let document = try document(finished: 80, censored: 20, interrupted: true)
    #expect(document.metrics["allocation"]?.unreliable == [] && document.notes == ["said before"])
    #expect(document.counters["censored"] == 20)
  }

  @Test func settingUpIsNotMadeUnreliableByWhatCameLater() throws {
    let document = try document(finished: 10, failed: 9, censored: 90)
    #expect(document.metrics["connect"]?.unreliable == [])
    #expect(document.metrics["allocation"]?.unreliable == MetricDocument.failable)
    let connect = TextReport(document).text.split(separator: "\n").first { $0.hasPrefix("connect ") }
    #expect(connect?.contains("!") == false)
  }

  @Test(
    arguments: [
      (0, 1669, 0, open, ["1669 of 2000 starts were dropped: no latency shows them"]),
      (
        0, 0, 552, open,
        [
          "up to 552 starts waited because all 4 users were busy; if the target is to take more at once, "
            + "raise --max-in-flight"
        ]
      ),
      (
        0, 0, 1, ["--rate", "1/s", "--max-in-flight", "1"],
        [
          "up to 1 start waited because the only user was busy; if the target is to take more at once, "
            + "raise --max-in-flight"
        ]
      ),
      (0, 0, 5, [], []), (0, 0, 0, open, []),
      (
        1, 1, 0, open,
        [
          "1 of 333 starts was still within its time-out when the run had to end: percentiles are of the others",
          "1 of 333 starts was dropped: no latency shows them",
        ]
      ),
    ] as [(UInt64, UInt64, UInt64, [String], [String])])
  func startsThatWereDroppedOrWaitedAreNoted(
    _ censored: UInt64, _ dropped: UInt64, _ backlog: UInt64, _ arrivals: [String], _ notes: [String]
  ) throws {
    let document = try document(
      finished: 331, censored: censored, dropped: dropped, backlog: backlog, arrivals: arrivals)
    #expect(document.notes == notes + ["said before"])
  }
}
