/// An element of an XML document: a text, or further elements in the document's order, repeated names included.
///
/// ```swift
/// let answer = try XMLElement(parsing: body)  // <R><Tags><member>a</member><member>b</member></Tags><Id>1</Id></R>
/// answer.text(at: "Id")  // "1"
/// answer.only("Tags")?.all("member").map(\.text)  // ["a", "b"]
/// ```
///
/// The parser reads answers of AWS's query protocol (XML 1.0, W3C) and is strict where a wrong answer could pass for a
/// right one: tags must match, and it refuses a document type, an unknown reference, bytes that are not UTF-8 and a
/// nesting beyond ``maximumDepth``. It does not validate: it skips attributes unread, and drops a text beside elements.
struct XMLElement: Equatable {
  /// The document is refused; the error repeats no text of it.
  struct Refusal: Error, Equatable {
    var reason: String
  }

  static let maximumDepth = 32

  var name: String
  /// The text; empty where there are children.
  var text = ""
  var children: [XMLElement] = []

  /// Reads a document and becomes its root element.
  init(parsing bytes: [UInt8]) throws(Refusal) {
    var parser = XMLParser(bytes)
    self = try parser.document()
  }

  fileprivate init(name: String) { self.name = name }

  /// The children of this name; a list is a sequence of `<member>`.
  func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// The only child of this name; nil where there is no such child, or more than one.
  func only(_ name: String) -> XMLElement? {
    let found = all(name)
    return found.count == 1 ? found[0] : nil
  }

  /// The text at a path such as `AssumeRoleResult/Credentials/AccessKeyId`; nil where a name on the path is missing or
  /// occurs more than once, and where the element has children instead of a text.
  func text(at path: String) -> String? {
    var element: XMLElement? = self
    for name in path.split(separator: "/") { element = element?.only(String(name)) }
    return element.flatMap { $0.children.isEmpty ? $0.text : nil }
  }
}

private struct XMLParser {
  private typealias Refusal = XMLElement.Refusal

  private var input: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { input = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes[...] }

  mutating func document() throws(XMLElement.Refusal) -> XMLElement {
    if take("<?xml") { try skip(past: "?>") }
    try skipMisc()
    let root = try readElements()
    try skipMisc()
    guard input.isEmpty else { throw Refusal(reason: "something follows the root element") }
    return root
  }

  /// White space and comments outside the root element.
  private mutating func skipMisc() throws(Refusal) {
    repeat { skipSpace() } while try takeComment()
  }

  private mutating func readElements() throws(Refusal) -> XMLElement {
    var open: [(element: XMLElement, text: [UInt8])] = []
    while true {
      guard try !takeComment() else { continue }
      if take("</") {
        let name = try takeName()
        skipSpace()
        guard take(">"), let (element, text) = open.popLast(), element.name == name else {
          throw Refusal(reason: "an end tag does not belong to its start tag")
        }
        let closed = try Self.closed(element, text)
        if open.isEmpty { return closed }
        open[open.count - 1].element.children.append(closed)
      } else if take("<![CDATA[") {
        let text = try takeText(until: "]]>")
        guard !open.isEmpty else { throw Refusal(reason: "text stands outside the root element") }
        open[open.count - 1].text += text
      } else if input.first == UInt8(ascii: "<") {
        let (name, isEmpty) = try takeStartTag()
        guard open.count < XMLElement.maximumDepth else { throw Refusal(reason: "it is nested too deeply") }
        let element = XMLElement(name: name)
        if !isEmpty {
          open.append((element, []))
        } else if open.isEmpty {
          return element
        } else {
          open[open.count - 1].element.children.append(element)
        }
      } else {
        guard !open.isEmpty, !input.isEmpty else { throw Refusal(reason: "it is no whole XML document") }
        open[open.count - 1].text += try takeCharacters()
      }
    }
  }

