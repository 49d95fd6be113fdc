import Foundation
import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The examples of docs/gateways.md as they stand there: the stand-in, the profile, and every run.
@Suite(.serialized, .timeLimit(.minutes(3))) struct GatewayPageTests {
  /// What a run of the page has to show, by the option that it is there for.
  private static let expected: [(option: String, figures: [String: UInt64])] = [
    ("--messages 3", ["message_roundtrip": 12, "first_response": 6, "complete": 18, "gap": 18, "questions": 6]),
    ("--hold-sessions 1s", ["sessions_held": 2, "first_response": 2]),
    ("--reconnect mid-answer", ["recovery": 4, "first_response": 4]),
    ("--token-command", ["ready": 2, "upgrade": 2, "complete": 2]),
    ("bench-allocation", ["allocation": 5]), ("bench-concurrent", ["all": 3]),
  ]

  @Test(.wholeSuiteOnly) func everyExampleRunsAsItStands() async throws {
    let scratch = try Scratch()
    let profiles = try GatewayPage.blocks("json")
    try #require(profiles.count == 1)
    scratch.write("my-gateway.json", profiles[0])
    let lines = try GatewayPage.blocks("sh").flatMap { $0.split(separator: "\n").map(String.init) }
    try #require(lines.count > 5 && lines[0].hasPrefix("printf ") && lines[1].hasPrefix("mock-gateway "))

    let tokens = try await Tool.start(["/bin/sh", "-c", lines[0]], in: scratch.path).end()
    #expect(tokens.status == .exited(0))
    let standIn = try ShellWords.split(lines[1])
    let running = try await Tool(name: standIn[0]).start(
      Array(standIn.dropFirst()) + ["--port", "0", "--task-start-delay", "20ms"], in: scratch.path)
    try await eventually("mock-gateway does not serve") {
      running.standardOutputSoFar.contains("\n") || running.child.exitStatus != nil
    }
    let ready = try JSONDecoder().decode([String: String].self, from: Data(running.standardOutputSoFar.utf8))
    let port = try #require(ready["gatewayUrl"]?.split(separator: ":").last)

    var seen = 0
    for line in lines.dropFirst(2) {
      // A shorter idle time; the rest is as it stands.
      let line = line.replacing("localhost:5174", with: "127.0.0.1:\(port)").replacing(
        "--hold-sessions 2m", with: "--hold-sessions 1s")
      let words = try ShellWords.split(line)
      let outcome = try await Tool(name: words[0]).run(
        Array(words.dropFirst()) + ["--allow-saturated", "--print", "json"],
        environment: ["GATEWAY_URL": "", "GATEWAY_TOKEN": ""],
        in: scratch.path)
      #expect(outcome.status == .exited(0), "\(line): \(outcome.standardError)")
      let document = try outcome.document
      #expect(document.target.profile == "my-gateway" && document.counters["errors"] == 0, "\(line)")
      for secret in ["token-of-anna", "token-of-ben"] {
        #expect(!outcome.standardOutput.contains(secret) && !outcome.standardError.contains(secret), "\(line)")
      }
      guard let expected = Self.expected.first(where: { line.contains($0.option) }) else { continue }
      seen += 1
      for (name, count) in expected.figures {
        let found = document.metrics[name].map { UInt64($0.count) } ?? document.counters[name].map { UInt64($0) } ?? 0
        // Allocations and bursts have what was warm, or could not be told.
        #expect(found == count, "\(line): \(name)")
      }
    }
    #expect(seen == Self.expected.count)
    running.child.signal(SIGTERM)
    _ = await running.child.waitForExit()
  }

  @Test(arguments: BuiltInProfiles.names) func aBuiltInProfileIsPrintedAsAFileThatIsTaken(_ name: String) async throws {
    let scratch = try Scratch()
    let printed = try await Tool(name: "bench-e2e").run(["--print-profile", name], in: scratch.path)
    #expect(printed.status == .exited(0) && printed.standardError.isEmpty)
    #expect(try ProfileFile.read(Array(printed.standardOutput.utf8)).name == name)
    let unknown = try await Tool(name: "bench-e2e").run(["--print-profile", "\(name)x"], in: scratch.path)
    #expect(unknown.status == .exited(64) && unknown.standardOutput.isEmpty)
  }
}
