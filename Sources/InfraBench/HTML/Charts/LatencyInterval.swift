/// A row of a load run's timeline: the latencies of one interval.
struct LatencyInterval {
  /// Seconds since the measured part began.
  var start: Double
  var length: Double
  var count: UInt64
  var errors: UInt64
  /// In ms; empty without a latency.
  var percentiles: [String: Double]
  /// All latencies as the document holds them, if it does: decoded they are large.
  var encodedHistogram: String?

  var end: Double { start + length }

  /// Nil for a row of another kind of timeline.
  init?(_ row: [String: JSONValue]) {
    guard let start = row["t"]?.number, let length = row["seconds"]?.number, start >= 0, length >= 0 else { return nil }
    self.start = start
    self.length = length
    count = UInt64(exactly: (row["count"]?.number ?? 0).rounded()) ?? 0
    errors = UInt64(exactly: (row["errors"]?.number ?? 0).rounded()) ?? 0
    percentiles = [:]
    for name in Self.names { percentiles[name] = row[name]?.number }
    if case .string(let data) = row["histogram"] { encodedHistogram = data }
  }

  /// What is drawn of an interval without its histogram.
  static let names = ["p50", "p95", "p99", "max"]
}

extension JSONValue {
  /// Nil for what is no finite number.
  var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value) where value.isFinite: value
    default: nil
    }
  }
}
