import ProcessControl
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// What a run prints and writes.
@Suite(.serialized, .timeLimit(.minutes(3))) struct OutputTests {
  private static let quick = ["--count", "1"] + BenchRun.smallPool + ["--no-default-thresholds"]

  @Test func printedJSONIsTheFileToTheByte() async throws {
    let result = try await BenchRun.run("bench-allocation", Self.quick + ["--print", "json"])
    #expect(try result.file("json") == result.output)
    #expect(try result.document().tool == "bench-allocation")
  }

  @Test(.wholeSuiteOnly) func printedMarkdownIsTheFileToTheByte() async throws {
    let result = try await BenchRun.run("bench-e2e", Self.quick + ["--print", "md"])
    #expect(try result.file("md") == result.output)
    #expect(result.output.hasPrefix("# bench-e2e"))
  }

  @Test(.wholeSuiteOnly) func quietRunSaysNothingOnStandardErrorAndItsDataAllTheSame() async throws {
    let result = try await BenchRun.run("bench-allocation", Self.quick + ["--quiet"])
    #expect(result.talk == "")
    #expect(result.output.hasPrefix("Run 1: allocation_time="))
    #expect(result.files().count == 2)
  }

  @Test(.wholeSuiteOnly) func formatsAndDirectoryAreTheUsersChoice() async throws {
    let result = try await BenchRun.run(
      "bench-allocation", Self.quick + ["--format", "json", "--output-dir", "here/and there"])
    #expect(result.files() == [:])
    let names = result.files(in: "here/and there").keys
    #expect(names.count == 1 && names.allSatisfy { $0.hasSuffix("-bench-allocation.json") }, "\(names)")
  }

  @Test(.wholeSuiteOnly) func labelIsInTheDocumentAsItIsAndInTheNameAsItMayBe() async throws {
    let label = "stage: α/β ../../x"
    let result = try await BenchRun.run("bench-allocation", Self.quick + ["--label", label])
    #expect(try result.document().label == label)
    #expect(result.files().keys.allSatisfy { $0.contains("Z-bench-allocation-stage------..-..-x.") })
    let document = try result.document()
    let day = document.startedAt.prefix(10)
    let time = document.startedAt.dropFirst(11).prefix(8).filter { $0 != ":" }
    #expect(result.files()["\(day)/\(time)Z-bench-allocation-stage------..-..-x.json"] != nil, "\(result.files().keys)")
  }

  @Test(.wholeSuiteOnly) func nothingIsColouredOnAFile() async throws {
    let result = try await BenchRun.run("bench-allocation", Self.quick)
    #expect(!result.output.contains("\u{1b}") && !result.talk.contains("\u{1b}"))
  }

  @Test(arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"])
  func helpAndVersionAreThere(_ tool: String) async throws {
    let help = try await BenchRun.run(tool, ["--help"])
    #expect(help.status == .exited(0))
    #expect(help.output.contains("Examples:") && help.output.contains("--gateway-url"))
    let version = try await BenchRun.run(tool, ["--version"])
    #expect(version.status == .exited(0) && version.output == "\(SuiteVersion.version)\n")
    #expect(help.scratch.names(in: "") == [])
  }

  @Test(.wholeSuiteOnly) func targetOnTheSameCoresIsANoteInEveryPlaceAndNoVerdict() async throws {
    let result = try await BenchRun.run("bench-allocation", Self.quick)
    let document = try result.passedDocument()
    let notes = document.notes.filter { $0.hasPrefix("target and load generator share ") }
    #expect(notes.count == 1, "\(document.notes)")
    for note in notes { #expect(result.talk.contains("note: \(note)\n")) }
    #expect(try result.file("md").contains("> Note: target and load generator share "))
  }

  @Test func resultThatCannotBeWrittenIsPrintedAndFailsTheRun() async throws {
    let assigned = Counting()
    let isFirstGone = Mutex(false)
    let isFileThere = Mutex(false)
    // The second iteration waits for a warm task until the file is there.
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status":
        return ScriptedGateway.status(warm: !isFirstGone.withLock { $0 } || isFileThere.withLock { $0 } ? 1 : 0)
      case "POST /api/acquire":
        isFirstGone.withLock { $0 = true }
        return .json(#"{"success": true, "taskId": "t\#(assigned.next())", "source": "warm"}"#)
      default: return .json(#"{"success": true}"#)
      }
    }
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "2", "--output-dir", "results"])
    try await run.waitForOutput("Run 1: allocation_time=")
    // What was free at the start is taken by a file now.
    run.scratch.write("results", "in the way")
    isFileThere.withLock { $0 = true }
    let result = await run.end()
    await gateway.stop()
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("error: the result could not be written: "), "\(result.talk)")
    #expect(result.output.contains("verdict: "))
  }
}
