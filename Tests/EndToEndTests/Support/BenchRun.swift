import FoundationEssentials
import Glibc
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// A benchmark tool in a directory of its own, as people run it there.
struct BenchRun: Sendable {
  /// Options that keep the embedded gateway small and quick.
  static let smallPool = ["--pool-size", "2", "--task-start-delay", "50ms"]
  /// For a run whose exit status is to tell of its work, not of how fast this machine was meanwhile.
  static let anySpeed = ["--no-default-thresholds", "--allow-saturated"]

  let scratch: Scratch
  let running: Tool.Running

  /// Starts `tool`; nothing of the tests' own environment shapes the run.
  static func start(_ tool: String, _ arguments: [String], environment: [String: String] = [:]) async throws -> BenchRun
  {
    let scratch = try Scratch()
    let neutral = ["GATEWAY_URL": "", "GATEWAY_TOKEN": "", "NO_COLOR": "", "TMPDIR": scratch.path]
    let running = try await Tool(name: tool).start(
      arguments, environment: neutral.merging(environment) { $1 }, in: scratch.path)
    return BenchRun(scratch: scratch, running: running)
  }

  /// Runs `tool` to its end.
  static func run(_ tool: String, _ arguments: [String], environment: [String: String] = [:]) async throws
    -> BenchResult
  {
    try await start(tool, arguments, environment: environment).end()
  }

  func end(within timeout: Duration = .seconds(60)) async -> BenchResult {
    BenchResult(outcome: await running.end(within: timeout), scratch: scratch)
  }

  /// Waits (60 s at most) until standard output has `text`.
  func waitForOutput(_ text: String) async throws {
    try await eventually("no '\(text)' on standard output") { running.standardOutputSoFar.contains(text) }
  }
}

/// What a run left behind.
struct BenchResult: Sendable {
  let outcome: Tool.Outcome
  let scratch: Scratch

  var status: ProcessControl.ExitStatus { outcome.status }
  var output: String { outcome.standardOutput }
  var talk: String { outcome.standardError }

  /// Every file below the output directory, by its path there.
  func files(in directory: String = "results") -> [String: String] {
    var files: [String: String] = [:]
    for day in scratch.names(in: directory) ?? [] {
      for name in scratch.names(in: "\(directory)/\(day)") ?? [] {
        let data = FileManager.default.contents(atPath: scratch("\(directory)/\(day)/\(name)")) ?? Data()
        files["\(day)/\(name)"] = String(decoding: data, as: UTF8.self)
      }
    }
    return files
  }

  /// The text of the only file with this extension.
  func file(_ fileExtension: String) throws -> String {
    let found = files().filter { $0.key.hasSuffix(".\(fileExtension)") }
    try #require(found.count == 1, "files: \(files().keys), said: \(talk)")
    return try #require(found.first?.value)
  }

  /// The document that was written.
  func document() throws -> ResultDocument { try ResultCoding.decode(file("json"), tools: .suite) }

  /// The document of a run that met its thresholds, unless it says that this machine was too busy for it.
  func passedDocument(_ location: SourceLocation = #_sourceLocation) throws -> ResultDocument {
    let document = try document()
    let isSaturated = document.generator.saturated
    #expect(status == .exited(isSaturated ? 99 : 0), "\(output)\(talk)", sourceLocation: location)
    #expect(document.verdict == (isSaturated ? .fail : .pass), sourceLocation: location)
    #expect(document.thresholds.allSatisfy { $0.pass }, "\(document.thresholds)", sourceLocation: location)
    return document
  }
}

/// Polls for at most a minute.
func eventually(
  _ what: Comment, _ location: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  for _ in 0..<6000 {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record(what, sourceLocation: location)
}
