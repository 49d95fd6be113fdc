import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Thresholds decide how a run ends.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ThresholdRunTests {
  private func run(_ thresholds: String...) async throws -> BenchResult {
    let options = thresholds.flatMap { ["--threshold", $0] }
    return try await BenchRun.run(
      "bench-allocation", ["--count", "2"] + BenchRun.smallPool + ["--no-default-thresholds"] + options)
  }

  @Test func crossedOneFailsTheRunAndTheOthersAreStillJudged() async throws {
    let result = try await run("allocation.max < 1ns", "allocation.count == 2", "misses.rate <= 0%")
    #expect(result.status == .exited(99))
    let document = try result.document()
    #expect(document.verdict == .fail)
    #expect(document.thresholds.map(\.pass) == [false, true, true])
    #expect(document.thresholds[0].observed == document.metrics["allocation"]?.max)
    #expect(result.output.contains("FAIL") && result.output.contains("verdict: fail"))
    #expect(try result.file("md").contains("FAIL"))
  }

  @Test func usersOwnWithoutASampleFails() async throws {
    let result = try await run("confirmation.p99 < 10s")
    #expect(result.status == .exited(99))
    let judged = try #require(try result.document().thresholds.first)
    #expect(!judged.pass && judged.observed == nil && judged.skipped == nil)
    #expect(judged.reason?.contains("no sample") == true)
  }

  @Test func planOneWithoutASampleIsSkippedAndShownAsSuch() async throws {
    let result = try await BenchRun.run(
      "bench-allocation", ["--count", "1", "--wait-for", "ready"] + BenchRun.smallPool)
    let skipped = try result.document().thresholds.filter { $0.skipped == true }
    #expect(skipped.map(\.expression) == ["allocation.mean < 100ms", "allocation.p99 < 200ms"])
    #expect(skipped.allSatisfy { $0.pass })
    #expect(result.output.contains("skipped"))
  }

  @Test func whatWasCrossedIsSaidBesideADocumentForPrograms() async throws {
    let result = try await BenchRun.run(
      "bench-dirinit",
      ["--count", "2", "--print", "json", "--threshold", "create.max < 1ns", "--threshold", "create.count == 2"])
    #expect(result.status == .exited(99))
    #expect(result.talk.contains("\nfail: create.max < 1ns: observed "))
    #expect(!result.talk.contains("fail: create.count"))
  }

  /// Every tenth request meets its time-out of 500 ms, and the others are answered after 1 ms.
  @Test(.wholeSuiteOnly) func aMaximumAndAMeanAnswerForRequestsThatTimedOut() async throws {
    let server = try await KnownDelays.start(["--delay", "1ms", "--slow-every", "10", "--slow", "5s"])
    let result = try await BenchRun.run(
      "bench-allocation",
      [
        "--gateway-url", server.url, "--count", "100", "--timeout", "500ms", "--no-default-thresholds",
        "--threshold", "allocation.max < 600ms", "--threshold", "allocation.mean < 40ms",
        "--threshold", "allocation.mean < 1m", "--threshold", "allocation.min < 600ms", "--threshold",
        "allocation.p50 < 1m",
      ])
    _ = try await server.end()
    #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
    let document = try result.document()
    let failures = try #require(document.counters["errors"])
    #expect(failures >= 10 && document.metrics["allocation"]?.failures == failures)
    #expect(document.metrics["allocation"]?.unreliable.contains("max") == true)
    #expect(document.metrics["connect"]?.unreliable == [])
    #expect(document.thresholds.map(\.pass) == [false, false, true, true, true])
    #expect(document.thresholds[0].observed == document.metrics["allocation"]?.max)
    #expect(
      document.thresholds[0].reason?.hasPrefix("\(failures) failed or were not finished, and may have been") == true)
    #expect(document.thresholds[1].observed == document.metrics["allocation"]?.mean)
    #expect(document.thresholds[1].reason?.contains("counted at the time-out of 500ms this makes it ") == true)
    #expect(result.output.contains("may have been the slowest: failing fast is not being fast"))
  }

  @Test func failuresMakeTheTopPercentilesUnreliable() async throws {
    let gateway = try await MockGateway.start(
      MockGateway.threeVirtualTasks + ["--fault", "503", "--fault-first", "1"])
    let result = try await BenchRun.run(
      "bench-allocation",
      [
        "--gateway-url", gateway.url, "--count", "4", "--no-default-thresholds", "--threshold",
        "allocation.p50 < 1m", "--threshold", "allocation.p99 < 1m", "--threshold", "errors.rate <= 25%",
      ])
    await gateway.stop()
    #expect(result.status == .exited(99))
    let document = try result.document()
    #expect(document.metrics["allocation"]?.count == 3)
    #expect(document.metrics["allocation"]?.unreliable == ["p90", "p95", "p99", "p999", "max"])
    // Failing fast is not being fast.
    #expect(document.thresholds.map(\.pass) == [true, false, true])
    #expect(document.thresholds[2].observed == 25)
  }
}
