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
