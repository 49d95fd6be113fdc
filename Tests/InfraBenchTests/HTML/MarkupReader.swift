/// Reads our own pages strictly: what a browser would mend is an error here.
struct MarkupReader {
  struct Element: Equatable {
    var name: String
    var attributes: [String: String]
  }

  struct Problem: Error, CustomStringConvertible {
    var description: String
  }

  /// In the order of their beginning.
  private(set) var elements: [Element] = []
  /// The text of everything but the style sheet, entities resolved.
  private(set) var text = ""

  private static let void: Set<String> = ["meta", "link"]
  private static let entities = ["&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&#39;": "'"]
  private var rest: Substring
  private var open: [String] = []

  init(_ source: String) throws {
    rest = source[...]
    guard rest.hasPrefix("<!DOCTYPE html>\n") else { throw Problem(description: "no DOCTYPE") }
    rest = rest.dropFirst("<!DOCTYPE html>".count)
    while let next = rest.first {
      if next == "<" { try readTag() } else { try readText() }
    }
    guard open.isEmpty else { throw Problem(description: "left open: \(open)") }
  }

  private mutating func readText() throws {
    let part = rest.prefix { $0 != "<" }
    rest = rest[part.endIndex...]
    text += open.last == "style" ? "" : try Self.resolved(part)
  }

  private mutating func readTag() throws {
    rest = rest.dropFirst()
    if rest.first == "/" {
      rest = rest.dropFirst()
      let name = readName()
      guard open.popLast() == name, rest.first == ">" else { throw Problem(description: "</\(name)> ends nothing") }
      rest = rest.dropFirst()
      return
    }
    var element = Element(name: readName(), attributes: [:])
    guard !element.name.isEmpty else { throw Problem(description: "a '<' that begins no tag: \(rest.prefix(40))") }
    while rest.first == " " {
      rest = rest.drop { $0 == " " }
      let name = readName()
      guard !name.isEmpty, rest.hasPrefix("=\"") else {
        throw Problem(description: "no attribute in <\(element.name)>: \(rest.prefix(40))")
      }
      rest = rest.dropFirst(2)
      let value = rest.prefix { $0 != "\"" }
      rest = rest[value.endIndex...].dropFirst()
      guard element.attributes.updateValue(try Self.resolved(value), forKey: name) == nil else {
        throw Problem(description: "\(name) is there twice")
      }
    }
    elements.append(element)
    if rest.hasPrefix("/>") {
      rest = rest.dropFirst(2)
    } else if rest.first == ">" {
      rest = rest.dropFirst()
      if !Self.void.contains(element.name) { open.append(element.name) }
    } else {
      throw Problem(description: "<\(element.name) has no end: \(rest.prefix(40))")
    }
  }

  private mutating func readName() -> String {
    let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ":") }
    rest = rest[name.endIndex...]
    return String(name)
  }

  private static func resolved(_ part: Substring) throws -> String {
    guard part.unicodeScalars.allSatisfy({ $0 == "\n" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }) else {
      throw Problem(description: "a control character in '\(part.prefix(60))'")
    }
    guard !part.contains(where: { "<>\"".contains($0) }) else {
      throw Problem(description: "not escaped: '\(part.prefix(60))'")
    }
    var text = String(part)
    for (entity, meaning) in Self.entities where entity != "&amp;" { text = text.replacing(entity, with: meaning) }
    let ampersands = text.replacing("&amp;", with: "")
    guard !ampersands.contains("&") else { throw Problem(description: "an odd '&' in '\(part.prefix(60))'") }
    return text.replacing("&amp;", with: "&")
  }
}
