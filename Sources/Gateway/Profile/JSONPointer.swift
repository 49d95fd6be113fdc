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
    // By code points, as the RFC has them: a mark behind a slash makes one Character with it.
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

  /// The value at this place; nil where there is none.
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

/// Where a profile finds a field: the first of several places that has a value other than null.
package struct ProfileField: Sendable, Equatable {
  /// One place.
  package struct Place: Sendable, Equatable {
    /// Where the value is.
    package var pointer: JSONPointer
    /// Of a text, only what stands behind the last of these counts, as a task's id does in its ARN; one at its very end is
    /// passed over. Nil: all of it.
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

  /// The places, the strongest first; at least one.
  package var places: [Place]

  /// Makes a field of `places`.
  package init(_ places: [Place]) { self.places = places }

  /// What is there; nil without anything.
  package func value(in root: JSONNode) -> JSONNode? {
    for place in places {
      if let value = place.value(in: root) { return value }
    }
    return nil
  }

  /// The value as a text that names something: a string that is not empty, or a whole number.
  package func text(in root: JSONNode) -> String? {
    for place in places {
      if let text = place.value(in: root)?.text, !text.isEmpty { return text }
    }
    return nil
  }
}
