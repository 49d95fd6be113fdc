import Foundation
import ProcessControl
import TestSupport
import Testing
@testable import Results

/// What docs/ci*.md tells people to copy works as it stands.
@Suite(.serialized, .timeLimit(.minutes(10))) struct PipelineExampleTests {
  private static let needsYAML = Comment("needs Python's yaml; INFRABENCH_PYTHON names an interpreter")

  @Test func theProjectsOwnNightIsTheOneThatIsShown() throws {
    let shown = try PipelineExamples.blocks().filter { $0.info == "yaml file=.github/workflows/nightly.yml" }
    #expect(try shown.map(\.text) == [PipelineExamples.text(".github/workflows/nightly.yml")])
  }

  @Test(.wholeSuiteOnly, .enabled(if: PipelineExamples.isReadable, needsYAML))
  func everyExampleIsYAMLAndItsShellIsShell() async throws {
    let snippets = try await PipelineExamples.snippets()
    let places = snippets.map(\.place)
    for part in [
      "nightly: Measure", "gate: Measure", "GitLab nightly: script", "GitLab gate: script", "Jenkins", "sh: #!",
    ] {
      #expect(places.contains { $0.hasPrefix(part) }, "\(part) in \(places)")
    }
    let scratch = try Scratch()
    for snippet in snippets {
      let file = scratch.write("snippet", snippet.script)
      let outcome = try await Tool.start(["/bin/bash", "-n", file], in: scratch.path).end()
      #expect(outcome.status == .exited(0), "\(snippet): \(outcome.standardError)")
    }
  }

  @Test(.enabled(if: PipelineExamples.isReadable, needsYAML)) func theProjectsOwnPipelinesRunWhatIsThere() async throws
  {
    let paths = try PipelineExamples.workflows()
    #expect(paths.count == 4, "\(paths)")
    for path in paths {
      let snippets = try await PipelineExamples.snippets(of: PipelineExamples.text(path))
      #expect(!snippets.isEmpty, "\(path)")
      for snippet in snippets {
        let words = snippet.script.split(whereSeparator: \.isWhitespace).map(String.init)
        for word in words where word.hasPrefix("./") || word.hasPrefix(".ci/") {
          #expect(PipelineExamples.isProgram(word), "\(path): \(snippet.script)")
        }
      }
    }
  }

  /// Else the main branch would have commits, and a night, that nobody has tested or measured.
  @Test func noRunOfTheMainBranchIsCancelledForALaterOne() throws {
    for path in try PipelineExamples.workflows() {
      let text = try PipelineExamples.text(path)
      guard text.contains("cancel-in-progress: true") else { continue }
      #expect(
        text.contains("group: ci-${{ github.ref == 'refs/heads/main' && github.run_id || github.ref }}\n"), "\(path)")
    }
  }

  private static let hasSuite = (try? Tool(name: "bench-suite").path) != nil

  /// A checkout whose suite is built: measures little, and otherwise as it is told.
  private static func checkout() throws -> Scratch {
    let scratch = try Scratch()
    let suite = try Tool(name: "bench-suite").path
    scratch.directory(".build")
    let tools = URL(filePath: suite).deletingLastPathComponent()
    try FileManager.default.createSymbolicLink(
      at: URL(filePath: scratch(".build/release")), withDestinationURL: tools)
    let little = "case \" $* \" in *' --only '*) ;; *) set -- --only bench-dirinit \"$@\" ;; esac"
    scratch.write("run-all-tests.sh", "#!/bin/bash\n\(little)\nexec '\(suite)' --quick \"$@\"\n")
    chmod(scratch("run-all-tests.sh"), 0o755)
    scratch.directory("benchmarks")
    return scratch
  }

  /// Where a pipeline has its results.
  private static func folder(of pipeline: String) -> String {
    pipeline.hasSuffix("gate") ? "ab" : pipeline == "sh" ? "benchmarks" : "history"
  }

  /// The files that say how a run ended.
  private static let verdict = ["summary.md", "summary.json", "junit.xml"]

  /// A folder whose `run-all-tests.sh` is a stand-in.
  private static func standIn(_ script: String) throws -> Scratch {
    let scratch = try Scratch()
    scratch.write("run-all-tests.sh", "#!/bin/sh\n\(script)\n")
    chmod(scratch("run-all-tests.sh"), 0o755)
    return scratch
  }

  private static func run(_ script: String, _ shell: [String], _ environment: [String: String], in scratch: Scratch)
    async throws -> Tool.Outcome
  {
    let file = scratch.write("script", script)
    return try await Tool.start(["/usr/bin/env"] + shell + [file], environment: environment, in: scratch.path)
      .end(within: .seconds(240))
  }

  @Test(
    .wholeSuiteOnly,
    .enabled(if: PipelineExamples.isReadable, needsYAML), .enabled(if: hasSuite, "bench-suite is not built"))
  func everyExampleRunsAsItStands() async throws {
    let gateways = try await [MockGateway.start(), MockGateway.start()]
    // Steps of one pipeline follow one another in one checkout.
    var checkouts: [String: Scratch] = [:]
    for snippet in try await PipelineExamples.snippets() {
      let pipeline = String(snippet.place.prefix { $0 != ":" })
      let scratch = try checkouts[pipeline] ?? Self.checkout()
      checkouts[pipeline] = scratch
      let folder = Self.folder(of: pipeline)
      let isGate = folder == "ab"
      let environment = [
        "GATEWAY_URL": isGate ? gateways[0].url : "", "NEW_GATEWAY_URL": gateways[1].url, "RUNS": "1",
        "RESULTS": scratch("benchmarks"), "GITHUB_STEP_SUMMARY": scratch("step.md"), "TMPDIR": scratch.path,
      ]
      if let file = snippet.file {
        scratch.write(file, snippet.script)
        chmod(scratch(file), 0o755)
      }
      let outcome = try await Self.run(snippet.script, snippet.shell, environment, in: scratch)
      // Runs of a debug build are not compared (1); a machine as busy as this one may cross a threshold (99).
      let compares = snippet.script.contains("bench-compare")
      let expected: [ProcessControl.ExitStatus] = [.exited(0), .exited(99)] + (compares ? [.exited(1)] : [])
      #expect(expected.contains(outcome.status), "\(snippet): \(outcome.standardOutput)\(outcome.standardError)")
      #expect(!outcome.standardError.contains("not found"), "\(snippet): \(outcome.standardError)")
      if outcome.status == .exited(1) { #expect(outcome.standardError.contains("a debug build's run"), "\(snippet)") }
      for name in Self.verdict where snippet.script.contains("run-all-tests.sh") {
        #expect(scratch.names(in: folder)?.contains(name) == true, "\(snippet): \(outcome.standardError)")
      }
    }
    for gateway in gateways { await gateway.stop() }
  }

  @Test(.wholeSuiteOnly, .enabled(if: PipelineExamples.isReadable, needsYAML))
  func noPipelineTakesAnEarlierVerdictForThatOfARunWithWrongOptions() async throws {
    var checkouts: [String: Scratch] = [:]
    for snippet in try await PipelineExamples.snippets() {
      let measures = snippet.script.contains("run-all-tests.sh")
      guard measures || snippet.script.hasPrefix("rm ") else { continue }
      let pipeline = String(snippet.place.prefix { $0 != ":" })
      let folder = Self.folder(of: pipeline)
      let scratch: Scratch
      if let checkout = checkouts[pipeline] {
        scratch = checkout
      } else {
        scratch = try Self.standIn("echo 'error: wrong' >&2; exit 64")
        scratch.directory(folder)
        for name in Self.verdict { scratch.write("\(folder)/\(name)", "passed") }
        checkouts[pipeline] = scratch
      }
      let outcome = try await Self.run(
        snippet.script, snippet.shell, ["RUNS": "1", "NEW_GATEWAY_URL": "", "RESULTS": scratch(folder)], in: scratch)
      guard measures else { continue }
      #expect(outcome.status == .exited(64), "\(snippet): \(outcome.standardError)")
      #expect(scratch.names(in: folder)?.filter(Self.verdict.contains) ?? [] == [], "\(snippet)")
    }
    #expect(checkouts.count == 7, "\(checkouts.keys)")
  }

  /// A night by cron, and what is mailed of it.
  struct Night: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var script: String
    var status: Int32
    var mailed: [String]
  }

  private static let nights = [
    Night(testDescription: "all well", script: "echo progress", status: 0, mailed: []),
    Night(
      testDescription: "wrong options", script: "echo 'error: no option --x' >&2; exit 64", status: 64,
      mailed: ["InfraBench ended with 64:", "error: no option --x"]),
    Night(
      testDescription: "a failed build",
      script: "echo 'a.swift:1:2: error: no such module'; echo 'error: failed'; exit 1",
      status: 1, mailed: ["InfraBench ended with 1:", "a.swift:1:2: error: no such module", "error: failed"]),
    Night(
      testDescription: "a crossed threshold",
      script:
        "echo progress; echo 'fail: slow'; echo 'error: broken'; echo '# failed' > \"$RESULTS/summary.md\"; exit 99",
      status: 99, mailed: ["InfraBench ended with 99:", "fail: slow", "error: broken", "# failed"]),
  ]

  @Test(arguments: nights, [true, false])
  func cronMailsTheReasonsOfItsOwnNight(_ night: Night, afterAnother: Bool) async throws {
    let script = try #require(PipelineExamples.blocks().first { $0.info == "sh file=nightly.sh" }?.text)
    let scratch = try Self.standIn(night.script)
    if afterAnother {
      scratch.directory("nights")
      for name in Self.verdict { scratch.write("nights/\(name)", "# passed\n") }
    }
    let outcome = try await Self.run(script, ["bash"], ["RESULTS": scratch("nights")], in: scratch)
    #expect(outcome.status == .exited(night.status))
    #expect(outcome.standardOutput == night.mailed.map { $0 + "\n" }.joined() && outcome.standardError == "")
  }
}
