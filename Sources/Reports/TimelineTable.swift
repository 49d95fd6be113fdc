/// A result's timeline as a table: of load runs every interval, of others thinned out to a readable length.
struct TimelineTable {
  private let points: [[String: JSONValue]]
  private static let longest = 40
  /// Of a load run: no run has more intervals.
  private static let mostIntervals = 240
  /// What is marked where it rests on few samples, in percent.
  private static let percentiles: [String: UInt64] = ["p50": 50, "p90": 90, "p95": 95, "p99": 99]

  init(_ document: ResultDocument) {
    points = document.timeline ?? []
  }

  var text: String? {
    guard let (table, notes) = table else { return nil }
    return table.markdown + notes.map { "\n\(Markdown.escape($0))\n" }.joined()
  }

  /// The table, and what a reader of it must know; nil without a timeline.
  var table: (table: TextTable, notes: [String])? {
    guard !points.isEmpty else { return nil }
    let columns = TimelineKeys.ordered(in: points)
    let isOfIntervals = points.allSatisfy { $0["seconds"] != nil }
    let length = isOfIntervals ? Self.mostIntervals : Self.longest
    let step = max(1, (points.count + length - 1) / length)
    var table = TextTable(columns.map(Self.title))
    var marks: Set<MetricDocument.Mark> = []
    for (index, point) in points.enumerated() where index % step == 0 || index == points.count - 1 {
      table.add(
        columns.map { column in
          let mark = mark(of: column, at: point)
          if let mark { marks.insert(mark) }
          return cell(column, point[column] ?? .null) + (mark?.rawValue ?? "")
        })
    }
    let legend = MetricDocument.Mark.legend(of: marks)
    guard step > 1 else { return (table, legend) }
    return (
      table,
      legend + ["One of every \(step) points is shown, and the last; all \(points.count) are in the JSON file."]
    )
  }

  /// An interval's figure that failures make meaningless, or a percentile that rests on few samples, as it would be marked in
  /// the table of the whole run.
  private func mark(of key: String, at point: [String: JSONValue]) -> MetricDocument.Mark? {
    if isUnreliable(key, at: point) { return .unreliable }
    guard let percentile = Self.percentiles[key], point[key, default: .null] != .null,
      case .int(let number) = point["count"], let count = UInt64(exactly: number), count <= .max / 100
    else { return nil }
    // The rank is rounded up, and what comes after it is beyond.
    switch count * (100 - percentile) / 100 {
    case 0: return .maximum
    case 1..<10: return .fewSamples
    default: return nil
    }
  }

  private func isUnreliable(_ key: String, at point: [String: JSONValue]) -> Bool {
    guard case .int(let errors)? = point["errors"], errors > 0, case .int(let iterations)? = point["iterations"],
      point[key, default: .null] != .null
    else { return false }
    if key == "max" { return true }
    guard let percentile = Self.percentiles[key] else { return false }
    return Double(errors) * 100 > Double(iterations) * Double(100 - percentile)
  }

  private static func title(_ key: String) -> String {
    switch key {
    case "t": "t (s)"
    case "seconds": "length (s)"
    case "p999": "P99.9"
    case _ where key.hasPrefix("p") && TimelineKeys.isTime(key): key.uppercased()
    default: key
    }
  }

  private func cell(_ key: String, _ value: JSONValue) -> String {
    switch value {
    case .null: ""
    // A whole number in JSON is an integer, whatever its key.
    case .int(let number) where TimelineKeys.isTime(key): NumberText.time(milliseconds: Double(number))
    case .double(let number) where TimelineKeys.isTime(key): NumberText.time(milliseconds: number)
    case .int(let number) where ["t", "seconds"].contains(key): NumberText.decimals(Double(number), 2)
    case .double(let number): NumberText.decimals(number, 2)
    default: value.description
    }
  }
}

/// How the keys of timelines are read. Tools are free to have others.
enum TimelineKeys {
  private static let known =
    ["t", "seconds", "iterations", "errors", "dropped", "listed", "running", "warm", "gap", "metric", "count"] + times
  private static let times = ["mean", "min", "p50", "p90", "p95", "p99", "p999", "max"]

  /// For machines alone.
  private static let hidden: Set<String> = ["histogram"]

  /// All keys that tables show of the points: the known ones in their order, then the others by name.
  static func ordered(in points: [[String: JSONValue]]) -> [String] {
    let keys = points.reduce(into: Set<String>()) { $0.formUnion($1.keys) }
    return known.filter(keys.contains) + keys.subtracting(known).subtracting(hidden).sorted()
  }

  /// Whether values are times in ms.
  static func isTime(_ key: String) -> Bool { times.contains(key) }

  /// `ms`, `s`, or nothing for plain numbers.
  static func unit(of key: String) -> String { isTime(key) ? "ms" : key == "seconds" ? "s" : "" }
}
