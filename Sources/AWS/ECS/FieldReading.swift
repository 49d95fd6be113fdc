// What ECS answers is read field by field: one that is needed must be of its type, any other one is passed over where it is of
// another. Servers of this protocol differ in what nobody needs, and a whole answer must not be lost by it.

extension KeyedDecodingContainer {
  /// The value of a field that is not needed: nil where it is absent or of another type than expected.
  func readable<T: Decodable>(_ key: Key, as type: T.Type = T.self) -> T? {
    (try? decodeIfPresent(type, forKey: key)) ?? nil
  }

  /// A text that says whose something is: the empty text where the field is there and is no text, so that it is nobody's who
  /// is known.
  func identity(_ key: Key) -> String? {
    if let text = readable(key, as: String.self) { return text }
    return contains(key) && (try? decodeNil(forKey: key)) != true ? "" : nil
  }

  /// A list that is not needed; what in it cannot be read is left out.
  func readableList<T: Decodable>(_ key: Key) -> [T]? {
    readable(key, as: [Readable<T>].self)?.compactMap(\.value)
  }
}

/// A value, or nil where it is of another type.
private struct Readable<Value: Decodable>: Decodable {
  var value: Value?

  init(from decoder: any Decoder) { value = try? Value(from: decoder) }
}
