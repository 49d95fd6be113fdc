/// A table with a caption; the first cell of a row is its heading, and columns of numbers are aligned right.
struct HTMLTable {
  let caption: String
  let header: [String]
  private var rows: [[Cell]] = []

  /// A cell's text, the class of a badge around it if it is one, and the colour of a swatch before it.
  struct Cell {
    var text: String
    var badge: String?
    var swatch: Int?

    var html: HTML {
      let swatch = swatch.map { "<span class=\"swatch c\($0)\"></span>" as HTML }
      guard let badge else { return "\(swatch)\(text)" }
      return "\(swatch)<span class=\"badge \(badge)\">\(text)</span>"
    }
  }

  init(_ caption: String, header: [String]) {
    self.caption = caption
    self.header = header
  }

  init(_ caption: String, _ table: TextTable) {
    self.init(caption, header: table.header)
    for row in table.rows { add(row) }
  }

  mutating func add(_ row: [String]) { rows.append(row.map { Cell(text: $0) }) }

  mutating func add(_ row: [Cell]) { rows.append(row) }

  var html: HTML {
    guard !rows.isEmpty else { return "" }
    let aligned = header.indices.map { column in isOfNumbers(column) ? "n" : "t" }
    let head = header.indices.map { "<th scope=\"col\" class=\"\(aligned[$0])\">\(header[$0])</th>" as HTML }
    let body = rows.map { row in
      let cells = row.enumerated().map { column, cell -> HTML in
        guard column > 0 else { return "<th scope=\"row\"\(Self.kept(cell.text))>\(cell.html)</th>" }
        return "<td class=\"\(aligned[column])\">\(cell.html)</td>"
      }
      return "<tr>\(cells)</tr>\n" as HTML
    }
    return """
      <div class="scroll" role="region" tabindex="0" aria-label="\(caption)">
      <table>
      <caption>\(caption)</caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body)</tbody>
      </table>
      </div>

      """
  }

  /// Names of usual length stay on one line.
  private static func kept(_ name: String) -> HTML { name.utf8.count <= 40 ? " class=\"k\"" : "" }

  /// Whether every text in a column begins like a number.
  private func isOfNumbers(_ column: Int) -> Bool {
    guard column > 0 else { return false }
    let texts = rows.filter { $0.indices.contains(column) }.map { $0[column].text }.filter { !$0.isEmpty }
    return !texts.isEmpty
      && texts.allSatisfy { text in
        text.unicodeScalars.first { !"+-−<≥≤±^*! ".unicodeScalars.contains($0) }.map { ("0"..."9").contains($0) }
          ?? false
      }
  }
}
