/// A piece of HTML or SVG in which no text can be markup.
///
/// Markup is written as a literal, and whatever is put into it with `\(…)` is escaped: `"<td>\(name)</td>"`. The types leave
/// no other way: a literal is a `StaticString`, and nothing makes HTML of a `String` without escaping it.
/// Texts belong between tags or into attributes in double quotes, never into the name of a tag or an attribute, a URL, a
/// style or a script.
struct HTML: Sendable, Equatable {
  /// The markup.
  private(set) var source: String

  /// Nothing.
  init() { source = "" }

  /// One piece after the other.
  init(_ pieces: some Sequence<HTML>) {
    source = pieces.map(\.source).joined()
  }

  static func + (left: HTML, right: HTML) -> HTML { HTML([left, right]) }

  static func += (left: inout HTML, right: HTML) { left.source += right.source }
}

extension HTML: ExpressibleByStringInterpolation {
  init(stringLiteral markup: StaticString) { source = markup.description }

  init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var source = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      source.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    mutating func appendLiteral(_ markup: StaticString) { source += markup.description }

    /// Text, escaped.
    mutating func appendInterpolation(_ text: String) { source += HTML.escape(text) }

    mutating func appendInterpolation(_ number: Int) { source += "\(number)" }

    mutating func appendInterpolation(_ number: UInt64) { source += "\(number)" }

    /// A coordinate or length of SVG, to a tenth of its unit; 0 for what is no number.
    mutating func appendInterpolation(px length: Double) { source += HTML.coordinate(length) }

    mutating func appendInterpolation(_ html: HTML) { source += html.source }

    mutating func appendInterpolation(_ html: HTML?) { source += html?.source ?? "" }

    mutating func appendInterpolation(_ pieces: [HTML]) {
      for piece in pieces { source += piece.source }
    }
  }

  /// No picture is so large that a coordinate in it is beyond this.
  private static let farthest = 100_000.0

  private static func coordinate(_ length: Double) -> String {
    guard length.isFinite else { return "0" }
    let text = Figures.decimals(min(max(length, -farthest), farthest), 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
