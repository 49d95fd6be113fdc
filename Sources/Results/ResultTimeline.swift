package import Latency

/// How a run went over time, as rows in the order of time. A load run has a row for each interval, with the latencies
/// of one metric in it. bench-exhaustion has a row for each poll of the pool.
///
/// ```swift
/// for row in document.timeline?.rows ?? [] { print(row.t ?? 0, row.count, row.number(.p99) ?? 0) }
/// ```
package struct ResultTimeline: Codable, Sendable, Equatable {
  package var rows: [Row]

  package init(_ rows: [Row]) { self.rows = rows }

  /// The key under which a decoder's user info says that the rows are skipped.
  static let isSkippedKey = CodingUserInfoKey.named("skipsTimeline")

  package init(from decoder: any Decoder) throws {
    let isSkipped = decoder.userInfo[Self.isSkippedKey] as? Bool ?? false
    rows = isSkipped ? [] : try decoder.singleValueContainer().decode([Row].self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rows)
  }

  /// The metric that the rows describe; nil where they describe none.
  package var metric: String? { rows.lazy.compactMap(\.metric).first }

  /// Whether every row describes an interval.
  package var isOfIntervals: Bool { rows.allSatisfy { $0.values[Key.seconds.rawValue] != nil } }

  /// The keys that this version knows, in the order of tables.
  package enum Key: String, CaseIterable, Sendable {
    /// The row's instant, or the begin of its interval, in s from the begin of the run.
    case t
    /// The interval's length in s.
    case seconds
    case iterations, errors, dropped
    /// How many tasks each source saw in the pool; null where a poll was lost.
    case listed, running, warm
    /// Why a poll gave no counts.
    case gap
    case metric
    /// Samples of the metric in the interval.
    case count
    /// The metric's statistics in the interval, in ms.
    case mean, min, p50, p90, p95, p99, p999, max
    /// The interval's latencies, encoded like a metric's histogram. No table shows it.
    case histogram

    /// Whether the key's values are times in ms.
    package var isTime: Bool {
      switch self {
      case .mean, .min, .p50, .p90, .p95, .p99, .p999, .max: true
      default: false
      }
    }

    /// The unit: `ms`, `s`, or empty for plain numbers and texts.
    package var unit: String { isTime ? "ms" : self == .seconds ? "s" : "" }
  }

  /// All keys that tables of `rows` show: the known ones in their order, then the others by name.
  package static func shownKeys(of rows: [Row]) -> [String] {
    let names = rows.reduce(into: Set<String>()) { $0.formUnion($1.values.keys) }
    let known = Key.allCases.map(\.rawValue)
    return known.filter { names.contains($0) && $0 != Key.histogram.rawValue } + names.subtracting(known).sorted()
  }

  /// One row. A file may hold any value under any key: where the value is not of the key's kind, the property is nil,
  /// and ``values`` still has it.
  package struct Row: Codable, Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// All values as they are written, those of unknown keys too.
    package var values: [String: JSONValue]

    package init(_ values: [String: JSONValue]) { self.values = values }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
      values = Dictionary(elements) { $1 }
    }

    package init(from decoder: any Decoder) throws {
      values = try decoder.singleValueContainer().decode([String: JSONValue].self)
    }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(values)
    }

    package subscript(key: Key) -> JSONValue? {
      get { values[key.rawValue] }
      set { values[key.rawValue] = newValue }
    }

    package var t: Double? { number(.t) }
    package var seconds: Double? { number(.seconds) }
    package var metric: String? { text(.metric) }
    package var histogram: String? { text(.histogram) }
    package var gap: String? { text(.gap) }
    package var iterations: UInt64? { whole(.iterations) }
    package var errors: UInt64? { whole(.errors) }
    package var count: UInt64? { whole(.count) }

    /// A finite number; nil for anything else.
    package func number(_ key: Key) -> Double? { self[key]?.number }

    private func text(_ key: Key) -> String? {
      guard case .string(let text)? = self[key] else { return nil }
      return text
    }

    private func whole(_ key: Key) -> UInt64? { number(key).flatMap { UInt64(exactly: $0.rounded()) } }
  }
}

extension ResultTimeline.Row {
  /// The row of an interval of a load run; its `t` and `seconds` are rounded to the millisecond.
  ///
  /// - Parameter histogram: The encoded histogram of `latencies`; nil where there were no samples.
  package static func interval(
    start: Nanoseconds, length: Nanoseconds, iterations: UInt64, errors: UInt64, dropped: UInt64, metric: String,
    latencies: LatencySummary?, histogram: String?
  ) -> ResultTimeline.Row {
    var row = ResultTimeline.Row([:])
    row[.t] = .double(seconds(start))
    row[.seconds] = .double(seconds(length))
    row[.iterations] = .int(Int64(clamping: iterations))
    row[.errors] = .int(Int64(clamping: errors))
    row[.dropped] = .int(Int64(clamping: dropped))
    row[.metric] = .string(metric)
    row[.count] = .int(Int64(clamping: latencies?.count ?? 0))
    guard let latencies else { return row }
    for (key, value) in [
      (.p50, latencies.p50.value), (.p90, latencies.p90.value), (.p95, latencies.p95.value),
      (.p99, latencies.p99.value), (.max, latencies.max),
    ] as [(ResultTimeline.Key, UInt64)] {
      row[key] = .double(Nanoseconds(value).milliseconds)
    }
    row[.histogram] = histogram.map { .string($0) }
    return row
  }

  private static func seconds(_ length: Nanoseconds) -> Double { length.milliseconds.rounded() / 1e3 }
}
