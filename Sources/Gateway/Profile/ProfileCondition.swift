/// What tells one answer or message of a gateway from others. Pure.
///
/// All parts of one set must hold; of several sets, one. A message that is no JSON meets only ``any``.
package struct ProfileCondition: Sendable, Equatable {
  /// What a value is held against.
  package enum Expectation: Sendable, Equatable {
    /// It is one of these; null is also what is not there.
    case oneOf([JSONNode])
    /// There is a value other than null, or there is none.
    case exists(Bool)
    /// It is a text with this in it, whatever its letters' case.
    case contains(String)
  }

  /// Parts that must all hold.
  package struct Parts: Sendable, Equatable {
    /// The HTTP statuses of which one is wanted; nil: any.
    package var status: [Int]?
    /// By place in the answer's JSON.
    package var fields: [JSONPointer: Expectation]

    /// Makes a set of parts.
    package init(status: [Int]? = nil, fields: [JSONPointer: Expectation] = [:]) {
      self.status = status
      self.fields = fields
    }

    fileprivate func holds(status: Int?, _ root: JSONNode?) -> Bool {
      if let wanted = self.status, !wanted.contains(where: { $0 == status }) { return false }
      return fields.allSatisfy { pointer, expectation in
        guard let root else { return false }
        let value = pointer.value(in: root)
        return switch expectation {
        case .oneOf(let values): values.contains(value ?? .null)
        case .exists(let isThere): ((value ?? .null) != .null) == isThere
        case .contains(let part): value?.text.map { $0.lowercased().contains(part.lowercased()) } ?? false
        }
      }
    }
  }

  /// Sets of parts, of which one must hold; empty: every message meets the condition, one that is no JSON too.
  package var alternatives: [Parts]

  /// Makes a condition.
  package init(_ alternatives: [Parts]) { self.alternatives = alternatives }

  /// Every message.
  package static let any = ProfileCondition([])

  /// Whether every message meets it, so that none need be parsed.
  package var isAny: Bool { alternatives.isEmpty }

  /// Whether an answer of `status` may meet it; where it names no statuses, one that says that all went well.
  package func admits(status: Int) -> Bool {
    isAny || alternatives.contains { $0.status?.contains(status) ?? (200...299).contains(status) }
  }

  /// Whether an answer with `status` (nil: a message, which has none) and `root` (nil: no JSON) meets it.
  package func holds(status: Int? = nil, _ root: JSONNode?) -> Bool {
    isAny || alternatives.contains { $0.holds(status: status, root) }
  }
}
