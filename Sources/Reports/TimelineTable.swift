import Results
import TextFormatting

/// A result's timeline as a table. Load runs show all intervals; other timelines are thinned out to a readable length.
struct TimelineTable {
  private let points: [ResultTimeline.Row]
  private static let longest = 40
  /// No load run has more intervals.
  private static let mostIntervals = 240
  /// The percentiles, in percent, that are marked if they rest on few samples.
  private static let percentiles: [ResultTimeline.Key: UInt64] = [.p50: 50, .p90: 90, .p95: 95, .p99: 99]

  init(_ document: ResultDocument) {
    points = document.timeline?.rows ?? []
  }

  var text: String? {
    guard let (table, notes) = table else { return nil }
    return table.markdown + notes.map { "\n\(Markdown.escape($0))\n" }.joined()
  }

  /// The table with its notes; nil without a timeline.
  var table: (table: Table, notes: [String])? {
    guard !points.isEmpty else { return nil }
    let columns = ResultTimeline.shownKeys(of: points)
    let isOfIntervals = ResultTimeline(points).isOfIntervals
    let length = isOfIntervals ? Self.mostIntervals : Self.longest
    let step = max(1, (points.count + length - 1) / length)
    var table = Table(columns.map(Self.title))
    var marks: Set<MetricDocument.Mark> = []
    for (index, point) in points.enumerated() where index % step == 0 || index == points.count - 1 {
      table.add(
        columns.map { column in
          let mark = ResultTimeline.Key(rawValue: column).flatMap { self.mark(of: $0, at: point) }
          if let mark { marks.insert(mark) }
          return cell(column, point.values[column] ?? .null) + (mark?.rawValue ?? "")
        })
    }
    let legend = MetricDocument.Mark.legend(of: marks)
    guard step > 1 else { return (table, legend) }
    return (
      table,
      legend + ["One of every \(step) points is shown, and the last; all \(points.count) are in the JSON file."]
    )
  }

  /// The mark of an interval's figure, by the rules of the whole run's table: failures make the figure meaningless, or
  /// the percentile rests on few samples.
  private func mark(of key: ResultTimeline.Key, at point: ResultTimeline.Row) -> MetricDocument.Mark? {
    if isUnreliable(key, at: point) { return .unreliable }
    guard let percentile = Self.percentiles[key], point[key] ?? .null != .null, let count = point.count,
      count <= .max / 100
    else { return nil }
    // The rank is rounded up; the samples after the rank are beyond the percentile.
    switch count * (100 - percentile) / 100 {
    case 0: return .maximum
    case 1..<10: return .fewSamples
    default: return nil
    }
  }

  private func isUnreliable(_ key: ResultTimeline.Key, at point: ResultTimeline.Row) -> Bool {
    guard let errors = point.errors, errors > 0, let iterations = point.iterations, point[key] ?? .null != .null
    else { return false }
    if key == .max { return true }
    guard let percentile = Self.percentiles[key] else { return false }
    return Double(errors) * 100 > Double(iterations) * Double(100 - percentile)
  }

  private static func title(_ name: String) -> String {
    switch ResultTimeline.Key(rawValue: name) {
    case .t: "t (s)"
    case .seconds: "length (s)"
    case .p999: "P99.9"
    case .p50, .p90, .p95, .p99: name.uppercased()
    default: name
    }
  }

  private func cell(_ name: String, _ value: JSONValue) -> String {
    let key = ResultTimeline.Key(rawValue: name)
    switch value {
    case .null: return ""
    // JSON writes a whole number as an integer, even if the key holds fractions.
    case .int(let number) where key?.isTime == true: return NumberText.time(milliseconds: Double(number))
    case .double(let number) where key?.isTime == true: return NumberText.time(milliseconds: number)
    case .int(let number) where key == .t || key == .seconds: return NumberText.decimals(Double(number), 2)
    case .double(let number): return NumberText.decimals(number, 2)
    default: return value.description
    }
  }
}
