import Foundation
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results
import Comparison

/// Whatever reads results takes more samples of a metric than there were iterations: a user sends several messages.
@Suite struct SeveralSamplesTests {
  @Test func aStoredResultIsReadWithoutAContradiction() async throws {
    let scratch = try ScratchDirectory()
    let document = try StreamedSamples.real()
    #expect(document.counters["iterations"] == 8 && document.metrics["complete"]?.count == 24)
    let stored = try StoredSamples.stored(document, in: scratch)
    #expect(stored.contradictions == [] && stored.document == document)
    #expect(JUnitReport(stored.document).xml.contains("failures=\"0\" errors=\"0\""))
    guard DocumentSchema.isAvailable else { return }
    #expect(try await DocumentSchema.faults(in: ResultCoding.encode(document)) == [])
  }

  /// Its other messages would have been answered late, or never.
  @Test func aFailedIterationLeavesOutTheSamplesOfAllItsMessages() throws {
    let document = try StreamedSamples.withFailures(2)
    for (metric, failed) in [
      ("first_response", FailedPart(2, of: 10)), ("complete", FailedPart(6, of: 30)), ("gap", FailedPart(6, of: 30)),
      ("message_roundtrip", FailedPart(4, of: 20)), ("connect", .none), ("upgrade", .none),
    ] { #expect(document.failedPart(of: metric) == failed, "\(metric)") }
    // A mean counts each of them at the time-out.
    let scratch = try ScratchDirectory()
    let metric = try #require(StoredSamples.stored(document, in: scratch).document.metrics["complete"])
    #expect(metric.failures == 6 && metric.unreliable.contains("max"))
    let mean = metric.mean(countingFailuresAt: 30_000_000_000)
    #expect(abs(mean - (metric.mean * 24 + 6 * 30_000) / 30) < 0.001)
  }

  @Test func resultsWithoutMessagesCountIterations() throws {
    var document = try StreamedSamples.withFailures(2)
    for messages in [nil, .int(1), .int(0), .int(-3), .string("3"), .null] as [JSONValue?] {
      document.parameters["messages"] = messages
      #expect(document.failedPart(of: "complete") == FailedPart(2, of: 10), "\(String(describing: messages))")
    }
    document.parameters["messages"] = .int(.max)
    #expect(document.failedPart(of: "complete") == FailedPart(.max - 1, of: .max))
  }

  @Test func runsAreMergedWithAllTheirSamples() throws {
    let scratch = try ScratchDirectory()
    let merged = try ResultMerge.merge(
      StoredSamples.stored(StreamedSamples.runs(2) + [StreamedSamples.withFailures(1)], in: scratch))
    #expect(merged.counters["iterations"] == 25 && merged.metrics["complete"]?.count == 72)
    #expect(merged.metrics["complete"]?.failures == 3 && merged.metrics["first_response"]?.failures == 1)
    #expect(merged.target.profile == "product")
    #expect(try StoredSamples.stored(merged, "merged.json", in: scratch).contradictions == [])
  }

  @Test func runsAreCompared() async throws {
    let comparison = try await SampleRuns.compare(
      StreamedSamples.runs(6), StreamedSamples.runs(6, day: "2026-11-21"))
    #expect(comparison.excluded == [] && comparison.runsOld == 6 && comparison.runsNew == 6)
    #expect(comparison.metric("complete")?.pooledOld.summary?.count == 6 * 24)
    #expect(comparison.metric("end_to_end")?.isHeadline == true)
    #expect(comparison.gate.unjudged == [] && comparison.gate.regressions.isEmpty)
  }

  /// There may be several in one iteration, and a share of iterations would be none.
  @Test func questionsAreNoShareOfIterations() throws {
    var document = try StreamedSamples.real()
    document.counters["questions"] = 4
    #expect(ReportTables(document: document).counters.markdown.contains("| questions | 4 |  |\n"))
  }

  /// The cold starts are in `first_response` too, and are none of the warm way's phases.
  @Test func phasesAreThoseOfTheSameSessions() throws {
    let stacks = PhaseStack.of(try StreamedSamples.real())
    #expect(stacks.map(\.whole.name) == ["end_to_end", "end_to_end_cold"])
    #expect(stacks.map { $0.parts[0].name } == ["first_response_warm", "first_response_cold"])
    #expect(stacks.allSatisfy { $0.excess == 0 && $0.isOfOneCount && !$0.overlaps })
    // Where nobody tells warm from cold one figure has both.
    var document = try StreamedSamples.real()
    document.metrics["end_to_end"] = document.metrics["first_response"]
    for name in ["first_response_warm", "first_response_cold", "end_to_end_cold"] { document.metrics[name] = nil }
    #expect(PhaseStack.of(document).map { $0.parts.map(\.name) } == [["first_response"]])
  }
}
