import Foundation
import Latency
import TestSupport

@testable import InfraBench
@testable import Results

/// Runs as a tool writes them: thresholds and verdict are those of the figures.
enum StoredSamples {
  static let thresholds = ["allocation.mean < 100ms", "allocation.p99 < 200ms", "confirmation.p99 < 1s", "errors == 0"]

  static func run(
    _ nanoseconds: [UInt64], startedAt: String = "2026-11-20T21:00:00.123Z", seed: Int64 = 1, errors: UInt64 = 0,
    thresholds: [String] = thresholds
  ) -> ResultDocument {
    var document = SampleDocuments.typical
    document.startedAt = startedAt
    document.parameters["seed"] = .int(seed)
    document.counters = [
      "iterations": UInt64(nanoseconds.count) + errors, "errors": errors, "timeouts": 0, "misses": 0, "cold_starts": 0,
      "unclassified": 0, "duplicate_assignments": 0, "dropped": 0, "censored": 0,
    ]
    document.errors = errors > 0 ? [.init(kind: "http_503", count: errors, example: "status 503, seed \(seed)")] : []
    document.metrics = [:]
    document.metrics["allocation"] = SampleDocuments.metric(
      nanoseconds, failed: FailedPart(errors, of: UInt64(nanoseconds.count) + errors))
    document.thresholds = judged(thresholds, document)
    document.notes = []
    document.findings = nil
    document.verdict = nanoseconds.isEmpty ? .error : document.verdictOfThresholds
    return document
  }

  private static func judged(_ expressions: [String], _ document: ResultDocument) -> [ResultDocument.JudgedThreshold] {
    expressions.compactMap { expression in
      let threshold = try? ThresholdParser(AllocationBenchmark.description).parse(expression, isDefault: true)
      return threshold?.judge(
        metrics: document.metrics, counters: document.counters,
        bounds: FailureTimeouts(document.tool, document.parameters))
    }
  }

  /// As it is read from a file of this name.
  static func stored(
    _ document: ResultDocument, _ name: String = "run.json", in scratch: ScratchDirectory
  ) throws -> StoredResult {
    try ResultReader.suite.read(scratch.write(name, ResultCoding.encode(document)))
  }

  /// Several runs as they are read from files of their own.
  static func stored(_ documents: [ResultDocument], in scratch: ScratchDirectory) throws -> [StoredResult] {
    try documents.enumerated().map { try stored($1, "run-\($0).json", in: scratch) }
  }

  /// Latencies in ns that are like a real target's.
  static func latencies(_ count: Int, seed: UInt64) -> [UInt64] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in
      let base = UInt64.random(in: 1_000_000...9_000_000, using: &random)
      return UInt64.random(in: 0..<50, using: &random) == 0 ? base * 20 : base
    }
  }
}
