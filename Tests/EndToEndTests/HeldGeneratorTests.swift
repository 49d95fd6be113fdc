import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// A generator that this machine keeps from running is saturated, and says by what.
@Suite(.serialized, .timeLimit(.minutes(3))) struct HeldGeneratorTests {
  private static let options = ["--no-default-thresholds"]

  private func expectSaturated(_ result: BenchResult, _ begin: String, _ part: String) throws {
    let document = try result.document()
    let reason = try #require(document.generator.saturatedReason, "\(result.output)\(result.talk)")
    #expect(document.generator.saturated && reason.hasPrefix(begin) && reason.contains(part), "\(reason)")
    #expect(document.verdict == .fail && result.status == .exited(99))
    #expect(result.output.contains(reason), "\(result.output)")
    // Nothing else went wrong.
    #expect(document.counters["errors"] == 0, "\(document.errors)")
  }

  @Test(arguments: [true, false]) func aGeneratorThatStoodStillIsSaturated(isOpen: Bool) async throws {
    let server = try await KnownDelays.start(["--delay", "5ms"])
    let load = isOpen ? ["--rate", "100/s", "--max-in-flight", "20"] : ["--concurrency", "4"]
    let run = try await BenchRun.start(
      "bench-concurrent", ["--gateway-url", server.url, "--duration", "4s"] + load + Self.options)
    try await server.waitForAcquires(30)
    let child = run.running.child
    child.signal(SIGSTOP)
    // The stop itself: longer than any second of the run.
    try await Task.sleep(for: .milliseconds(1_500))
    child.signal(SIGCONT)
    let result = await run.end()
    _ = try await server.end()
    if isOpen {
      try expectSaturated(result, "starts were late: P99 ", " ms, over 1 ms")
    } else {
      try expectSaturated(result, "a load thread did not get to its work for ", "the process was stopped")
    }
  }

  @Test(
    .enabled(if: QuotaGroup.isPossible, "needs a control group with a CPU quota, which only root can make"),
    arguments: [true, false])
  func aGeneratorThatItsQuotaHoldsBackIsSaturated(isOpen: Bool) async throws {
    // A tenth of a CPU is less than either load asks for, however fast this machine is.
    let group = try #require(QuotaGroup(percent: 10))
    defer { group.remove() }
    let server = try await KnownDelays.start()
    let load = isOpen ? ["--rate", "50000/s", "--max-in-flight", "20", "--timeout", "1s"] : ["--concurrency", "4"]
    let scratch = try Scratch()
    let outcome = try await Tool(name: "bench-concurrent").run(
      ["--gateway-url", server.url, "--duration", "2s"] + load + Self.options,
      environment: ["GATEWAY_URL": "", "TMPDIR": scratch.path], in: scratch.path, through: group.launcher,
      timeout: .seconds(60))
    _ = try await server.end()
    try expectSaturated(
      BenchResult(outcome: outcome, scratch: scratch), "the CPU quota kept the generator from running for ",
      "nr_throttled")
  }
}
