/// What is wrong with a document that could not be decoded.
enum DecodingFault: Equatable {
  /// No JSON, or a number that no type has: the decoder says no more.
  case noJSON
  /// JSON, but no object: arrays, strings and numbers are no results.
  case noObject
  /// The sentence names the field that is missing.
  case missing(String)
  /// The sentence names the field that can't be what it is.
  case wrong(String)

  init(_ error: any Error) {
    func path(_ keys: [any CodingKey]) -> String { keys.map(\.stringValue).joined(separator: ".") }
    self =
      switch error as? DecodingError {
      case .keyNotFound(let key, let context)?: .missing("\(path(context.codingPath + [key])) is missing")
      case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
        context.codingPath.isEmpty ? .noObject : .wrong("\(path(context.codingPath)) is of the wrong kind")
      case .dataCorrupted(let context)? where !context.codingPath.isEmpty:
        .wrong("\(path(context.codingPath)) is wrong")
      default: .noJSON
      }
  }
}
