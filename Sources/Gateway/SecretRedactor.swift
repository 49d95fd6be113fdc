/// Removes secrets from texts that people read, because a gateway may repeat a secret that it was sent.
///
/// It finds a secret both plain and encoded: percent-encoded, with JSON's or HTML's escapes, in any mixture, and
/// encoded several times.
package struct SecretRedactor: Sendable {
  /// The secrets in groups, each sorted by bytes.
  private var groups: [[[UInt8]]]

  /// The shortest beginning of a secret, in bytes, that is removed at the end of a text.
  private static let shortest = 8
  /// The most nested encodings that are searched.
  private static let depth = 4

  /// Prepares the search for `secrets`.
  package init(_ secrets: [String]) {
    var patterns: Set<[UInt8]> = []
    for secret in secrets where !secret.isEmpty {
      var view = View(secret)
      patterns.insert(view.bytes)
      // A secret that looks encoded may have been decoded on the way. A short decoded rest would match everywhere.
      for _ in 0..<2 {
        guard let decoded = view.decoded(), decoded.bytes.count >= Self.shortest else { break }
        view = decoded
        patterns.insert(view.bytes)
      }
    }
    groups = patterns.isEmpty ? [] : [patterns.sorted { $0.lexicographicallyPrecedes($1) }]
  }

  /// A redactor of these secrets and those of `others`.
  package func adding(_ others: SecretRedactor) -> SecretRedactor {
    var all = self
    all.groups += others.groups
    return all
  }

  /// `text` without `secrets`.
  package static func without(_ secrets: [String], in text: String) -> String {
    SecretRedactor(secrets).removed(from: text)
  }

  /// `text` without the secrets.
  ///
  /// A text from outside may be cut in the middle of a secret: a beginning of a secret of eight bytes or more, at the
  /// very end of the text, is removed too.
  package func removed(from text: String) -> String {
    guard !groups.isEmpty, !text.isEmpty else { return text }
    var view: View? = View(text)
    var isSecret = [Bool](repeating: false, count: text.utf8.count)
    for _ in 0...Self.depth {
      guard let current = view else { break }
      for group in groups { Self.mark(group, in: current, &isSecret) }
      view = current.decoded()
    }
    guard isSecret.contains(true) else { return text }
    var shown: [UInt8] = []
    var wasSecret = false
    for (byte, isOfSecret) in zip(text.utf8, isSecret) {
      if !isOfSecret {
        shown.append(byte)
      } else if !wasSecret {
        shown += Array("…".utf8)
      }
      wasSecret = isOfSecret
    }
    return String(decoding: shown, as: UTF8.self)
  }

  private static func mark(_ patterns: [[UInt8]], in view: View, _ isSecret: inout [Bool]) {
    for start in view.bytes.indices {
      guard let end = endOfSecret(at: start, in: view.bytes, patterns) else { continue }
      for index in view.bounds[start]..<view.bounds[end] { isSecret[index] = true }
    }
  }

  /// The end of the longest secret that begins at `start`, or the text's end where a secret is cut off there; nil where
  /// no secret begins.
  private static func endOfSecret(at start: Int, in bytes: [UInt8], _ patterns: [[UInt8]]) -> Int? {
    // Patterns with the same beginning are neighbours, and the shortest of them is the first.
    var alike = 0..<patterns.count
    var found: Int?
    for index in start..<bytes.count {
      let (length, byte) = (index - start, bytes[index])
      let from = first(of: patterns, in: alike) { $0.count > length && $0[length] >= byte }
      let to = first(of: patterns, in: from..<alike.upperBound) { $0.count > length && $0[length] > byte }
      guard from < to else { return found }
      alike = from..<to
      if patterns[from].count == length + 1 { found = index + 1 }
    }
    return bytes.count - start >= shortest ? bytes.count : found
  }

  /// The index of the first sorted pattern that satisfies `isPast`; the end of the range where no pattern does.
  private static func first(of patterns: [[UInt8]], in range: Range<Int>, where isPast: ([UInt8]) -> Bool) -> Int {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = low + (high - low) / 2
      if isPast(patterns[middle]) {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return low
  }
}

extension SecretRedactor {
  /// A text's bytes, decoded or not, with the place of each in the original text.
  fileprivate struct View {
    private(set) var bytes: [UInt8]
    /// The place of each byte in the original text, and last the end of that text.
    private(set) var bounds: [Int]

    init(_ text: String) {
      bytes = Array(text.utf8)
      bounds = Array(0...bytes.count)
    }

    private init(bytes: [UInt8], bounds: [Int]) {
      self.bytes = bytes
      self.bounds = bounds
    }

    /// The view with one level of encoding removed; nil where no byte is encoded. A code that the text's end cuts off
    /// is left out.
    func decoded() -> View? {
      guard bytes.contains(where: Code.begins) else { return nil }
      var decoded = View(bytes: [], bounds: [])
      var (index, isEncoded) = (0, false)
      reading: while index < bytes.count {
        let code = Code.begins(bytes[index]) ? Code.read(bytes[index...]) : nil
        var (byte, length) = (bytes[index], 1)
        switch code {
        case .byte(let value, let ofCode)?:
          (byte, length) = (value, ofCode)
          isEncoded = true
        case .cut?:
          isEncoded = true
          break reading
        case nil: break
        }
        decoded.bytes.append(byte)
        decoded.bounds.append(bounds[index])
        index += length
      }
      decoded.bounds.append(bounds[bytes.count])
      return isEncoded ? decoded : nil
    }
  }

  /// An encoded byte.
  private enum Code {
    /// The byte, and the length of its code.
    case byte(UInt8, Int)
    /// The text ends within the code.
    case cut

    /// The named HTML entities that encoders produce.
    private static let names: [String: UInt8] = [
      "amp": UInt8(ascii: "&"), "lt": UInt8(ascii: "<"), "gt": UInt8(ascii: ">"), "quot": UInt8(ascii: "\""),
      "apos": UInt8(ascii: "'"), "sol": UInt8(ascii: "/"), "plus": UInt8(ascii: "+"), "equals": UInt8(ascii: "="),
    ]
    /// The longest text between `&` and `;`, in bytes: numbers may have leading zeros.
    private static let longestName = 10

    static func begins(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "%") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "&")
    }

    /// The code at the beginning of `rest`; nil where there is no code.
    static func read(_ rest: ArraySlice<UInt8>) -> Code? {
      guard let first = rest.first else { return nil }
      if first == UInt8(ascii: "%") { return hexadecimal(rest, after: 1, digits: 2) }
      if first == UInt8(ascii: "&") { return entity(rest) }
      guard let second = rest.dropFirst().first else { return .cut }
      if second == UInt8(ascii: "u") { return hexadecimal(rest, after: 2, digits: 4) }
      return "\"\\/".utf8.contains(second) ? .byte(second, 2) : nil
    }

    private static func hexadecimal(_ rest: ArraySlice<UInt8>, after lead: Int, digits count: Int) -> Code? {
      let digits = rest.dropFirst(lead).prefix(count)
      var value = 0
      for digit in digits {
        guard let number = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
        value = value << 4 | number
      }
      guard digits.count == count else { return .cut }
      // Percent-encoding encodes bytes. A character beyond ASCII stays as it is, because secrets are ASCII.
      return value < (count == 2 ? 0x100 : 0x80) ? .byte(UInt8(value), lead + count) : nil
    }

    private static func entity(_ rest: ArraySlice<UInt8>) -> Code? {
      let word = rest.dropFirst().prefix(longestName).prefix { $0 != UInt8(ascii: ";") }
      let name = String(decoding: word, as: UTF8.self)
      guard word.endIndex < rest.endIndex else {
        let isBeginning = ["#", "#x", "#X"].contains(name) || number(name) != nil
        return isBeginning || names.keys.contains { $0.hasPrefix(name) } ? .cut : nil
      }
      guard rest[word.endIndex] == UInt8(ascii: ";"), let value = names[name] ?? number(name), value < 0x80 else {
        return nil
      }
      return .byte(value, word.count + 2)
    }

    private static func number(_ name: String) -> UInt8? {
      guard name.hasPrefix("#") else { return nil }
      let digits = name.dropFirst()
      guard let mark = digits.first, mark == "x" || mark == "X" else { return UInt8(digits) }
      return UInt8(digits.dropFirst(), radix: 16)
    }
  }
}
