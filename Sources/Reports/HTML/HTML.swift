import TextFormatting

/// A piece of HTML or SVG in which no text can be markup.
///
/// Markup is written as a literal, and each text in its `\(…)` is escaped: `"<td>\(name)</td>"`. The types enforce
/// that: a literal is a `StaticString`, and no function makes HTML from a `String` without escaping it. Texts belong
/// between tags or into attributes in double quotes, never into the name of a tag or an attribute, a URL, a style or a
/// script.
package struct HTML: Sendable, Equatable {
  /// The markup.
  package private(set) var source: String

  /// Makes an empty piece.
  package init() { source = "" }

  /// Joins pieces.
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

    /// Adds escaped text.
    package mutating func appendInterpolation(_ text: String) { source += HTML.escape(text) }

    package mutating func appendInterpolation(_ number: Int) { source += "\(number)" }

    package mutating func appendInterpolation(_ number: UInt64) { source += "\(number)" }

    /// Adds a coordinate or length of SVG, to a tenth of its unit; 0 for NaN.
    package mutating func appendInterpolation(px length: Double) { source += HTML.coordinate(length) }

    package mutating func appendInterpolation(_ html: HTML) { source += html.source }

    package mutating func appendInterpolation(_ html: HTML?) { source += html?.source ?? "" }

    package mutating func appendInterpolation(_ pieces: [HTML]) {
      for piece in pieces { source += piece.source }
    }
  }

  /// The largest coordinate; all pictures are smaller.
  private static let farthest = 100_000.0

  private static func coordinate(_ length: Double) -> String {
    guard length.isFinite else { return "0" }
    let text = NumberText.decimals(min(max(length, -farthest), farthest), 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

extension HTML {
  /// Escapes text between tags and in quoted attributes.
  ///
  /// It escapes the characters that the HTML Standard's serialisation escapes (13.3), and both quotation marks. U+FFFD
  /// replaces characters that HTML does not allow (13.1.4), other control characters, and characters that change the
  /// direction of writing, which could disguise a text (Trojan Source, CVE-2021-42574). Line breaks and tabs become
  /// blanks.
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
    // Overrides, embeddings, isolates and marks of the direction of writing.
    case 0x202a...0x202e, 0x2066...0x2069, 0x200e, 0x200f, 0x061c: true
    // Noncharacters.
    case 0xfdd0...0xfdef: true
    default: scalar.value & 0xfffe == 0xfffe
    }
  }
}

/// A table with a caption. The first cell of a row is the row's heading; columns of numbers are aligned right.
package struct HTMLTable {
  let caption: String
  let header: [String]
  private var rows: [[Cell]] = []

  /// A cell's text, with an optional badge around it (by class) and an optional swatch before it (by colour).
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

  package init(_ caption: String, _ table: Table) {
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

  /// The class that keeps a name of usual length on one line.
  private static func kept(_ name: String) -> HTML { name.utf8.count <= 40 ? " class=\"k\"" : "" }

  /// Whether all texts in a column begin like numbers.
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

/// A picture with its caption, its key, and a table of its numbers.
package struct HTMLFigure {
  let title: String
  /// Sentences on how to read the picture and what it leaves out.
  var explanation: [String] = []
  let picture: HTML
  var key: [KeyEntry] = []
  /// The picture's numbers.
  let table: HTML

  package init(title: String, explanation: [String] = [], picture: HTML, key: [KeyEntry] = [], table: HTML) {
    self.title = title
    self.explanation = explanation
    self.picture = picture
    self.key = key
    self.table = table
  }

  package struct KeyEntry {
    /// The swatch's classes.
    var swatch: String
    var text: String

    package init(swatch: String, text: String) {
      self.swatch = swatch
      self.text = text
    }

    /// - Parameter colour: the number of the series' colour.
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
