import Latency
import NIOCore
import TestSupport
import Testing
import Transport

@testable import LoadEngine

@Suite struct GeneratorTests {
  private func report(
    lateness: Nanoseconds? = nil, starts: UInt64? = nil, late: UInt64? = nil, busiest: Double = 0,
    blocked: Bool = false, throttled: Double = 0, judgesLateness: Bool = true
  ) -> GeneratorReport {
    var report = GeneratorReport(cpuUtilisation: 0.5, latenessP99: lateness, starts: starts, busiestSecond: busiest)
    report.lateStarts = late
    report.latest = lateness
    report.wasBlocked = blocked
    report.throttledShare = throttled
    report.throttledPeriods = 31
    report.judgesLateness = judgesLateness
    return report
  }

  @Test func nothingIsWrongAtTheBounds() {
    for report in [
      report(), report(lateness: 1), report(lateness: .milliseconds(1), starts: 100, busiest: 0.9, throttled: 0.01),
    ] {
      #expect(!report.saturated && report.notes == [])
    }
  }

  @Test func theReasonNamesTheFigure() {
    let reasons: [(GeneratorReport, String)] = [
      (report(lateness: .microseconds(4_040)), "starts were late: P99 4.04 ms, over 1 ms"),
      (
        report(lateness: .microseconds(4_040), starts: 100, late: 2, busiest: 1),
        "starts were late: P99 4.04 ms, over 1 ms"
      ),
      (
        report(lateness: .microseconds(1_200), starts: 20, late: 2),
        "2 of 20 starts were more than 1 ms late, the latest 1.20 ms"
      ),
      (
        report(lateness: 1_000_447, starts: 99, late: 99),
        "99 of 99 starts were more than 1 ms late, the latest 1.0004 ms"
      ),
      (
        report(lateness: 1, busiest: 0.97), "a load thread used a CPU or waited for one for 97 % of a second, over 90 %"
      ),
      (report(busiest: 0.9004), "a load thread used a CPU or waited for one for 90.04 % of a second, over 90 %"),
      (report(busiest: 1.3), "a load thread used a CPU or waited for one for 100 % of a second, over 90 %"),
      (
        report(busiest: 1, blocked: true),
        "a load thread did not get to its work for 100 % of a second, over 90 %: the process was stopped, or a lock or a "
          + "quota held it"
      ),
      (
        report(lateness: .milliseconds(80), busiest: 1, blocked: true, throttled: 0.874),
        "the CPU quota kept the generator from running for 87 % of the run, over 1 % (nr_throttled 31 in cpu.stat)"
      ),
      (
        report(throttled: 0.0104),
        "the CPU quota kept the generator from running for 1.04 % of the run, over 1 % (nr_throttled 31 in cpu.stat)"
      ),
    ]
    for (report, reason) in reasons { #expect(report.saturatedReason == reason) }
  }

  @Test func oneLateStartOfFewIsANote() {
    for (starts, text) in [(1, "1"), (99, "99")] as [(UInt64, String)] {
      let report = report(lateness: 12_345_678, starts: starts, late: 1)
      #expect(!report.saturated)
      #expect(
        report.notes == [
          "one of \(text) starts was 12.35 ms late because of the generator: its latency has that in it"
        ])
    }
  }

  @Test func latenessOfAClosedLoopIsANoteAndNoReason() {
    let report = report(lateness: 12_345_678, starts: 1000, late: 500, judgesLateness: false)
    #expect(!report.saturated && report.notes.count == 1 && report.notes[0].contains("12.35 ms (P99)"))
    #expect(self.report(lateness: .microseconds(900), starts: 1000, late: 0, judgesLateness: false).notes == [])
  }

  @Test func waitingForAFreeUserIsNoSaturation() {
    let report = GeneratorReport(cpuUtilisation: 0, latenessP99: 1, backlogMax: 1_000_000, busiestSecond: 0)
    #expect(!report.saturated)
  }

  static let schedstats: [(String, ThreadUsage?)] = [
    ("123 45 6\n", ThreadUsage(cpu: 123, waiting: 45)), ("1 2", ThreadUsage(cpu: 1, waiting: 2)),
    (" 7\t8  9 10", ThreadUsage(cpu: 7, waiting: 8)),
    ("18446744073709551615 0 0", ThreadUsage(cpu: .max, waiting: 0)), ("", nil), ("1", nil), ("a b c", nil),
    ("-1 2 3", nil),
    ("1 -2 3", nil), ("18446744073709551616 0 0", nil), ("1.5 2 3", nil),
  ]

  @Test(arguments: schedstats) func schedstatIsParsed(_ text: String, _ expected: ThreadUsage?) {
    #expect(ThreadUsage.parse(text) == expected)
  }

  @Test func runningAndWantingToRunAreBothUse() {
    let earlier = ThreadUsage(cpu: 100, waiting: 50)
    #expect(ThreadUsage(cpu: 400, waiting: 150).used(since: earlier) == 400)
    #expect(earlier.used(since: earlier) == 0)
  }

  @Test func aThreadsLoadOnlyGrows() {
    let first = ThreadUsage.ofCallingThread()
    var sum: UInt64 = 0
    for number in 0..<2_000_000 as Range<UInt64> { sum &+= number &* number }
    let second = ThreadUsage.ofCallingThread()
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
      report.saturatedReason?.contains(starts < 100 ? "20 of 20 starts were more than 1 ms late" : "P99 2.50 ms")
        == true)
  }
}
