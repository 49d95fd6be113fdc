import Latency
import NIOCore
import Testing
import Transport

@testable import LoadEngine

@Suite struct GeneratorTests {
  static let judgements: [(UInt64?, Double, String?)] = [
    (nil, 0, nil), (1, 0, nil), (1_000_000, 0.9, nil), (1_000_001, 0, "late"), (nil, 0.91, "busy"),
    (2_000_000, 1, "late"), (.max, 0, "late"),
  ]

  @Test(arguments: judgements) func theGeneratorJudgesItself(_ lateness: UInt64?, _ busiest: Double, _ reason: String?)
  {
    let report = GeneratorReport(cpuUtilisation: 0.5, latenessP99: lateness, busiestSecond: busiest)
    #expect(report.saturated == (reason != nil))
    if let reason { #expect(report.saturatedReason?.contains(reason) ?? false) }
  }

  static let reasons: [(UInt64?, UInt64?, Double, String)] = [
    (4_040_000, nil, 0, "starts were late: P99 4.04 ms, over 1 ms"),
    (4_040_000, 100, 1, "starts were late: P99 4.04 ms, over 1 ms"),
    (1_200_000, 20, 0, "the latest of 20 starts was 1.20 ms late, over 1 ms"),
    (12_345_678, 1, 0, "the only start was 12.35 ms late, over 1 ms"),
    (1_000_447, 99, 0, "the latest of 99 starts was 1.0004 ms late, over 1 ms"),
    (1, 5, 0.97, "a load thread was busy for 97 % of a second, over 90 %"),
    (nil, nil, 0.9004, "a load thread was busy for 90.04 % of a second, over 90 %"),
    (nil, nil, 1.3, "a load thread was busy for 100 % of a second, over 90 %"),
  ]

  @Test(arguments: reasons) func theReasonNamesTheFigure(
    _ lateness: UInt64?, _ starts: UInt64?, _ busiest: Double, _ reason: String
  ) {
    let report = GeneratorReport(
      cpuUtilisation: 0.5, latenessP99: lateness, starts: starts, busiestSecond: busiest)
    #expect(report.saturatedReason == reason)
  }

  @Test func waitingForAFreeUserIsNoSaturation() {
    let report = GeneratorReport(cpuUtilisation: 0, latenessP99: 1, backlogMax: 1_000_000, busiestSecond: 0)
    #expect(!report.saturated)
  }

  static let schedstats: [(String, LoopLoad?)] = [
    ("123 45 6\n", LoopLoad(cpu: 123, waiting: 45)), ("1 2", LoopLoad(cpu: 1, waiting: 2)),
    (" 7\t8  9 10", LoopLoad(cpu: 7, waiting: 8)),
    ("18446744073709551615 0 0", LoopLoad(cpu: .max, waiting: 0)), ("", nil), ("1", nil), ("a b c", nil),
    ("-1 2 3", nil),
    ("1 -2 3", nil), ("18446744073709551616 0 0", nil), ("1.5 2 3", nil),
  ]

  @Test(arguments: schedstats) func schedstatIsParsed(_ text: String, _ expected: LoopLoad?) {
    #expect(LoopLoad.parse(text) == expected)
  }

  @Test func theShareCountsRunningAndWantingToRun() {
    let earlier = LoopLoad(cpu: 100, waiting: 50)
    #expect(LoopLoad(cpu: 400, waiting: 150).share(since: earlier, over: 1000) == 0.4)
    #expect(earlier.share(since: earlier, over: 1000) == 0)
    #expect(earlier.share(since: earlier, over: 0) == 0)
  }

  @Test func aThreadsLoadOnlyGrows() {
    let first = LoopLoad.ofCallingThread()
    var sum: UInt64 = 0
    for number in 0..<2_000_000 as Range<UInt64> { sum &+= number &* number }
    let second = LoopLoad.ofCallingThread()
    #expect(second.cpu >= first.cpu && second.waiting >= first.waiting && sum > 0)
  }

  @Test func theMonitorTellsOfARunWithoutStarts() async {
    let monitor = GeneratorMonitor(LoopGroup())
    let report = await monitor.finish(Recording(Catalogue(metrics: ["m"], counters: [])))
    #expect(report.latenessP99 == nil && report.cpuUtilisation >= 0 && !report.saturated)
  }

  @Test(arguments: [20, 100]) func theReasonOfSaturationKnowsHowManyStartsThereWere(_ starts: Int) async {
    let monitor = GeneratorMonitor(LoopGroup())
    var recording = Recording(Catalogue(metrics: ["m"], counters: []))
    var record = IterationRecord()
    record.wrote(at: 10_000_000)
    for _ in 0..<starts { recording.add(record, dueAt: 7_500_000) }
    let report = await monitor.finish(recording)
    #expect(report.starts == UInt64(starts))
    #expect(
      report.saturatedReason?.contains(starts < 100 ? "the latest of 20 starts was 2.50 ms" : "P99 2.50 ms") == true)
  }
}
