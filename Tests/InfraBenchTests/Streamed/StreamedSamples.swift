import Foundation
import TestSupport

@testable import InfraBench
@testable import Results

/// The result of a real run of bench-e2e by a profile with streamed answers: 8 users' iterations of 3 messages each, 2 of them
/// warm. Only what names the machine was changed, and the build.
enum StreamedSamples {
  static func real() throws -> ResultDocument {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Golden/streamed.json")
    return try ResultCoding.decode(String(decoding: Data(contentsOf: file), as: UTF8.self), tools: .suite)
  }

  /// The same with `failed` more iterations, which failed.
  static func withFailures(_ failed: UInt64) throws -> ResultDocument {
    var document = try real()
    document.counters["iterations", default: 0] += failed
    document.counters["errors"] = failed
    document.errors = [.init(kind: "complete: timeout", count: failed, example: "nothing within 30000 ms")]
    return document
  }

  /// Runs of it at different times of one day.
  static func runs(_ count: Int, day: String = "2026-11-20") throws -> [ResultDocument] {
    let document = try real()
    return (0..<count).map { number in
      var copy = document
      copy.startedAt = "\(day)T1\(number):00:00.000Z"
      copy.parameters["seed"] = .int(Int64(number))
      return copy
    }
  }
}
