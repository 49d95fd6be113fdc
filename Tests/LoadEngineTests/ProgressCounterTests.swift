import Latency
import Testing

@testable import LoadEngine

@Suite struct ProgressCounterTests {
  @Test func whatWasBegunAndHasNotEndedIsInFlight() {
    let progress = ProgressCounter()
    for _ in 0..<5 { progress.begin() }
    progress.add(.success)
    progress.add(.failure(kind: "k", example: ""))
    progress.add(.censored)
    progress.provide(dropped: { 8 })
    progress.provide(waiting: { 9 })
    #expect(progress.started == 5 && progress.done == 2 && progress.failed == 1 && progress.inFlight == 2)
    #expect(progress.dropped == 8 && progress.waiting == 9 && ProgressCounter().waiting == 0)
  }

  @Test func loadsThatDoNotTellOfTheirStartsHaveNothingInFlight() {
    let progress = ProgressCounter()
    progress.add(.success)
    #expect(progress.inFlight == 0 && progress.started == 0)
  }

  @Test func percentilesComeFromWhoeverProvidesThem() throws {
    let progress = ProgressCounter()
    #expect(progress.percentiles == nil)
    progress.provide { (p50: 3, p99: 4) }
    let percentiles = try #require(progress.percentiles)
    #expect(percentiles == (3, 4))
    progress.provide { nil }
    #expect(progress.percentiles == nil)
  }
}
