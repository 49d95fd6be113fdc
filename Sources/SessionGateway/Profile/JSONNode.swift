import FoundationEssentials

/// A value of a JSON text (RFC 8259) that a gateway has sent, to be looked into by a profile's pointers.
package enum JSONNode: Sendable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONNode])
  case object([String: JSONNode])

  /// The value that `text` is; nil where it is no JSON.
  package static func parse(_ text: some Collection<UInt8>) -> JSONNode? {
    try? JSONDecoder().decode(JSONNode.self, from: Data(text))
  }

  /// The value as text: a string as it is, a whole number in digits. Nil for everything else, which names nothing.
  package var text: String? {
    switch self {
    case .string(let text): text
    case .number(let number): Int64(exactly: number).map(String.init)
    case .null, .bool, .array, .object: nil
    }
  }

  /// The value as a number; nil for everything else.
  package var number: Double? { if case .number(let number) = self { number } else { nil } }
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
        self = .number(number)
      } else {
        self = .string(try value.decode(String.self))
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
