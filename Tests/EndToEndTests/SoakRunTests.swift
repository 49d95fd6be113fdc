import Foundation
import Gateway
import Glibc
import Latency
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Soaks of some seconds, whose minutes are a second long.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SoakRunTests {
  private static let options =
    ["--rate", "20/s", "--soak", "--soak-every", "1s", "--format", "md,json"] + BenchRun.smallPool + BenchRun.anySpeed

  private func rebuilt(_ result: BenchResult, name: String) async throws -> ResultDocument {
    let outcome = try await Tool(name: "bench-report").run(
      [result.scratch("results/\(name)"), "--print", "json"], in: result.scratch.path)
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    return try outcome.document
  }

  private func file(_ result: BenchResult) throws -> (name: String, lines: [SoakLine]) {
    let found = result.files().filter { $0.key.hasSuffix(SoakLine.fileSuffix) }
    try #require(found.count == 1, "\(result.talk)")
    let (name, text) = try #require(found.first)
    let whole = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    return (name, try whole.map { try SoakCodec.decode($0.utf8, tools: .suite) })
  }

  private func minutes(_ lines: [SoakLine]) -> [SoakMinute] {
    lines.compactMap { line in
      if case .minute(let minute) = line { minute } else { nil }
    }
  }

  private func expectSums(_ document: ResultDocument, of minutes: [SoakMinute]) throws {
    for name in Set(minutes.flatMap(\.histograms.keys)) {
      var sum = LatencyHistogram()
      for data in minutes.compactMap({ $0.histograms[name] }) { try sum.merge(HistogramV2Codec.decode(base64: data)) }
      #expect(document.metrics[name]?.histogram.data == HistogramV2Codec.encodeCompressedBase64(sum), "\(name)")
    }
    for counter in ["iterations", "errors", "failed_steps"] {
      #expect((document.counters[counter] ?? 0) == minutes.reduce(0) { $0 + ($1.counters[counter] ?? 0) }, "\(counter)")
    }
  }

  @Test(arguments: ["bench-e2e", "bench-concurrent"])
  func aFinishedSoaksFileGivesTheResultAgainBitForBit(_ tool: String) async throws {
    let result = try await BenchRun.run(tool, Self.options + ["--duration", "5s"])
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let document = try result.document()
    let (name, lines) = try file(result)
    #expect(name == result.files().keys.first { $0.hasSuffix(".json") }?.replacing(".json", with: SoakLine.fileSuffix))
    #expect(result.talk.contains("soak: each minute is written to results/\(name)"))
    let minutes = minutes(lines)
    #expect(minutes.count >= 5)
    try expectSums(document, of: minutes)
    let again = try await rebuilt(result, name: name)
    #expect(again.metrics == document.metrics && !document.metrics.isEmpty)
    #expect(again.counters == document.counters && again.errors == document.errors)
    #expect(again.thresholds == document.thresholds && again.verdict == document.verdict)
    #expect(again.parameters == document.parameters && again.target == document.target)
    #expect(again.startedAt == document.startedAt && again.durationSeconds == document.durationSeconds)
    let (soak, soakAgain) = (try #require(document.soak), try #require(again.soak))
    #expect(soak.trends.map(\.series) == soakAgain.trends.map(\.series))
    #expect(soak.trends.map(\.points) == soakAgain.trends.map(\.points))
    #expect(again.counters["leaked_tasks"] == 0)
    for series in ["tool_rss", "tool_descriptors", "gateway_rss", "gateway_cpu", "warm", "errors"] {
      #expect(soak.trends.contains { $0.series == series && $0.points >= 3 }, "\(series)")
    }
    #expect(soak.emptyPercent != nil)
    if DocumentSchema.isAvailable {
      #expect(try await DocumentSchema.faults(in: result.file("json")) == [])
      for line in lines { #expect(try await DocumentSchema.faults(in: SoakCodec.encode(line), schema: .soak) == []) }
    }
  }

  @Test func aKilledSoakLosesAtMostAMinute() async throws {
    let run = try await BenchRun.start("bench-e2e", Self.options + ["--duration", "10m", "--label", "killed"])
    func lines() -> Int {
      let day = (run.scratch.names(in: "results") ?? []).first ?? ""
      let name = (run.scratch.names(in: "results/\(day)") ?? []).first ?? ""
      return (FileManager.default.contents(atPath: run.scratch("results/\(day)/\(name)")) ?? Data()).count {
        $0 == 0x0a
      }
    }
    try await eventually("no minutes are written") { lines() >= 4 }
    run.running.child.signal(SIGKILL)
    let result = await run.end()
    #expect(result.status == .signaled(SIGKILL), "\(result.status)")
    let (name, whole) = try file(result)
    #expect(name.hasSuffix("-bench-e2e-killed.soak.ndjson"))
    let document = try await rebuilt(result, name: name)
    let minutes = minutes(whole)
    #expect(minutes.count >= 3 && document.soak?.minutes == minutes.count)
    try expectSums(document, of: minutes)
    #expect(document.verdict == .interrupted && document.label == "killed")
    #expect(document.notes.contains { $0.contains("rebuilt from \(minutes.count) lines") })
    #expect(document.counters["leaked_tasks"] == nil && document.counters["iterations"] ?? 0 > 0)
    // Any format of it, beside the file.
    let written = try await Tool(name: "bench-report").run(
      [result.scratch("results/\(name)"), "--format", "md,json,html,csv", "--output-dir", "out"],
      in: result.scratch.path)
    #expect(written.status == .exited(0), "\(written.standardError)")
    #expect(result.scratch.names(in: "out")?.count == 4)
  }

  @Test func anInterruptedSoakHasItsEnd() async throws {
    let run = try await BenchRun.start("bench-e2e", Self.options + ["--duration", "10m"])
    try await eventually("no soak") { run.running.standardErrorSoFar.contains("soak: ") }
    run.running.child.signal(SIGTERM)
    let result = await run.end()
    #expect(result.status == .exited(143), "\(result.talk)")
    let (name, lines) = try file(result)
    guard case .end(let end)? = lines.last else {
      Issue.record("the last line is no end: \(String(describing: lines.last))")
      return
    }
    #expect(end.verdict == .interrupted)
    #expect(try await rebuilt(result, name: name).counters == result.document().counters)
  }

  /// A limit of the size of files stands in for a full disk.
  @Test func aSoaksFileThatCanNotBeWrittenIsSaidAtOnceAndDecidesTheExitStatus() async throws {
    let scratch = try Scratch()
    let tool = try Tool(name: "bench-e2e").path
    // 24 blocks of 512 bytes hold the head, some minutes, and the result as JUnit.
    let options = Self.options.map { $0 == "md,json" ? "junit" : $0 } + ["--duration", "9s"]
    let command = (["trap '' XFSZ; ulimit -f 24; exec \(tool)"] + options).joined(separator: " ")
    let running = try await Tool.start(
      ["/bin/sh", "-c", command], environment: ["GATEWAY_URL": "", "TMPDIR": scratch.path], in: scratch.path)
    try await eventually("nothing is said") { running.standardErrorSoFar.contains("can't be written: File too large") }
    #expect(running.child.exitStatus == nil)
    let outcome = await running.end()
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("is not whole"))
    // The run went on. The limit cuts its report too.
    #expect(outcome.standardOutput.contains("end_to_end "), "\(outcome.standardOutput)")
    let result = BenchResult(outcome: outcome, scratch: scratch)
    #expect(result.files().keys.contains { $0.hasSuffix(".xml") })
    // No part of a line that did not fit has stayed.
    let (name, lines) = try file(result)
    let text = try #require(result.files()[name])
    #expect(text.hasSuffix("\n") && text.utf8.count <= 12_288 && minutes(lines).count >= 1)
    let document = try await rebuilt(result, name: name)
    #expect(document.verdict == .interrupted && document.soak?.minutes == minutes(lines).count)
  }

  // MARK: Leaked tasks

  /// Somebody else's task, which is there all the time, is none of them.
  @Test(arguments: [false, true]) func tasksThatTheGatewayDoesNotTakeBackAreCounted(leaks: Bool) async throws {
    let gateway = try await MockGateway.start(
      ["--pool-size", "3", "--max-tasks", "60"] + (leaks ? ["--planted-bug", "leak-on-disconnect"] : []))
    let other = try GatewayClient.ofTests(gateway.url)
    _ = await other.acquire(userID: "somebody-else")
    let result = try await BenchRun.run(
      "bench-e2e",
      ["--gateway-url", gateway.url, "--rate", "3/s", "--duration", "3s", "--soak", "--soak-every", "1s"]
        + ["--no-default-thresholds", "--threshold", "leaked_tasks == 0", "--allow-saturated"])
    other.close()
    await gateway.stop()
    let document = try result.document()
    let leaked = try #require(document.counters["leaked_tasks"])
    #expect(leaks ? leaked >= 5 : leaked == 0, "\(leaked)")
    #expect(result.status == .exited(leaks ? 99 : 0), "\(result.output)\(result.talk)")
    // A remote gateway's process is not seen, its pool is.
    let series = try #require(document.soak).trends.map(\.series)
    #expect(!series.contains("gateway_rss") && series.contains("warm") && series.contains("tool_rss"))
  }

  // MARK: Wrong usage

  @Test(arguments: [
    ["bench-e2e", "--soak"], ["bench-e2e", "--soak", "--count", "5"], ["bench-e2e", "--soak-every", "1s"],
    ["bench-e2e", "--duration", "5s", "--soak"], ["bench-e2e", "--duration", "5s", "--soak", "--soak-every", "999ms"],
    ["bench-e2e", "--duration", "48h", "--soak", "--soak-every", "25h"],
    ["bench-e2e", "--duration", "48h", "--soak", "--soak-every", "1s"],
    ["bench-e2e", "--idle-sessions", "1", "--duration", "65s"],
    ["bench-e2e", "--idle-sessions", "1", "--idle-gap", "5s", "--stages", "5s:1,0.9s:1"],
    ["bench-e2e", "--idle-gap", "1s"], ["bench-e2e", "--idle-sessions", "0"],
    ["bench-e2e", "--cold-by", "run-task", "--duration", "2m", "--count", "3", "--soak"],
    ["bench-concurrent", "--soak"], ["bench-concurrent", "--duration", "5m", "--hold", "--soak"],
  ])
  func soaksWithoutSenseAreRefused(_ words: [String]) async throws {
    let result = try await BenchRun.run(words[0], Array(words.dropFirst()))
    #expect(result.status == .exited(64), "\(result.talk)")
    #expect(result.talk.contains("--soak") || result.talk.contains("--idle"), "\(result.talk)")
    #expect(result.scratch.names(in: "results") == nil)
  }
}
