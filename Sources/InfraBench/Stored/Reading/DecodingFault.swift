import FoundationEssentials

/// What is wrong with a document that could not be decoded.
enum DecodingFault: Equatable {
  case noJSON
  /// JSON, but no object: arrays, strings and numbers are no results.
  case noObject
  /// The sentence names the field that is missing.
  case missing(String)
  /// The sentence says what can't be what it is: a field, or the whole.
  case wrong(String)

  /// - Parameter data: the document. Of numbers that no type holds, and of arrays nested too deeply, the decoder says no more
  ///   than that the text is no JSON.
  init(_ error: any Error, in data: Data) {
    let extremes = JSONExtremes(data)
    func name(_ key: any CodingKey) -> String { key.intValue.map(String.init) ?? key.stringValue }
    func path(_ keys: [any CodingKey]) -> String { keys.map(name).joined(separator: ".") }
    func wrong(_ context: DecodingError.Context, _ what: String) -> DecodingFault {
      // A value of any kind is refused as a whole for what is deep within it.
      if let number = extremes.number, number.path.starts(with: context.codingPath.map(name)) {
        return .wrong(number.sentence)
      }
      return .wrong("\(path(context.codingPath)) is \(what)")
    }
    self =
      switch error as? DecodingError {
      case .keyNotFound(let key, let context)?: .missing("\(path(context.codingPath + [key])) is missing")
      case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
        context.codingPath.isEmpty ? .noObject : wrong(context, "of the wrong kind")
      case .dataCorrupted(let context)? where !context.codingPath.isEmpty: wrong(context, "wrong")
      default: Self.unexplained(data, extremes)
      }
  }

  private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
  }

  private static func unexplained(_ data: Data, _ extremes: JSONExtremes) -> DecodingFault {
    if extremes.isTooDeep { return .wrong("it is nested deeper than \(JSONExtremes.deepest) levels, as no result is") }
    // Numbers are looked at only where one is asked for.
    guard (try? JSONDecoder().decode(Anything.self, from: data)) != nil else { return .noJSON }
    return .wrong(extremes.number?.sentence ?? "a number in it is out of its range")
  }
}
