/// The query of a request's target (RFC 3986): `name=value` pairs, percent-decoded. A plus sign is one, as in tokens.
struct QueryItems {
  private var values: [String: String] = [:]

  /// Of a name that comes twice the first value counts; what can't be decoded is left out.
  init(uri: String) {
    guard let query = uri.prefix(while: { $0 != "#" }).split(separator: "?", maxSplits: 1).dropFirst().first else {
      return
    }
    for item in query.split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(parts[0]), values[name] == nil else { continue }
      values[name] = Self.decoded(parts.count > 1 ? parts[1] : "")
    }
  }

  subscript(name: String) -> String? { values[name] }

  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, digits.first != UInt8(ascii: "+"), let value = UInt8(Substring(digits), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest.removeFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
