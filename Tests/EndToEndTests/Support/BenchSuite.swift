import Glibc
import ProcessControl
import Testing

@testable import InfraBench

/// The program bench-suite in a directory of its own, as people run it there.
struct BenchSuite: Sendable {
  /// Options for a run whose exit status is to tell of its work, not of how fast this machine was meanwhile.
  static let anySpeed = ["--", "--no-default-thresholds", "--allow-saturated"]
  /// Nothing of the tests' own environment shapes the run.
  static let neutral = [
    "GATEWAY_URL": "", "GATEWAY_TOKEN": "", "CLUSTER": "", "SERVICE": "", "REGION": "", "AWS_ENDPOINT_URL": "",
    "AWS_ENDPOINT_URL_ECS": "", "GITHUB_STEP_SUMMARY": "", "CONFIRM_DRAIN": "",
  ]

  let scratch: Scratch
  let running: Tool.Running
  /// What was in the directory before.
  private let given: Set<String>

  /// - Parameter launcher: Words before the program's path, such as `timeout 5`, which starts it in its turn.
  static func start(
    _ arguments: [String], gateway: String = "", through launcher: [String] = [], in scratch: Scratch? = nil
  ) async throws -> BenchSuite {
    let scratch = try scratch ?? Scratch()
    let given = Set(scratch.names(in: "") ?? [])
    let running = try await Tool(name: "bench-suite").start(
      arguments, environment: neutral.merging(["GATEWAY_URL": gateway, "TMPDIR": scratch.path]) { $1 },
      in: scratch.path, through: launcher)
    return BenchSuite(scratch: scratch, running: running, given: given)
  }

  var folder: SuiteFolder { SuiteFolder(scratch: scratch) }

  /// The process of this name below the one that was started, when there is one.
  func process(_ name: String) async throws -> ProcessEntry {
    var found: ProcessEntry?
    try await eventually("no \(name)") {
      found = ProcessEntry.descendants(of: running.child.pid).first { $0.name == name }
      return found != nil || running.child.exitStatus != nil
    }
    return try #require(found)
  }

  /// Whether a directory for temporary files is there that has some.
  var hasTemporaryFiles: Bool {
    (scratch.names(in: "") ?? []).contains { $0.hasPrefix("infrabench-") && scratch.names(in: $0)?.isEmpty == false }
  }

  /// That no process of the run lives on, and that beside the results nothing is there that was not there before: the
  /// directory is also the one for temporary files.
  func expectNothingLeft(
    _ comment: Comment = "after the end", _ location: SourceLocation = #_sourceLocation
  ) async throws {
    try await eventually("something lives on: \(comment)") { ProcessEntry.started(by: scratch).isEmpty }
    let left = Set(scratch.names(in: "") ?? []).subtracting(given).subtracting(["results"])
    #expect(left == [], comment, sourceLocation: location)
  }
}
