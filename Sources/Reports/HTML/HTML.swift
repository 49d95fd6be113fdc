import TextFormatting

/// A piece of HTML or SVG in which no text can be markup.
///
/// Markup is written as a literal, and whatever is put into it with `\(…)` is escaped: `"<td>\(name)</td>"`. The types leave
/// no other way: a literal is a `StaticString`, and nothing makes HTML of a `String` without escaping it.
/// Texts belong between tags or into attributes in double quotes, never into the name of a tag or an attribute, a URL, a
/// style or a script.
package struct HTML: Sendable, Equatable {
  /// The markup.
  package private(set) var source: String

  /// Nothing.
  package init() { source = "" }

  /// One piece after the other.
  package init(_ pieces: some Sequence<HTML>) {
    source = pieces.map(\.source).joined()
  }

  package static func + (left: HTML, right: HTML) -> HTML { HTML([left, right]) }

  package static func += (left: inout HTML, right: HTML) { left.source += right.source }
}

extension HTML: ExpressibleByStringInterpolation {
  package init(stringLiteral markup: StaticString) { source = markup.description }

  package init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var source = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      source.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    package mutating func appendLiteral(_ markup: StaticString) { source += markup.description }

    /// Text, escaped.
    package mutating func appendInterpolation(_ text: String) { source += HTML.escape(text) }

    package mutating func appendInterpolation(_ number: Int) { source += "\(number)" }

    package mutating func appendInterpolation(_ number: UInt64) { source += "\(number)" }

    /// A coordinate or length of SVG, to a tenth of its unit; 0 for what is no number.
    package mutating func appendInterpolation(px length: Double) { source += HTML.coordinate(length) }

    package mutating func appendInterpolation(_ html: HTML) { source += html.source }

    package mutating func appendInterpolation(_ html: HTML?) { source += html?.source ?? "" }

    package mutating func appendInterpolation(_ pieces: [HTML]) {
      for piece in pieces { source += piece.source }
    }
  }

  /// No picture is so large that a coordinate in it is beyond this.
  private static let farthest = 100_000.0

  private static func coordinate(_ length: Double) -> String {
    guard length.isFinite else { return "0" }
    let text = NumberText.decimals(min(max(length, -farthest), farthest), 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

extension HTML {
  /// Text for between tags and for attributes in quotes.
  ///
  /// Escaped is what the HTML Standard's serialisation escapes (13.3), and both quotation marks. Characters that are no text
  /// in HTML (13.1.4), other control characters, and those that turn the direction of writing, so that a text seems to be
  /// another one (Trojan Source, CVE-2021-42574), are replaced by U+FFFD; line breaks and tabs are blanks.
  static func escape(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\r", "\t", "\u{2028}", "\u{2029}": result += " "
      case _ where isHarmful(scalar): result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f...0x9f: true
    // Overrides, embeddings, isolates and marks of the direction.
    case 0x202a...0x202e, 0x2066...0x2069, 0x200e, 0x200f, 0x061c: true
    // Noncharacters.
    case 0xfdd0...0xfdef: true
    default: scalar.value & 0xfffe == 0xfffe
    }
  }
}

/// A table with a caption; the first cell of a row is its heading, and columns of numbers are aligned right.
package struct HTMLTable {
  let caption: String
  let header: [String]
  private var rows: [[Cell]] = []

  /// A cell's text, the class of a badge around it if it is one, and the colour of a swatch before it.
  package struct Cell {
    var text: String
    var badge: String?
    var swatch: Int?

    package init(text: String, badge: String? = nil, swatch: Int? = nil) {
      self.text = text
      self.badge = badge
      self.swatch = swatch
    }

    var html: HTML {
      let swatch = swatch.map { "<span class=\"swatch c\($0)\"></span>" as HTML }
      guard let badge else { return "\(swatch)\(text)" }
      return "\(swatch)<span class=\"badge \(badge)\">\(text)</span>"
    }
  }

  package init(_ caption: String, header: [String]) {
    self.caption = caption
    self.header = header
  }

  package init(_ caption: String, _ table: TextTable) {
    self.init(caption, header: table.header)
    for row in table.rows { add(row) }
  }

  package mutating func add(_ row: [String]) { rows.append(row.map { Cell(text: $0) }) }

  package mutating func add(_ row: [Cell]) { rows.append(row) }

  package var html: HTML {
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

/// A picture with its caption, its key, and the table of the same numbers.
package struct HTMLFigure {
  let title: String
  /// How the picture is read, and what it leaves out.
  var explanation: [String] = []
  let picture: HTML
  var key: [KeyEntry] = []
  /// The numbers of the picture.
  let table: HTML

  package init(title: String, explanation: [String] = [], picture: HTML, key: [KeyEntry] = [], table: HTML) {
    self.title = title
    self.explanation = explanation
    self.picture = picture
    self.key = key
    self.table = table
  }

  package struct KeyEntry {
    /// The classes of its swatch.
    var swatch: String
    var text: String

    package init(swatch: String, text: String) {
      self.swatch = swatch
      self.text = text
    }

    /// - Parameter colour: which of the series' colours.
    package init(colour: Int, text: String) { self.init(swatch: "c\(colour)", text: text) }
  }

  package var html: HTML {
    let entries = key.map { "<li><span class=\"swatch \($0.swatch)\"></span>\($0.text)</li>\n" as HTML }
    let list: HTML = entries.isEmpty ? "" : "<ul class=\"key\">\n\(entries)</ul>\n"
    return """
      <figure>
      <figcaption><strong>\(title)</strong>\(explanation.map { "<span>\($0)</span>" as HTML })</figcaption>
      <div class="chart" role="group" tabindex="0" aria-label="\(title)">
      \(picture)</div>
      \(list)\(table)</figure>

      """
  }
}
