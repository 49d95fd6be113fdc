/// Parts of a JSON text that decoders refuse: numbers that fit no type, and nesting without end.
///
/// The text is scanned from its beginning and is not validated, so it need not be complete.
struct JSONLimits {
  /// A number that no field of a result can hold.
  struct Number: Equatable {
    /// The field names and array places that lead to it.
    var path: [String]
    /// As it was written.
    var text: String

    var sentence: String {
      let isWhole = !text.utf8.contains { ".eE".utf8.contains($0) }
      let end = isWhole ? "whole numbers end at \(Int64.max)" : "numbers end at 1.8e308"
      let name = path.isEmpty ? "it" : path.joined(separator: ".")
      return "\(name) is \(text.prefix(40)), which no result can have: \(end)"
    }
  }

  /// The most arrays and objects within one another that the decoder reads.
  static let deepest = 512

  private(set) var isTooDeep = false
  /// The first number that no type of whole numbers holds, or that is infinite.
  private(set) var number: Number?

  /// The object or array that is being scanned, with the latest name or place in it.
  private enum Level {
    case object(name: String)
    case array(place: Int)

    var key: String {
      switch self {
      case .object(let name): name
      case .array(let place): "\(place)"
      }
    }
  }

  init(_ text: some Sequence<UInt8>) {
    let bytes = Array(text)
    var levels: [Level] = []
    var place = 0
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "{"): levels.append(.object(name: ""))
      case UInt8(ascii: "["): levels.append(.array(place: 0))
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
      case UInt8(ascii: ","):
        if case .array(let element)? = levels.last { levels[levels.count - 1] = .array(place: element + 1) }
      case UInt8(ascii: "\""):
        let name = Self.string(in: bytes, at: &place)
        // A string is a name or a value. What comes after a value belongs to another name.
        if case .object? = levels.last, Self.isName(bytes, before: place) {
          levels[levels.count - 1] = .object(name: name)
        }
        continue
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let written = Self.number(in: bytes, at: &place)
        if number == nil, Self.isBeyond(written) { number = Number(path: levels.map(\.key), text: written) }
        continue
      default: break
      }
      if levels.count > Self.deepest {
        isTooDeep = true
        return
      }
      place += 1
    }
  }

  private static func isBeyond(_ number: String) -> Bool {
    guard let value = Double(number) else { return false }
    if number.utf8.contains(where: { ".eE".utf8.contains($0) }) { return !value.isFinite }
    return UInt64(number) == nil && Int64(number) == nil
  }

  /// Scans the text between quotation marks; afterwards `place` is behind the closing one.
  private static func string(in bytes: [UInt8], at place: inout Int) -> String {
    place += 1
    let start = place
    while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
      place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
    }
    let end = min(place, bytes.count)
    place = end + 1
    return String(decoding: bytes[start..<end].prefix(60), as: UTF8.self)
  }

  private static func isName(_ bytes: [UInt8], before place: Int) -> Bool {
    let blanks: [UInt8] = [0x20, 0x09, 0x0a, 0x0d]
    return bytes[min(place, bytes.count)...].first { !blanks.contains($0) } == UInt8(ascii: ":")
  }

  private static func number(in bytes: [UInt8], at place: inout Int) -> String {
    let start = place
    while place < bytes.count, "+-.eE0123456789".utf8.contains(bytes[place]) { place += 1 }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }
}
