/// Splits a command line into words as a shell does, without being one: blanks separate, quotes and backslashes keep
/// together; nothing is expanded. Whoever wants a shell writes `sh -c '…'`.
public enum CommandWords {
  /// Why a line is no command. The line itself is not repeated: it may hold a secret.
  public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// For people.
    public let description: String
  }

  /// A line whose words are `words`, whatever is in them.
  public static func joined(_ words: [String]) -> String {
    words.map { word in
      "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }.joined(separator: " ")
  }

  /// The words of `line`; at least one.
  ///
  /// - Throws: ``Failure`` for an empty line, an open quote, or a backslash at the end.
  public static func split(_ line: String) throws(Failure) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var characters = line.makeIterator()
    while let character = characters.next() {
      switch (quote, character) {
      case (nil, " "), (nil, "\t"), (nil, "\n"), (nil, "\r"), (nil, "\r\n"):
        if let finished = word { words.append(finished) }
        word = nil
      case (nil, "'"), (nil, "\""):
        quote = character
        word = word ?? ""
      case (let open?, character) where open == character: quote = nil
      case (nil, "\\"), ("\"", "\\"):
        guard let next = characters.next() else { throw Failure(description: "the command ends with a backslash") }
        // Between double quotes a backslash is one unless it stands before what would otherwise mean something.
        let isLiteral = quote != nil && next != "\"" && next != "\\"
        word = (word ?? "") + (isLiteral ? "\\" : "") + String(next)
      default: word = (word ?? "") + String(character)
      }
    }
    guard quote == nil else { throw Failure(description: "a quote in the command is not closed") }
    if let word { words.append(word) }
    guard !words.isEmpty else { throw Failure(description: "the command is empty") }
    return words
  }
}
