import FoundationEssentials
import Glibc
import ProcessControl
import Testing

/// The program known-delay-server on a free port; it dies with the tests.
struct KnownDelays: Sendable {
  /// What it counted, by its own word.
  struct Report: Decodable, Sendable {
    var acquires: UInt64
    var releases: UInt64
    var connections: UInt64
  }

  private struct Ready: Decodable {
    var gatewayUrl: String
  }

  let url: String
  private let running: Tool.Running
  private let scratch: Scratch

  static func start(_ arguments: [String] = []) async throws -> KnownDelays {
    let scratch = try Scratch()
    let running = try await Tool(name: "known-delay-server").start(arguments, environment: [:], in: scratch.path)
    try await eventually("known-delay-server does not serve") {
      running.standardOutputSoFar.contains("\n") || running.child.exitStatus != nil
    }
    let ready = try JSONDecoder().decode(Ready.self, from: Data(running.standardOutputSoFar.utf8))
    return KnownDelays(url: ready.gatewayUrl, running: running, scratch: scratch)
  }

  /// Waits (60 s at most) until it has had so many acquires.
  func waitForAcquires(_ count: UInt64) async throws {
    try await eventually("known-delay-server has no \(count) acquires") {
      running.child.signal(SIGUSR1)
      let line = running.standardOutputSoFar.split(separator: "\n").last ?? ""
      // The first line is no report.
      let report = try? JSONDecoder().decode(Report.self, from: Data(line.utf8))
      return report?.acquires ?? 0 >= count
    }
  }

  /// Ends it; its report.
  func end() async throws -> Report {
    running.child.signal(SIGTERM)
    let outcome = await running.end(within: .seconds(20))
    let line = try #require(outcome.standardOutput.split(separator: "\n").last)
    return try JSONDecoder().decode(Report.self, from: Data(line.utf8))
  }
}
