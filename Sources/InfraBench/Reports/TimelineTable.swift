/// A result's timeline as a table, thinned out to a readable length.
struct TimelineTable {
  private let points: [[String: JSONValue]]
  private static let longest = 40

  init(_ document: ResultDocument) {
    points = document.timeline ?? []
  }

  var text: String? {
    guard let first = points.first else { return nil }
    let columns = ["t"] + first.keys.filter { $0 != "t" }.sorted()
    let step = max(1, (points.count + Self.longest - 1) / Self.longest)
    var table = TextTable(columns.map { $0 == "t" ? "t (s)" : $0 })
    for (index, point) in points.enumerated() where index % step == 0 || index == points.count - 1 {
      table.add(columns.map { cell(point[$0] ?? .null) })
    }
    let remark = step > 1 ? "\nEvery \(step)th of \(points.count) points; all of them are in the JSON file.\n" : ""
    return table.markdown + remark
  }

  private func cell(_ value: JSONValue) -> String {
    if case .double(let number) = value { return Figures.decimals(number, 2) }
    return value == .null ? "" : value.description
  }
}
