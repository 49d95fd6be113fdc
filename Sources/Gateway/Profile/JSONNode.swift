import FoundationEssentials

/// A value of a JSON text (RFC 8259) that a gateway has sent, to be looked into by a profile's pointers.
package enum JSONNode: Sendable, Equatable {
  case null
  case bool(Bool)
  /// One beyond the largest that `Double` holds is infinite.
  case number(Double)
  /// A whole number that `Double` may not hold to its last digit, as the ids of many databases are.
  case integer(Int64)
  case string(String)
  case array([JSONNode])
  case object([String: JSONNode])

  /// The value that `text` is; nil where it is no JSON.
  package static func parse(_ text: some Collection<UInt8>) -> JSONNode? {
    // The decoder looks at a text's bytes only where the text is asked for.
    guard String(validating: text, as: UTF8.self) != nil else { return nil }
    return try? JSONDecoder().decode(JSONNode.self, from: Data(text))
  }

  /// The value as text: a string as it is, a whole number in digits. Nil for everything else, which names nothing.
  package var text: String? {
    switch self {
    case .string(let text): text
    case .number(let number): Int64(exactly: number).map { String($0) }
    case .integer(let number): String(number)
    case .null, .bool, .array, .object: nil
    }
  }

  /// The value as a finite number; nil for everything else.
  package var number: Double? {
    switch self {
    case .number(let number): number.isFinite ? number : nil
    case .integer(let number): Double(number)
    case .null, .bool, .string, .array, .object: nil
    }
  }

  /// The number that JSON's `digits` write; nil where they are none.
  package static func written(_ digits: String) -> JSONNode? {
    Double(digits).map { numeric($0, exactly: Int64(digits)) }
  }

  private static let exactBound = 9_007_199_254_740_992.0  // 2^53

  private static func numeric(_ number: Double, exactly whole: @autoclosure () -> Int64?) -> JSONNode {
    if abs(number) >= exactBound, let whole = whole() { return .integer(whole) }
    return .number(number)
  }
}

extension JSONNode: Decodable {
  package init(from decoder: any Decoder) throws {
    if let object = try? decoder.container(keyedBy: AnyKey.self) {
      var members: [String: JSONNode] = [:]
      for key in object.allKeys { members[key.stringValue] = try object.decode(JSONNode.self, forKey: key) }
      self = .object(members)
    } else if var list = try? decoder.unkeyedContainer() {
      var elements: [JSONNode] = []
      while !list.isAtEnd { elements.append(try list.decode(JSONNode.self)) }
      self = .array(elements)
    } else {
      let value = try decoder.singleValueContainer()
      if value.decodeNil() {
        self = .null
      } else if let bool = try? value.decode(Bool.self) {
        self = .bool(bool)
      } else if let number = try? value.decode(Double.self) {
        self = .numeric(number, exactly: try? value.decode(Int64.self))
      } else if let text = try? value.decode(String.self) {
        self = .string(text)
      } else {
        // What is left is a number that no Double holds. Nobody may read that field: it spoils no answer.
        self = .number(.infinity)
      }
    }
  }

  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
