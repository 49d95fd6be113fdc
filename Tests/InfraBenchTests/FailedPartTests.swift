import Latency
import Testing

@testable import InfraBench
@testable import Results

/// What the latencies of a metric leave out, and at what time it counts.
@Suite struct FailedPartTests {
  private func part(_ counters: [String: UInt64], stops: UInt64 = 0, interrupted: Bool = false) -> FailedPart {
    FailedPart(
      ofIterations: counters,
      errors: [
        .init(kind: "http_503", count: 1, example: ""),
        .init(kind: "stop_task: AccessDenied", count: stops, example: ""),
      ],
      isInterrupted: interrupted)
  }

  @Test func errorsAndWhatWasNotFinishedAreCounted() {
    let counters: [String: UInt64] = ["iterations": 90, "errors": 4, "censored": 10]
    #expect(part(counters) == FailedPart(14, of: 100))
    #expect(part(counters, interrupted: true) == FailedPart(4, of: 90))
    #expect(part([:]) == .none && FailedPart.none.share == 0)
  }

  /// A task that could not be stopped behind the run is an error, and no failed iteration.
  @Test func errorsOutsideOfIterationsAreNone() {
    #expect(part(["iterations": 90, "errors": 4], stops: 3) == FailedPart(1, of: 90))
    #expect(part(["iterations": 90, "errors": 4], stops: 4) == FailedPart(0, of: 90))
    #expect(part(["iterations": 90, "errors": 4], stops: .max).failed == 0)
  }

  @Test func countsOfAStoredDocumentMayBeAnything() {
    #expect(part(["iterations": .max, "errors": .max, "censored": .max]) == FailedPart(.max, of: .max))
  }

  @Test func settingUpAnswersForNoIteration() {
    var document = StoredSamples.run([1_000_000], errors: 1)
    document.metrics["connect"] = SampleDocuments.metric([1000])
    #expect(document.failedPart(of: "allocation") == FailedPart(1, of: 2))
    #expect(document.failedPart(of: "connect") == .none)
  }

  @Test func populationsOfTheirOwnCountTheirOwnFailures() {
    var document = SampleDocuments.polled
    document.counters["errors"] = 5
    #expect(document.failedPart(of: "drain") == .none)
    document.metrics["refill_full"]?.failures = 1
    #expect(document.failedPart(of: "refill_full") == FailedPart(1, of: 3))
  }

  @Test(
    arguments: [
      ("bench-allocation", "allocation", .seconds(30)), ("bench-exhaustion", "refill_full", .seconds(300)),
      ("bench-exhaustion", "refill_task", .seconds(300)), ("bench-exhaustion", "placement", .seconds(30)),
      ("bench-exhaustion", "drain", .seconds(30)), ("bench-e2e", "end_to_end_cold", .seconds(120)),
      ("bench-e2e", "run_task", .seconds(120)), ("bench-concurrent", "cold", .seconds(120)),
      ("bench-of-tomorrow", "cold", .seconds(120)), ("bench-of-tomorrow", "unheard_of", .seconds(30)),
    ] as [(String, String, Nanoseconds)])
  func aFailureCountsAtTheTimeoutThatItsMetricCanMeet(_ tool: String, _ metric: String, _ timeout: Nanoseconds) {
    let tool = ToolDescriptions.suite.description(of: tool)
    let bounds = FailureTimeouts(tool, ["timeout": "30s", "refillTimeout": "5m", "startTimeout": "2m"])
    #expect(bounds.timeout(of: metric) == timeout)
  }

  @Test(arguments: [.null, 30, "soon", ""] as [JSONValue]) func aTimeoutThatIsNoneIsNoBound(_ value: JSONValue) {
    #expect(FailureTimeouts("bench-allocation", ["timeout": value]).timeout(of: "allocation") == nil)
    #expect(FailureTimeouts("bench-allocation", [String: JSONValue]()).timeout(of: "allocation") == nil)
  }
}
