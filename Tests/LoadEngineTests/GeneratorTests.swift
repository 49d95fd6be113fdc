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
}
