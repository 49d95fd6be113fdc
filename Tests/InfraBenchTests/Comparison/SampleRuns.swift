import Foundation
import Latency
import TestSupport

@testable import InfraBench
@testable import Comparison
@testable import Results

/// Results as a folder of them has them: runs of one load that differ as runs do.
enum SampleRuns {
  /// How runs of one day lie beside each other.
  static let spread = [1.0, 1.03, 0.98, 1.01, 0.97, 1.02, 0.99, 1.015]

  /// 100 latencies in ns, the slowest ten times as slow as the fastest.
  static func latencies(_ factor: Double) -> [UInt64] {
    (0..<100).map { UInt64(20e6 * factor * pow(10, Double($0) / 99)) }
  }

  /// A run of bench-allocation in which everything takes `factor` times as long as usual.
  static func document(_ factor: Double = 1, day: String = "2026-11-20", number: Int = 0) -> ResultDocument {
    var document = SampleDocuments.typical
    document.startedAt = "\(day)T10:\(number < 10 ? "0" : "")\(number):00.000Z"
    document.verdict = .pass
    document.parameters = ["count": 100, "concurrency": 1, "waitFor": "assigned", "seed": .int(Int64(number))]
    document.metrics = [:]
    document.metrics["allocation"] = SampleDocuments.metric(latencies(factor))
    document.metrics["gateway_latency"] = SampleDocuments.metric(latencies(factor / 10))
    document.counters = [
      "iterations": 100, "errors": 0, "timeouts": 0, "misses": 0, "cold_starts": 0, "unclassified": 0,
      "duplicate_assignments": 0, "dropped": 0, "censored": 0,
    ]
    document.errors = []
    document.thresholds = []
    return document
  }

  /// `count` runs of one day.
  static func documents(
    _ count: Int = 6, factor: Double = 1, day: String = "2026-11-20",
    change: (inout ResultDocument) -> Void = { _ in }
  ) -> [ResultDocument] {
    (0..<count).map { number in
      var document = document(factor * spread[number % spread.count], day: day, number: number)
      change(&document)
      return document
    }
  }

  /// As they are read from files of the numbers `start` and on.
  static func stored(_ documents: [ResultDocument], from start: Int = 0) throws -> StoredRuns {
    var runs = StoredRuns(runs: [], excluded: [])
    for (index, document) in documents.enumerated() {
      let number = start + index
      let file = ResultFile(path: "results/\(number).json", identity: .init(device: 1, inode: UInt(number)))
      do {
        let bytes = Array(try ResultCoding.encode(document).utf8)
        let written = try ResultReader.suite.decode(bytes, file.path, withTimeline: false)
        runs.runs.append(StoredRun(written, file: file))
      } catch let error as ResultReadError {
        if !error.isForeign { runs.excluded.append(ExcludedFile(file: file.path, reason: error.reason)) }
      }
    }
    return runs
  }

  /// Compares documents.
  static func compare(
    _ old: [ResultDocument], _ new: [ResultDocument], _ settings: Comparison.Settings = .init()
  ) async throws -> Comparison {
    try await Comparison.make(
      old: stored(old), new: stored(new, from: 1000), settings: settings, names: ("old", "new"))
  }

  /// Writes documents into a folder.
  static func write(_ documents: [ResultDocument], _ folder: String, in scratch: ScratchDirectory) throws {
    for (number, document) in documents.enumerated() {
      try scratch.write("\(folder)/\(number)-\(document.tool).json", ResultCoding.encode(document))
    }
  }
}

extension Comparison {
  /// The first statistic of that name.
  func statistic(_ metric: String, _ statistic: StatisticComparison.Statistic) -> StatisticComparison? {
    groups.flatMap(\.all).first { $0.metric == metric && $0.statistic == statistic }
  }

  /// The first metric of that name.
  func metric(_ name: String) -> MetricComparison? { groups.flatMap(\.metrics).first { $0.name == name } }
}
