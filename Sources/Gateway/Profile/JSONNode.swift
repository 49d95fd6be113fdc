import FoundationEssentials

/// A value of a JSON text (RFC 8259) from a gateway, in which a profile's pointers find fields.
package enum JSONNode: Sendable, Equatable {
  case null
  case bool(Bool)
  /// A number; a number beyond the largest `Double` is infinite.
  case number(Double)
  /// A whole number that `Double` may not hold exactly, such as the ids of many databases.
  case integer(Int64)
  case string(String)
  case array([JSONNode])
  case object([String: JSONNode])

  /// The value of the JSON text `text`; nil where it is not JSON.
  package static func parse(_ text: some Collection<UInt8>) -> JSONNode? {
    // The decoder checks the bytes of a string only when the string is requested.
    guard String(validating: text, as: UTF8.self) != nil else { return nil }
    return try? JSONDecoder().decode(JSONNode.self, from: Data(text))
  }

  /// The value as text: a string, or a whole number's digits. Nil for every other value, which cannot be an id.
  package var text: String? {
    switch self {
    case .string(let text): text
    case .number(let number): Int64(exactly: number).map { String($0) }
    case .integer(let number): String(number)
    case .null, .bool, .array, .object: nil
    }
  }

  /// The value as a finite number; nil for every other value.
  package var number: Double? {
    switch self {
    case .number(let number): number.isFinite ? number : nil
    case .integer(let number): Double(number)
    case .null, .bool, .string, .array, .object: nil
    }
  }

  /// The number that the JSON text `digits` stands for; nil where it is not a number.
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
        // The value is a number beyond `Double`. As infinity it leaves the rest of the answer usable.
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

/// A JSON Pointer (RFC 6901): the place of a value in a JSON text. Pure.
///
/// ```swift
/// JSONPointer("/error/code")?.value(in: answer)  // .string("TASK_RESTART_FAILED")
/// ```
package struct JSONPointer: Sendable, Hashable {
  /// The pointer as it was written.
  package let text: String
  private let tokens: [String]

  /// Reads a pointer; nil unless it is empty or begins with `/`, and has `~` only as `~0` and `~1`.
  package init?(_ text: String) {
    // The parsing is by code points, as in the RFC: a combining mark after a slash would form one Character with it.
    let scalars = text.unicodeScalars
    guard scalars.isEmpty || scalars.first == "/" else { return nil }
    var tokens: [String] = []
    for part in scalars.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      var token = String.UnicodeScalarView()
      var rest = part
      while let scalar = rest.popFirst() {
        guard scalar == "~" else {
          token.append(scalar)
          continue
        }
        switch rest.popFirst() {
        case "0": token.append("~")
        case "1": token.append("/")
        default: return nil
        }
      }
      tokens.append(String(token))
    }
    self.text = text
    self.tokens = tokens
  }

  /// The value at this place; nil where there is no value.
  package func value(in root: JSONNode) -> JSONNode? {
    var node = root
    for token in tokens {
      switch node {
      case .object(let members):
        guard let member = members[token] else { return nil }
        node = member
      case .array(let elements):
        // RFC 6901, section 4: digits without a leading zero.
        guard let index = Int(token), String(index) == token, elements.indices.contains(index) else { return nil }
        node = elements[index]
      case .null, .bool, .number, .integer, .string: return nil
      }
    }
    return node
  }
}

/// The place of a field in a profile: the first of several pointers whose value is not null.
package struct ProfileField: Sendable, Equatable {
  /// One place.
  package struct Place: Sendable, Equatable {
    /// The pointer to the value.
    package var pointer: JSONPointer
    /// The separator after whose last occurrence the value begins, such as `/` for the task's id in its ARN; one at the
    /// very end of the text is ignored. Nil: the whole text is the value.
    package var last: String?

    /// Makes a place.
    package init(_ pointer: JSONPointer, last: String? = nil) {
      self.pointer = pointer
      self.last = last
    }

    fileprivate func value(in root: JSONNode) -> JSONNode? {
      guard let value = pointer.value(in: root), value != .null else { return nil }
      guard let last, !last.isEmpty else { return value }
      guard let text = value.text else { return nil }
      return text.unicodeScalars.split(separator: last.unicodeScalars).last.map { .string(String($0)) }
    }
  }

  /// The places in order of preference; at least one.
  package var places: [Place]

  /// Makes a field of `places`.
  package init(_ places: [Place]) { self.places = places }

  /// The value; nil where no place has one.
  package func value(in root: JSONNode) -> JSONNode? {
    for place in places {
      if let value = place.value(in: root) { return value }
    }
    return nil
  }

  /// The value as an id: a string that is not empty, or a whole number.
  package func text(in root: JSONNode) -> String? {
    for place in places {
      if let text = place.value(in: root)?.text, !text.isEmpty { return text }
    }
    return nil
  }
}
