import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct ThroughputTests {
  private func line(
    _ parameters: [String: JSONValue], iterations: UInt64 = 1950, dropped: UInt64 = 0, censored: UInt64 = 0,
    backlog: UInt64 = 0
  ) -> String? {
    var document = SampleDocuments.typical
    document.parameters = parameters
    document.durationSeconds = 10
    document.counters = ["iterations": iterations, "dropped": dropped, "censored": censored]
    document.generator.backlogMax = backlog
    return Throughput(document: document).line
  }

  @Test func anOpenLoopSaysWhatBecameOfWhatWasDue() {
    #expect(
      line(["maxInFlight": 4, "rate": "200/s", "duration": "10s"], dropped: 30, censored: 20, backlog: 552)
        == "2000 starts due · asked for 200/s · 1950 finished · up to 552 waited for a free user · 30 dropped · "
        + "20 not finished")
    #expect(
      line(["maxInFlight": 4, "rate": .null, "stages": "30s:10/s"])
        == "1950 starts due · asked for stages 30s:10/s · 1950 finished")
    #expect(
      line(["maxInFlight": 4, "rate": "5/s", "stages": "30s:10/s"], iterations: 7)
        == "7 starts due · asked for stages 30s:10/s from 5/s · 7 finished")
  }

  @Test func aClosedLoopSaysItsRate() {
    #expect(line(["concurrency": 5, "duration": "10s"]) == "195.0/s finished")
    #expect(
      line(["concurrency": 5, "stages": "5s:10"], censored: 3) == "195.0/s finished · stages 5s:10 · 3 not finished")
    #expect(line(["concurrency": 5, "count": 101, "duration": .null]) == "195.0/s finished")
  }

  @Test func aFewIterationsAndBurstsHaveNoThroughput() {
    #expect(line(["concurrency": 5, "count": 100]) == nil)
    #expect(line(["concurrency": 50, "count": 500, "bursts": 10]) == nil)
    #expect(line([:]) == nil)
  }
}
