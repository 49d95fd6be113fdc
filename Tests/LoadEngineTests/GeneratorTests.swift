import Latency
import NIOCore
import Testing
import Transport

@testable import LoadEngine

@Suite struct GeneratorTests {
  /// Starts that were so late, in ns, the busiest second, and why the generator is the bottleneck.
  static let judgements: [([UInt64], Double, String?)] = [
    ([], 0, nil), ([1, 1], 0, nil), ([990_000, 990_000], 0.9, nil), ([1_010_000, 1_010_000], 0, "late"),
    ([], 0.91, "busy"), ([2_000_000, 2_000_000], 1, "late"), ([.max, .max], 0, "late"),
    // One late start in a short run is the machine's doing; two in a hundred are the generator's.
    ([1, 1, 5_000_000], 0, nil), (Array(repeating: 1, count: 99) + [5_000_000], 0, nil),
    (Array(repeating: 1, count: 98) + [5_000_000, 5_000_000], 0, "late"),
    (Array(repeating: 1, count: 998) + [5_000_000, 5_000_000], 0, nil),
  ]

  @Test(arguments: judgements) func theGeneratorJudgesItself(_ lateness: [UInt64], _ busiest: Double, _ reason: String?)
  {
    let report = GeneratorReport(cpuUtilisation: 0.5, lateness: histogram(lateness), busiestSecond: busiest)
    #expect(report.saturated == (reason != nil))
    if let reason { #expect(report.saturatedReason?.contains(reason) ?? false) }
  }

  @Test func waitingForAFreeUserIsNoSaturation() {
    let report = GeneratorReport(
      cpuUtilisation: 0, lateness: histogram([1, 1]), backlogMax: 1_000_000, busiestSecond: 0)
    #expect(!report.saturated)
  }

  private func histogram(_ values: [UInt64]) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for value in values { histogram.record(value) }
    return histogram
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

  @Test func theMonitorTellsOfARunWithoutStarts() {
    let monitor = GeneratorMonitor(LoopGroup())
    let report = monitor.finish(Recording(Catalogue(metrics: ["m"], counters: [])))
    #expect(report.latenessP99 == nil && report.cpuUtilisation >= 0 && !report.saturated)
  }
}
