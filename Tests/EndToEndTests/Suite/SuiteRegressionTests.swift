import Foundation
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results
import Reports

/// The pipelines of docs/ci.md that are to be red where something got slower: as they stand, with real runs of two gateways, one of
/// which answers later.
@Suite(
  .serialized, .timeLimit(.minutes(10)),
  .enabled(if: PipelineExamples.isReadable, "needs Python's yaml; INFRABENCH_PYTHON names an interpreter"))
struct SuiteRegressionTests {
  /// A checkout whose suite is built. The tests' own build is a debug build, whose runs are compared with nothing: so each tool
  /// has a script before it which says of its results that they are a release build's, and that this machine was not too busy.
  private static func checkout() throws -> Scratch {
    let scratch = try Scratch()
    scratch.directory(".build")
    scratch.directory(".build/release")
    let built = URL(filePath: try Tool(name: "bench-suite").path).deletingLastPathComponent()
    // The suite looks for its tools beside itself: a link to it would lead to the real ones.
    for name in ["infrabench", "bench-suite", "bench-compare"] {
      let copy = URL(filePath: scratch(".build/release/\(name)"))
      try FileManager.default.copyItem(at: built.appending(path: name), to: copy)
    }
    for name in ["bench-allocation", "bench-e2e"] {
      program(
        ".build/release/\(name)",
        """
        '\(built.path)/\(name)' "$@"
        status=$?
        find . -path '*/????-??-??/*.json' -exec sed -i \\
          -e 's/"build" : "debug"/"build" : "release"/' -e 's/"saturated" : true/"saturated" : false/' {} +
        exit $status
        """, in: scratch)
    }
    program(
      "run-all-tests.sh",
      """
      case " $* " in *' -- '*) ;; *) set -- --only bench-allocation "$@" -- ;; esac
      exec .build/release/bench-suite "$@" --no-default-thresholds --allow-saturated --count 10
      """, in: scratch)
    return scratch
  }

  private static func program(_ path: String, _ script: String, in scratch: Scratch) {
    scratch.write(path, "#!/bin/sh\n\(script)\n")
    chmod(scratch(path), 0o755)
  }

  private func run(_ snippet: PipelineExamples.Snippet, at gateway: MockGateway, in scratch: Scratch) async throws
    -> Tool.Outcome
  {
    let environment = BenchSuite.neutral.merging([
      "GATEWAY_URL": gateway.url, "RUNS": "6", "RESULTS": scratch("history"), "GITHUB_STEP_SUMMARY": scratch("step.md"),
    ]) { $1 }
    return try await Tool.start(
      ["/usr/bin/env"] + snippet.shell + [scratch.write("script", snippet.script)], environment: environment,
      in: scratch.path
    ).end(within: .seconds(240))
  }

  private static func gateways() async throws -> (quick: MockGateway, slow: MockGateway) {
    let slow = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--acquire-delay", "60ms"])
    return (try await MockGateway.start(), slow)
  }

  @Test(arguments: ["nightly-gateway: Measure", "sh: #!"])
  func aNightThatIsSlowerThanTheOneBeforeEndsWith99(place: String) async throws {
    let night = try #require(try await PipelineExamples.snippets().first { $0.place.hasPrefix(place) })
    let scratch = try Self.checkout()
    let gateways = try await Self.gateways()
    let first = try await run(night, at: gateways.quick, in: scratch)
    #expect(first.status == .exited(0), "\(first.standardOutput)\(first.standardError)")
    let folder = SuiteFolder(scratch: scratch, name: "history")
    // A run past midnight has results of two days.
    for (number, day) in (folder.names ?? []).filter({ CalendarDay($0) != nil }).enumerated() {
      try FileManager.default.moveItem(
        atPath: scratch("history/\(day)"), toPath: scratch("history/2026-01-0\(number + 1)"))
    }
    let second = try await run(night, at: gateways.slow, in: scratch)
    let talk = "\(second.standardOutput)\(second.standardError)"
    #expect(second.status == .exited(99), "\(talk)")
    let summary = try folder.summary
    #expect(summary.exitStatus == 99 && summary.state == .finished, "\(talk)")
    #expect(summary.tools.filter { $0.verdict != "skipped" }.map(\.verdict) == ["pass"], "\(talk)")
    #expect(summary.comparison?.outcome == .regression && summary.comparison?.with?.hasPrefix("2026-01-0") == true)
    #expect(summary.failures.contains { $0.hasPrefix("bench-compare: ") && $0.contains("allocation") }, "\(talk)")
    #expect(folder.markdown.contains("# InfraBench: slower or worse than before"))
    #expect(folder.junit.contains("<failure") && !folder.junit.contains("<error"))
    #expect(talk.contains("fail: bench-compare: regression"))
    await gateways.quick.stop()
    await gateways.slow.stop()
  }

  @Test func aPullRequestWhoseGatewayIsSlowerEndsWith99() async throws {
    let steps = try await PipelineExamples.snippets().filter { $0.place.hasPrefix("gate: ") }
    #expect(steps.count == 2)
    let scratch = try Self.checkout()
    let gateways = try await Self.gateways()
    let statuses: [ProcessControl.ExitStatus] = [.exited(0), .exited(99)]
    for (step, status) in zip(steps, statuses) {
      let script = step.script.replacing("$NEW_GATEWAY_URL", with: gateways.slow.url)
      let outcome = try await run(
        .init(place: step.place, shell: step.shell, script: script), at: gateways.quick, in: scratch)
      #expect(outcome.status == status, "\(step): \(outcome.standardOutput)\(outcome.standardError)")
    }
    #expect(scratch.text("step.md").contains("slower"))
    await gateways.quick.stop()
    await gateways.slow.stop()
  }
}
