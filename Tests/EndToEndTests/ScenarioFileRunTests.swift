import FoundationEssentials
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `--scenario FILE` with the built tools.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ScenarioFileRunTests {
  private let files: Scratch

  init() throws { files = try Scratch() }

  @Test func aRunIsShapedByItsFileAndTheCommandLineHasTheLastWord() async throws {
    let file = files.write(
      "load.json",
      #"{"count": 4, "writers": 2, "seed": 7, "fsync": true, "label": "from the file", "threshold": ["create.max < 1us"]}"#
    )
    let result = try await BenchRun.run(
      "bench-dirinit", ["--scenario", file, "--label=flag", "--threshold", "create.count == 4"])
    let document = try result.document()
    #expect(result.status == .exited(document.verdict == .pass ? 0 : 99), "\(result.talk)")
    #expect(document.parameters["count"] == 4 && document.parameters["writers"] == 2)
    #expect(document.parameters["seed"] == 7 && document.parameters["fsync"] == true)
    #expect(document.label == "flag" && document.metrics["create"]?.count == 4)
    #expect(document.thresholds.contains { $0.expression == "create.count == 4" && $0.pass })
    #expect(!document.thresholds.contains { $0.expression.contains("1us") })
  }

  @Test func theFileWinsOverTheEnvironmentAndItsHeadersAreSent() async throws {
    let gateway = try await ScriptedGateway { request in
      request.line == "GET /api/status"
        ? ScriptedGateway.status(warm: 3)
        : .json(#"{"taskId": "t"}"#, status: request.line.hasPrefix("POST") ? 200 : 404)
    }
    let file = files.write(
      "gateway.json",
      #"{"gateway-url": "\#(gateway.url)", "header": ["X-Key: s3cr3t-value", "X-Other: s3cr3t-other"], "count": 1,"#
        + #" "timeout": "300ms"}"#)
    let result = try await BenchRun.run(
      "bench-allocation", ["--scenario=\(file)"], environment: ["GATEWAY_URL": "nonsense"])
    await gateway.stop()
    #expect(!gateway.requests.isEmpty, "\(result.talk)")
    for header in ["X-Key: s3cr3t-value", "X-Other: s3cr3t-other"] {
      #expect(gateway.requests.allSatisfy { $0.head.contains("\r\n\(header)") }, "\(header)")
    }
    let told = [result.output, result.talk] + result.files().values
    #expect(!told.contains { $0.contains("s3cr3t") })
    #expect(try result.document().parameters["headers"] == .array(["X-Key", "X-Other"]))
  }

  @Test(arguments: ["bench-allocation", "bench-concurrent", "bench-dirinit", "bench-e2e", "bench-exhaustion"])
  func everythingWrongIsSaidAtOnceAndNothingIsStartedOrWritten(_ tool: String) async throws {
    let file = files.write(
      "wrong.json",
      #"""
      {
        "outputDir": "x", "label": "a\nb", "print": 5, "quiet": "yes", "threshold": [true, "nonsense"], "label": "c",
        "user-id": "../../etc", "scenario": "x", "s3cr3t key": 1
      }
      """#)
    let result = try await BenchRun.run(tool, ["--scenario", file, "--format", "xml"])
    #expect(result.status == .exited(64))
    for message in [
      "--scenario: '\(file)', line 2: 'outputDir' is no option of \(tool): the nearest name is 'output-dir'\n",
      "--scenario: '\(file)', line 2: 'label' is there twice\n", "--quiet (in '\(file)'): it is a flag: ",
      "--scenario: '\(file)', line 3: 'scenario' can't be given in a file: ", "line 3: a key is no option of \(tool)",
      "--threshold (in '\(file)'): it takes a value: ", "--label (in '\(file)'): write 1 to 100 bytes",
      "--print (in '\(file)'): '5' is unknown", "--user-id (in '\(file)'): ", "--format: 'xml' is unknown",
    ] {
      #expect(
        result.talk.contains("error: \(message)") || result.talk.contains(message), "\(message) in \(result.talk)")
    }
    #expect(result.talk.hasSuffix("See '\(tool) --help'.\n") && !result.talk.contains("s3cr3t"))
    #expect(result.output == "" && result.scratch.names(in: "") == [])
  }

  @Test func whatTheParserRefusesDoesNotHideWhatIsWrongWithTheFile() async throws {
    let result = try await BenchRun.run("bench-allocation", ["--scenario", files("none.json"), "--no-such-option"])
    #expect(result.status == .exited(64))
    #expect(result.talk.contains("error: --scenario: '\(files("none.json"))' cannot be read: No such file"))
    #expect(result.talk.contains("--no-such-option") && result.output == "")
  }

  @Test func helpAndVersionNeedNoGoodFile() async throws {
    for option in ["--help", "--version"] {
      let result = try await BenchRun.run("bench-exhaustion", ["--scenario", files("none.json"), option])
      #expect(result.status == .exited(0) && result.talk == "" && result.output != "")
    }
  }
}