  private static func closed(_ element: XMLElement, _ text: [UInt8]) throws(Refusal) -> XMLElement {
    guard let text = String(validating: text, as: UTF8.self) else { throw Refusal(reason: "it is not UTF-8") }
    var element = element
    if element.children.isEmpty { element.text = text }
    return element
  }
}

// MARK: - Tokens

extension XMLParser {
  /// Takes a start tag. Attributes are skipped: AWS's answers use them for the name space alone.
  private mutating func takeStartTag() throws(Refusal) -> (name: String, isEmpty: Bool) {
    input = input.dropFirst()
    let name = try takeName()
    while true {
      let hasSpace = skipSpace()
      if take(">") { return (name, false) }
      if take("/>") { return (name, true) }
      guard hasSpace else { throw Refusal(reason: "a tag is malformed") }
      _ = try takeName()
      skipSpace()
      guard take("=") else { throw Refusal(reason: "an attribute has no value") }
      skipSpace()
      guard let quote = input.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
        let end = input.dropFirst().firstIndex(of: quote)
      else { throw Refusal(reason: "an attribute has no value") }
      input = input[(end + 1)...]
    }
  }

  private mutating func takeName() throws(Refusal) -> String {
    let isLetter = { (byte: UInt8) in
      (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_")
    }
    let name = input.prefix {
      isLetter($0) || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || "-.:".utf8.contains($0)
    }
    guard let first = name.first, isLetter(first), name.count <= 100 else {
      throw Refusal(reason: "a tag's name is malformed")
    }
    input = input.dropFirst(name.count)
    return String(decoding: name, as: UTF8.self)
  }

  /// The text up to the next tag, with references replaced.
  private mutating func takeCharacters() throws(Refusal) -> [UInt8] {
    var text: [UInt8] = []
    while let byte = input.first, byte != UInt8(ascii: "<") {
      input = input.dropFirst()
      guard byte == UInt8(ascii: "&") else {
        text.append(byte)
        continue
      }
      let name = input.prefix(9).prefix { $0 != UInt8(ascii: ";") }
      guard name.count < input.count, name.count < 9, let character = Self.character(name) else {
        throw Refusal(reason: "it has an unknown reference")
      }
      text += Array(String(character).utf8)
      input = input.dropFirst(name.count + 1)
    }
    return text
  }

  /// The character of a reference such as `amp`, `#38` or `#x26`.
  private static func character(_ reference: ArraySlice<UInt8>) -> Character? {
    let name = String(decoding: reference, as: UTF8.self)
    switch name {
    case "amp": return "&"
    case "lt": return "<"
    case "gt": return ">"
    case "quot": return "\""
    case "apos": return "'"
    default:
      guard name.hasPrefix("#"), !name.contains("+"), !name.contains("-") else { return nil }
      let isHexadecimal = name.hasPrefix("#x")
      let digits = name.dropFirst(isHexadecimal ? 2 : 1)
      return UInt32(digits, radix: isHexadecimal ? 16 : 10).flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
        .map { Character($0) }
    }
  }

  private mutating func takeComment() throws(Refusal) -> Bool {
    guard take("<!--") else { return false }
    try skip(past: "-->")
    return true
  }

  private mutating func takeText(until mark: String) throws(Refusal) -> [UInt8] {
    guard let range = input.firstRange(of: mark.utf8) else { throw Refusal(reason: "it is cut off") }
    defer { input = input[range.upperBound...] }
    return Array(input[..<range.lowerBound])
  }

  private mutating func skip(past mark: String) throws(Refusal) { _ = try takeText(until: mark) }

  private mutating func take(_ text: String) -> Bool {
    guard input.starts(with: text.utf8) else { return false }
    input = input.dropFirst(text.utf8.count)
    return true
  }

  @discardableResult
  private mutating func skipSpace() -> Bool {
    let rest = input.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }
    defer { input = rest }
    return rest.count < input.count
  }
}
