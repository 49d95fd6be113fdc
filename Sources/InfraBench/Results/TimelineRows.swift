import Latency
import LoadEngine

/// A load run's timeline in a result document: latencies of the headline metric in ms, per interval, and their histogram.
enum TimelineRows {
  /// nil when no timeline was kept.
  static func of(_ intervals: [TimelineInterval], headline: String) -> [[String: JSONValue]]? {
    guard !intervals.isEmpty else { return nil }
    return intervals.map { interval in
      var row: [String: JSONValue] = [
        "t": .double(seconds(interval.start)), "seconds": .double(seconds(interval.length)),
        "iterations": .int(Int64(clamping: interval.iterations)), "errors": .int(Int64(clamping: interval.errors)),
        "dropped": .int(Int64(clamping: interval.dropped)), "metric": .string(headline), "count": 0,
      ]
      guard let summary = LatencySummary(interval.latencies) else { return row }
      row["count"] = .int(Int64(clamping: summary.count))
      for (name, nanoseconds) in [
        ("p50", summary.p50.value), ("p90", summary.p90.value), ("p95", summary.p95.value),
        ("p99", summary.p99.value), ("max", summary.max),
      ] {
        row[name] = .double(Double(nanoseconds) / 1e6)
      }
      row["histogram"] = .string(interval.compressedLatencies)
      return row
    }
  }

  /// In seconds, to the millisecond.
  private static func seconds(_ nanoseconds: UInt64) -> Double { (Double(nanoseconds) / 1e6).rounded() / 1e3 }
}
