import Foundation
import Glibc
import ProcessControl
import TestSupport
import Testing

/// A gateway in Python that goes wrong as a script says, and whose books are another's word for what was asked and
/// answered (`Fixtures/faulty_gateway.py`); it dies with the tests.
struct FaultyGateway: Sendable {
  struct Fault: Codable, Sendable {
    enum Kind: String, Codable, Sendable, CaseIterable {
      /// Answered after `lengthMs`: within the time-out, or beyond it.
      case slow, late
      /// Never answered · no answer before the end of `lengthMs` after `fromMs` · the whole process stands still once.
      case mute, deaf, stall
      case close, reset, http, miss, invalid, truncated
    }

    var kind: Kind
    /// Of the acquires, 0…1.
    var share = 1.0
    /// Since the first acquire.
    var fromMs = 0
    var lengthMs = 0
    /// Mute: also for the status and releases.
    var isOfEverything = false
  }

  enum Release: String, Codable, Sendable {
    case works, refused, mute, missing
  }

  struct Script: Codable, Sendable {
    var seed: UInt64
    var delayMs: Int
    var fault: Fault?
    /// So many connections are accepted; the others wait in vain, or are refused.
    var places: Int?
    var refusesBeyond = false
    var saysSource = true
    var coldShare = 0.0
    var release = Release.works
    var releaseShare = 1.0
  }

  /// In ms.
  struct Times: Decodable, Sendable {
    var count: UInt64
    var min: Double
    var p50: Double
    var p90: Double
    var p99: Double
    var max: Double
  }

  struct Books: Decodable, Sendable {
    var connections: UInt64
    var acquires: UInt64
    var warm: Times?
    var cold: Times?
    var all: Times?
    var others: [String: UInt64]
    var releases: UInt64
    var stillAssigned: UInt64
    /// Since the first acquire; nil where none came.
    var lastAnswerMs: Double?

    /// Acquires that were answered with a task.
    var tasks: UInt64 { all?.count ?? 0 }
    func other(_ kind: String) -> UInt64 { others[kind] ?? 0 }
  }

  private struct Ready: Decodable {
    var port: Int
  }

  let url: String
  private let running: Tool.Running
  private let scratch: Scratch

  static func start(_ script: Script) async throws -> FaultyGateway {
    let program = try #require(
      Bundle.module.url(forResource: "faulty_gateway", withExtension: "py", subdirectory: "Fixtures"))
    let scratch = try Scratch()
    let text = String(decoding: try JSONEncoder().encode(script), as: UTF8.self)
    let running = try await Tool.start(
      ["/usr/bin/env", Python.interpreter, program.path, text], in: scratch.path)
    try await eventually("the faulty gateway does not serve") {
      running.standardOutputSoFar.contains("\n") || running.child.exitStatus != nil
    }
    let line = try #require(
      running.standardOutputSoFar.split(separator: "\n").first, "\(running.standardErrorSoFar)")
    let ready = try JSONDecoder().decode(Ready.self, from: Data(line.utf8))
    return FaultyGateway(url: "http://127.0.0.1:\(ready.port)", running: running, scratch: scratch)
  }

  /// Whether anything was asked of it yet.
  var wasAsked: Bool { running.standardOutputSoFar.contains(#""event": "asked""#) }

  /// Ends it; its books.
  func end() async throws -> Books {
    running.child.signal(SIGTERM)
    let outcome = await running.end(within: .seconds(20))
    let line = try #require(outcome.standardOutput.split(separator: "\n").last)
    #expect(outcome.standardError.isEmpty, "\(outcome.standardError)")
    return try JSONDecoder().decode(Books.self, from: Data(line.utf8))
  }
}
