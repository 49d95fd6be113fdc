import Foundation
import ProcessControl
import Testing

/// Which tools `run-all-tests.sh` runs, and what it does with their results, seen through tools that only say how they
/// were called.
@Suite struct SuiteScriptTests {
  private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "run-all-tests.sh")

  private static let tools = [
    "bench-allocation", "bench-dirinit", "bench-e2e", "bench-concurrent", "bench-exhaustion", "bench-api",
  ]

  /// A copy of the script with a `swift` that builds nothing, and tools that note how they were called.
  private struct Copy {
    let scratch: Scratch

    init() throws {
      scratch = try Scratch()
      for directory in ["scripts", "bin", "path", "results"] { scratch.directory(directory) }
      scratch.write("run-all-tests.sh", try String(contentsOf: script, encoding: .utf8))
      program("scripts/setup.sh", "exit 0")
      program("path/swift", "case $* in *--show-bin-path) echo '\(scratch("bin"))';; esac")
      for tool in tools { program("bin/\(tool)", "echo \"${0##*/} ran\" >> '\(scratch("calls"))'") }
      program("bin/suite-summary", "shift 2; for o in \"$@\"; do echo \"$o\" >> '\(scratch("calls"))'; done")
    }

    func program(_ path: String, _ text: String) {
      scratch.write(path, "#!/bin/sh\n\(text)\n")
      chmod(scratch(path), 0o755)
    }

    /// Tools that write as many results as they are asked for, on a day of their own, and a summary.
    func writeResults(on day: String) {
      let result = "echo '{}' > \"$2/\(day)/21000${i}Z-${0##*/}.json\""
      let runs = "n=1; [ \"$3\" = --repeat ] && n=$4; i=1; while [ $i -le $n ]; do \(result); i=$((i+1)); done"
      for tool in tools {
        program(
          "bin/\(tool)", "echo \"${0##*/} $*\" >> '\(scratch("calls"))'; mkdir -p \"$2/\(day)\"; \(runs)")
      }
      program(
        "bin/suite-summary",
        "echo '# summary' > \"$2/summary.md\"; shift 2; for o in \"$@\"; do echo \"$o\" >> '\(scratch("calls"))'; done")
    }

    /// A day's results from before.
    func addResults(of day: String) {
      scratch.directory("results/\(day)")
      scratch.write("results/\(day)/120000Z-bench-api.json", "{}")
    }

    func run(_ environment: [String: String] = [:], _ options: [String] = []) async throws -> Outcome {
      let process = Process()
      process.executableURL = URL(filePath: "/bin/bash")
      process.arguments = [scratch("run-all-tests.sh"), "--output-dir", scratch("results")] + options
      let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
      process.environment = environment.merging(["PATH": "\(scratch("path")):\(path)"]) { $1 }
      let streams = try ["out", "err"].map { name in
        scratch.write(name, "")
        return try FileHandle(forWritingTo: URL(filePath: scratch(name)))
      }
      process.standardOutput = streams[0]
      process.standardError = streams[1]
      let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do { try process.run() } catch { continuation.resume(throwing: error) }
      }
      return Outcome(
        status: status, calls: text("calls").split(separator: "\n").map(String.init), output: text("out"),
        talk: text("err"))
    }

    func text(_ path: String) -> String {
      String(decoding: FileManager.default.contents(atPath: scratch(path)) ?? Data(), as: UTF8.self)
    }
  }

  private struct Outcome {
    var status: Int32
    /// Of tools and of `suite-summary`, in lines.
    var calls: [String]
    var output: String
    var talk: String
  }

  /// Runs a copy to its end; what was called.
  private static func run(_ environment: [String: String], _ options: String...) async throws -> [String] {
    let outcome = try await Copy().run(environment, options)
    #expect(outcome.status == 0, "\(outcome.talk)")
    return outcome.calls
  }

  @Test(arguments: [
    [:], ["SERVICE": "pool"], ["GATEWAY_URL": "http://g", "CLUSTER": "c"],
    ["GATEWAY_URL": "http://g", "AWS_ENDPOINT_URL": "http://e"],
  ]) func everyToolIsRun(environment: [String: String]) async throws {
    let calls = try await Self.run(environment)
    #expect(calls.filter { $0.hasSuffix(" ran") } == Self.tools.map { "\($0) ran" })
    #expect(!calls.contains { $0.contains("=skipped") })
  }

  @Test(arguments: ["CLUSTER", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"])
  func anECSWithoutItsGatewayIsNotDrained(variable: String) async throws {
    let calls = try await Self.run([variable: "http://e"])
    #expect(calls.filter { $0.hasSuffix(" ran") } == Self.tools.filter { $0 != "bench-exhaustion" }.map { "\($0) ran" })
    #expect(calls.contains { $0.hasPrefix("bench-exhaustion=skipped=\(variable) set without GATEWAY_URL: ") })
  }

  @Test func aGatewayWithoutAnECSHasNoAPIToMeasure() async throws {
    let calls = try await Self.run(["GATEWAY_URL": "http://g"], "--skip-efs")
    #expect(!calls.contains("bench-api ran") && !calls.contains("bench-dirinit ran"))
    #expect(calls.contains { $0.hasPrefix("bench-api=skipped=GATEWAY_URL set without CLUSTER or SERVICE") })
    #expect(calls.contains("bench-dirinit=skipped=--skip-efs"))
  }

  @Test(arguments: [["--repeat", "3"], ["--repeat=3"]])
  func everyToolIsRepeatedAndEachOfItsResultsIsSummed(options: [String]) async throws {
    let copy = try Copy()
    copy.writeResults(on: "2026-11-20")
    let outcome = try await copy.run([:], options)
    #expect(outcome.status == 0, "\(outcome.talk)")
    for tool in Self.tools {
      #expect(outcome.calls.contains { $0.hasPrefix("\(tool) --output-dir \(copy.scratch("results")) --repeat 3") })
      let results = (1...3).map { "\(tool)=0=\(copy.scratch("results/2026-11-20/21000\($0)Z-\(tool).json"))" }
      #expect(outcome.calls.filter { $0.hasPrefix("\(tool)=") } == results)
    }
  }

  @Test func everythingThatIsWrongIsSaidAtOnceAndNothingIsRun() async throws {
    for number in ["0", "1001", "-1", "x", "", "1.5"] {
      let copy = try Copy()
      let outcome = try await copy.run([:], ["--repeat", number, "--nope"])
      #expect(outcome.status == 64 && outcome.calls == [], "\(number)")
      #expect(outcome.talk.contains("--repeat: '\(number)' is wrong") && outcome.talk.contains("'--nope' is unknown"))
    }
    #expect(try await Copy().run([:], ["--repeat"]).status == 64)
  }

  /// A `bench-compare` that says what it was called with, and what is in its folders.
  private static let comparison = """
    echo "compared $2 of $3 with $4"; find -L "$3" -name '*.json' | sort; find -L "$4" -name '*.json' | sort
    """

  @Test func thisRunIsComparedWithTheLatestEarlierDay() async throws {
    let copy = try Copy()
    copy.writeResults(on: "2026-11-20")
    // Other runs of the day are no part of it.
    for day in ["2026-11-17", "2026-11-18", "2026-11-20", "2026-11-21"] { copy.addResults(of: day) }
    // Neither a day without results nor another folder is one to compare with.
    copy.scratch.directory("results/2026-11-19")
    copy.scratch.directory("results/2026-11-19-old")
    copy.program("bin/bench-compare", Self.comparison)
    let outcome = try await copy.run(["TMPDIR": copy.scratch.path])
    #expect(outcome.status == 0, "\(outcome.talk)")
    let results = Self.tools.sorted().map { "this run of 2026-11-20/2026-11-20/210001Z-\($0).json" }
    func said(_ form: String) -> String {
      (["compared \(form) of 2026-11-18 with this run of 2026-11-20", "2026-11-18/120000Z-bench-api.json"] + results)
        .joined(separator: "\n") + "\n"
    }
    #expect(outcome.output == said("text"))
    #expect(copy.text("results/summary.md") == "# summary\n\n" + said("md"))
    #expect(copy.scratch.names(in: "")?.contains { $0.hasPrefix("tmp.") } == false)
  }

  @Test func aRunPastMidnightIsComparedWholeWithTheDayBeforeItsFirstResult() async throws {
    let copy = try Copy()
    copy.writeResults(on: "2026-11-20")
    copy.program(
      "bin/bench-allocation",
      """
      for day in 19 20; do
        mkdir -p "$2/2026-11-$day"; for i in 1 2 3; do echo '{}' > "$2/2026-11-$day/23595${i}Z-bench-allocation.json"; done
      done
      """)
    for day in ["2026-11-18", "2026-11-19"] { copy.addResults(of: day) }
    copy.program("bin/bench-compare", Self.comparison)
    let outcome = try await copy.run([:], ["--repeat", "6"])
    #expect(outcome.status == 0, "\(outcome.talk)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first == "compared text of 2026-11-18 with this run of 2026-11-19")
    #expect(lines.filter { $0.hasPrefix("this run of 2026-11-19/2026-11-19/23595") }.count == 3)
    #expect(lines.filter { $0.hasPrefix("this run of 2026-11-19/2026-11-20/") }.count == 3 + 5 * 6)
    #expect(!lines.contains { $0.hasPrefix("this run") && $0.contains("120000Z") })
  }

  @Test func aFolderThatCannotBeReadEndsNothing() async throws {
    let copy = try Copy()
    copy.writeResults(on: "2026-11-20")
    // As find ends where it may not look into one of several folders.
    copy.program("path/find", "/usr/bin/find \"$@\"; echo \"find: 'x': Permission denied\" >&2; exit 1")
    let outcome = try await copy.run()
    #expect(outcome.status == 0, "\(outcome.talk)")
    #expect(outcome.calls.count { $0.contains("=0=\(copy.scratch("results/2026-11-20/"))") } == Self.tools.count)
    #expect(!outcome.talk.contains("Permission denied"))
  }

  @Test func withoutAnEarlierDayNothingIsCompared() async throws {
    let copy = try Copy()
    copy.writeResults(on: "2026-11-20")
    copy.program("bin/bench-compare", "echo compared")
    let outcome = try await copy.run()
    #expect(outcome.status == 0 && outcome.output == "", "\(outcome.talk)")
    #expect(copy.text("results/summary.md") == "# summary\n")
  }

  @Test(arguments: [1, 99]) func aComparisonThatFailsIsSaidAndChangesNothing(status: Int32) async throws {
    let copy = try Copy()
    copy.writeResults(on: "2026-11-20")
    copy.addResults(of: "2026-11-18")
    copy.program("bin/bench-compare", "echo 'error: because' >&2; exit \(status)")
    let outcome = try await copy.run()
    #expect(outcome.status == 0)
    #expect(outcome.talk.contains("error: because") && outcome.talk.contains("could not be compared"))
    #expect(
      copy.text("results/summary.md").contains("## Compared with 2026-11-18\n\nThe results could not be compared"))
  }

  @Test func theSummaryIsAppendedToTheStepsSummary() async throws {
    let copy = try Copy()
    copy.writeResults(on: "2026-11-20")
    copy.addResults(of: "2026-11-18")
    copy.program("bin/bench-compare", "echo compared")
    let page = copy.scratch.write("step.md", "before\n")
    let outcome = try await copy.run(["GITHUB_STEP_SUMMARY": page])
    #expect(outcome.status == 0)
    #expect(copy.text("step.md") == "before\n" + copy.text("results/summary.md"))
    #expect(copy.text("step.md").contains("compared"))
  }

  @Test func aStepSummaryThatCannotBeWrittenIsNotedOnly() async throws {
    let copy = try Copy()
    copy.writeResults(on: "2026-11-20")
    let outcome = try await copy.run(["GITHUB_STEP_SUMMARY": copy.scratch("nowhere/step.md")])
    #expect(outcome.status == 0)
    #expect(outcome.talk.contains("note: GITHUB_STEP_SUMMARY: \(copy.scratch("nowhere/step.md")) cannot be written\n"))
  }
}
