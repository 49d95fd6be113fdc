import FoundationEssentials

/// Result documents as JSON text.
package enum ResultCoding {
  /// Indented, keys in alphabetical order: stable under `diff`.
  package static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  /// Reads a document back.
  package static func decode(_ text: String) throws -> ResultDocument {
    try JSONDecoder().decode(ResultDocument.self, from: Data(text.utf8))
  }
}
