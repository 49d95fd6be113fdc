/// A result's timeline as a table, thinned out to a readable length.
struct TimelineTable {
  private let points: [[String: JSONValue]]
  private static let longest = 40

  init(_ document: ResultDocument) {
    points = document.timeline ?? []
  }

  var text: String? {
    guard !points.isEmpty else { return nil }
    let columns = TimelineKeys.ordered(in: points)
    let step = max(1, (points.count + Self.longest - 1) / Self.longest)
    var table = TextTable(columns.map(Self.title))
    for (index, point) in points.enumerated() where index % step == 0 || index == points.count - 1 {
      table.add(columns.map { cell($0, point[$0] ?? .null) })
    }
    let remark = step > 1 ? "\nEvery \(step)th of \(points.count) points; all of them are in the JSON file.\n" : ""
    return table.markdown + remark
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
    case .int(let number) where TimelineKeys.isTime(key): Figures.time(milliseconds: Double(number))
    case .double(let number) where TimelineKeys.isTime(key): Figures.time(milliseconds: number)
    case .int(let number) where ["t", "seconds"].contains(key): Figures.decimals(Double(number), 2)
    case .double(let number): Figures.decimals(number, 2)
    default: value.description
    }
  }
}
