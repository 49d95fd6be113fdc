import TextFormatting

/// A table of text cells, as plain text or Markdown. The first column is aligned left, all others right.
package struct Table {
  private(set) var rows: [[String]]
  let header: [String]

  package init(_ header: [String]) {
    self.header = header
    rows = []
  }

  package mutating func add(_ row: [String]) {
    rows.append(row)
  }

  /// Columns two spaces apart, without rules.
  package var plain: String {
    let all = ([header] + rows).map { $0.map(PlainText.line) }
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      zip(row, widths).enumerated().map { column, cell in
        let fill = String(repeating: " ", count: cell.1 - cell.0.count)
        return column == 0 ? cell.0 + fill : fill + cell.0
      }.joined(separator: "  ").trimming(endWhile: " ") + "\n"
    }.joined()
  }

  /// GitHub's Markdown, cells escaped.
  package var markdown: String {
    let rule = header.indices.map { $0 == 0 ? "---" : "---:" }
    return ([header.map(Markdown.escape), rule] + rows.map { $0.map(Markdown.escape) })
      .map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }
}

extension String {
  fileprivate func trimming(endWhile dropped: Character) -> String {
    String(reversed().drop { $0 == dropped }.reversed())
  }
}

/// The order in which people read names: `cycle_2` before `cycle_10`.
enum NaturalOrder {
  static func precedes(_ left: String, _ right: String) -> Bool {
    let (leftStem, leftNumber) = split(left)
    let (rightStem, rightNumber) = split(right)
    guard leftStem == rightStem, let leftNumber, let rightNumber, leftNumber != rightNumber else { return left < right }
    return leftNumber < rightNumber
  }

  private static func split(_ name: String) -> (stem: Substring, number: Int?) {
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    return (name.dropLast(digits), Int(name.suffix(digits)))
  }
}
