/// The texts of an XML document's innermost elements, by their path. Strict: anything that is not well-formed, and every
/// document type declaration, is refused.
///
/// Source: XML 1.0 (W3C), as much of it as answers of AWS's query protocol use.
struct XMLLeaves {
  /// Why a document is refused; no text of it is repeated.
  struct Refusal: Error, Equatable {
    var reason: String
  }

  static let maximumDepth = 32

  /// The root element's name.
  private(set) var root = ""
  /// `AssumeRoleResult/Credentials/AccessKeyId` → text, without the root's name.
  private(set) var texts: [String: String] = [:]

  private var input: ArraySlice<UInt8>

  /// Reads a document.
  init(_ bytes: [UInt8]) throws(Refusal) {
    input = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes[...]
    try readProlog()
    try readElements()
    try skipMisc()
    guard input.isEmpty else { throw Refusal(reason: "something follows the root element") }
  }

  private mutating func readProlog() throws(Refusal) {
    if take("<?xml") { try skip(past: "?>") }
    try skipMisc()
  }

  /// White space and comments outside the root element.
  private mutating func skipMisc() throws(Refusal) {
    repeat { skipSpace() } while try takeComment()
  }

  private mutating func readElements() throws(Refusal) {
    var open: [(name: String, text: [UInt8], hasChildren: Bool)] = []
    repeat {
      guard try !takeComment() else { continue }
      if take("</") {
        let name = try takeName()
        skipSpace()
        guard take(">"), let element = open.popLast(), element.name == name else {
          throw Refusal(reason: "an end tag does not belong to its start tag")
        }
        if !element.hasChildren { try add(element.text, at: open.map(\.name) + [name]) }
      } else if take("<![CDATA[") {
        let text = try takeText(until: "]]>")
        guard !open.isEmpty else { throw Refusal(reason: "text stands outside the root element") }
        open[open.count - 1].text += text
      } else if input.first == UInt8(ascii: "<") {
        let (name, isEmpty) = try takeStartTag()
        if open.isEmpty { root = name } else { open[open.count - 1].hasChildren = true }
        guard open.count < XMLLeaves.maximumDepth else { throw Refusal(reason: "it is nested too deeply") }
        if isEmpty { try add([], at: open.map(\.name) + [name]) } else { open.append((name, [], false)) }
      } else {
        guard !open.isEmpty, !input.isEmpty else { throw Refusal(reason: "it is no whole XML document") }
        open[open.count - 1].text += try takeCharacters()
      }
    } while !open.isEmpty
  }

  private mutating func add(_ text: [UInt8], at path: [String]) throws(Refusal) {
    guard let text = String(validating: text, as: UTF8.self) else { throw Refusal(reason: "it is not UTF-8") }
    let key = path.dropFirst().joined(separator: "/")
    guard texts.updateValue(text, forKey: key) == nil else {
      throw Refusal(reason: "an element that belongs there once is there twice")
    }
  }
}

// MARK: - Tokens

extension XMLLeaves {
  /// Behind the name there may be attributes, which AWS's answers use for the name space alone: they are skipped.
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

  /// Text up to the next tag, references replaced.
  private mutating func takeCharacters() throws(Refusal) -> [UInt8] {
    var text: [UInt8] = []
    while let byte = input.first, byte != UInt8(ascii: "<") {
      input = input.dropFirst()
      guard byte == UInt8(ascii: "&") else {
        text.append(byte)
        continue
      }
      let name = input.prefix(9).prefix { $0 != UInt8(ascii: ";") }
      guard name.count < input.count, name.count < 9, let character = XMLLeaves.character(name) else {
        throw Refusal(reason: "it has an unknown reference")
      }
      text += Array(String(character).utf8)
      input = input.dropFirst(name.count + 1)
    }
    return text
  }

  /// `amp`, `#38`, `#x26`.
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
