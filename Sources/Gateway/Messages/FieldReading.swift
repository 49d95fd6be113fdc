// What a gateway answers is read field by field: one that is needed must be of its type, any other one is passed over where it
// is of another. Gateways differ in what nobody needs, and a whole answer must not be lost by it.

extension KeyedDecodingContainer {
  /// The value of a field that is not needed: nil where it is absent or of another type than expected.
  func readable<T: Decodable>(_ key: Key, as type: T.Type = T.self) -> T? {
    (try? decodeIfPresent(type, forKey: key)) ?? nil
  }

  /// A text that names something, or a whole number in its digits; nil where there is neither.
  func name(_ key: Key) -> String? {
    readable(key, as: String.self) ?? readable(key, as: Int64.self).map { String($0) }
  }

  /// A text that says whose something is: the empty text where the field is there and is no text. Somebody is meant, and
  /// nobody that is known.
  func identity(_ key: Key) -> String? {
    if let text = readable(key, as: String.self) { return text }
    return contains(key) && (try? decodeNil(forKey: key)) != true ? "" : nil
  }
}
