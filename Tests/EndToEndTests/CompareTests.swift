import FoundationEssentials
import Glibc
import Latency
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

/// `bench-compare` as people run it, over results that real runs wrote.
@Suite(.timeLimit(.minutes(2))) struct CompareTests {
  /// One real run's document made into `count`, as slow as `factor` says. The tests' own build is a debug build.
  private static func folder(
    _ name: String, of document: ResultDocument, factor: Double, day: String, count: Int = 6, in scratch: Scratch,
    change: (inout ResultDocument) -> Void = { _ in }
  ) throws {
    scratch.directory(name)
    for number in 0..<count {
      var copy = document
      copy.build = "release"
      copy.generator.saturated = false
      copy.verdict = .pass
      copy.startedAt = "\(day)T10:0\(number):00.000Z"
      for (name, metric) in copy.metrics {
        copy.metrics[name] = try slower(metric, factor * (1 + Double(number) / 100))
      }
      change(&copy)
      scratch.write("\(name)/\(number).json", try ResultCoding.encode(copy))
    }
  }

  /// Figures and histogram: a run in which they differ is left out.
  private static func slower(_ metric: MetricDocument, _ factor: Double) throws -> MetricDocument? {
    var histogram = LatencyHistogram()
    for bucket in try HistogramV2Codec.decode(base64: metric.histogram.data).recordedBuckets() {
      histogram.record(UInt64(Double(bucket.lower) * factor), count: bucket.count)
    }
    return MetricDocument(histogram)
  }

  private static func folders(change: (inout ResultDocument) -> Void = { _ in }) async throws -> Scratch {
    let run = try await BenchRun.run("bench-dirinit", ["--count", "5", "--no-default-thresholds"])
    let document = try run.document()
    let scratch = try Scratch()
    try folder("old", of: document, factor: 1, day: "2026-11-20", in: scratch)
    try folder("new", of: document, factor: 1.2, day: "2026-11-21", in: scratch, change: change)
    try folder("few", of: document, factor: 1, day: "2026-11-21", count: 1, in: scratch)
    return scratch
  }

  private func compare(_ arguments: [String], in scratch: Scratch) async throws -> Tool.Outcome {
    try await Tool(name: "bench-compare").run(arguments, in: scratch.path)
  }

  @Test(.wholeSuiteOnly) func aRegressionExitsWith99WhereThatIsAskedFor() async throws {
    let scratch = try await Self.folders()
    let plain = try await compare(["old", "new"], in: scratch)
    #expect(plain.status == .exited(0), "\(plain.standardError)")
    #expect(plain.standardOutput.contains("create P99") && plain.standardOutput.contains("slower"))
    #expect(plain.standardError == "")
    let gate = try await compare(["old", "new", "--fail-on-regression", "--print", "md"], in: scratch)
    #expect(gate.status == .exited(99))
    #expect(gate.standardOutput.hasPrefix("## Comparison: 4 slower or worse"), "\(gate.standardOutput)")
    let back = try await compare(["new", "old", "--fail-on-regression"], in: scratch)
    #expect(back.status == .exited(0) && back.standardOutput.contains("faster"))
    let few = try await compare(["old", "few", "--fail-on-regression"], in: scratch)
    #expect(few.status == .exited(1), "\(few)")
    #expect(
      few.standardError.contains("could not judge everything") && few.standardError.contains("more runs needed ("))
    #expect(few.standardOutput.contains("too few runs: "))
  }

  /// On a full disk, say: an empty comment on a pull request must not be green.
  @Test(.wholeSuiteOnly, arguments: ["> /dev/full", ">&-"]) func lostOutputIsAFailure(redirection: String) async throws
  {
    let scratch = try await Self.folders()
    let shell = ["/bin/sh", "-c", "exec \"$0\" \"$@\" \(redirection)"]
    let outcome = try await Tool(name: "bench-compare").run(["old", "new"], in: scratch.path, through: shell)
    #expect(outcome.status == .exited(1))
    #expect(outcome.standardError.contains("standard output could not be written: "), "\(outcome.standardError)")
  }

  @Test(.wholeSuiteOnly) func whatIsShownDoesNotMoveTheGate() async throws {
    let scratch = try await Self.folders()
    let outcome = try await compare(["old", "new", "--fail-on-regression", "--metric", "read"], in: scratch)
    #expect(outcome.status == .exited(99))
    #expect(outcome.standardError.contains("create P50") && outcome.standardError.contains("--metric does not show"))
    let nothing = try await compare(["old", "new", "--fail-on-regression", "--metric", "allocation"], in: scratch)
    #expect(nothing.status == .exited(99) && nothing.standardError.contains("nothing that --metric names"))
  }

  @Test func sidesThatFailAltogetherDoNotPass() async throws {
    let scratch = try await Self.folders {
      $0.verdict = .error
      $0.metrics = [:]
      $0.counters["errors"] = $0.counters["iterations"]
    }
    let outcome = try await compare(["old", "new", "--fail-on-regression"], in: scratch)
    #expect(outcome.status == .exited(99), "\(outcome)")
    #expect(outcome.standardOutput.contains("6 of 6 NEW runs were worthless"))
  }

  @Test(
    .wholeSuiteOnly,
    .enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func theJSONIsValid() async throws {
    let scratch = try await Self.folders()
    let comparison = try await compare(["old", "new", "--print", "json"], in: scratch)
    #expect(try await DocumentSchema.faults(in: comparison.standardOutput, schema: .comparison) == [])
    let trend = try await compare(["--trend", ".", "--print", "json"], in: scratch)
    #expect(trend.status == .exited(0), "\(trend.standardError)")
    #expect(try await DocumentSchema.faults(in: trend.standardOutput, schema: .trend) == [])
  }

  @Test func unlikeMachinesAreRefusedWithStrict() async throws {
    let scratch = try await Self.folders { $0.environment.logicalCores += 62 }
    let lax = try await compare(["old", "new"], in: scratch)
    #expect(lax.status == .exited(0) && lax.standardOutput.contains("the number of cores differs"))
    let strict = try await compare(["old", "new", "--strict"], in: scratch)
    #expect(strict.status == .exited(1) && strict.standardOutput == "")
    #expect(strict.standardError.contains("the number of cores differs"))
  }

  @Test func runsOfTheDebugBuildThatTheseTestsAreAreLeftOut() async throws {
    let run = try await BenchRun.run("bench-dirinit", ["--count", "3", "--no-default-thresholds"])
    let scratch = try await Self.folders()
    scratch.write("debug.json", try run.file("json"))
    let outcome = try await compare(["old", "debug.json"], in: scratch)
    #expect(outcome.status == .exited(1) && outcome.standardOutput == "")
    #expect(outcome.standardError.contains("error: nothing can be compared:"))
    #expect(outcome.standardError.contains("left out: debug.json: a debug build's run"))
  }

  @Test func everyWrongValueIsNamedAtOnce() async throws {
    let scratch = try Scratch()
    let outcome = try await compare(
      [
        "/nonexistent/old", "/nonexistent/new", "--min-effect", "5", "--alpha", "1", "--since", "2026-11-20",
        "--metric",
        "nothing", "--print", "yaml",
      ], in: scratch)
    #expect(outcome.status == .exited(64) && outcome.standardOutput == "")
    for option in ["OLD", "NEW", "--min-effect", "--alpha", "--since", "--metric", "--print"] {
      #expect(outcome.standardError.contains("error: \(option): "), "\(option) in \(outcome.standardError)")
    }
  }

  @Test func aRunIsNotComparedToItself() async throws {
    let scratch = try await Self.folders()
    for arguments in [["old", "old"], [".", "old"]] {
      let outcome = try await compare(arguments, in: scratch)
      #expect(outcome.status == .exited(64) && outcome.standardOutput == "", "\(arguments)")
    }
  }

  @Test func aReaderThatGoesAwayIsNoCrash() async throws {
    let scratch = try await Self.folders()
    let path = try Tool(name: "bench-compare").path
    let outcome = try await Tool(name: "bench-compare").run(
      ["old", "new"], in: scratch.path, through: ["/bin/bash", "-c", "set -o pipefail; \"$@\" | true", path])
    #expect(outcome.status == .exited(0), "\(outcome)")
  }
}
