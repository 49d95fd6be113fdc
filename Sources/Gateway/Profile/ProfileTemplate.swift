import TextFormatting

/// A text with placeholders, for a path, a header's value, a body or a message. Pure.
///
/// ```swift
/// let path = try ProfileTemplate("/?token={token}", as: .path)
/// path.text(ProfileValues([.token: "a b"]))  // "/?token=a%20b"
/// ```
package struct ProfileTemplate: Sendable, Equatable {
  /// A placeholder, which the suite replaces.
  package enum Placeholder: String, Sendable, CaseIterable {
    /// The virtual user's id.
    case userId
    /// The gateway's id of the session: from its ready message, else the task's id.
    case sessionId
    /// The id of the task or session in the acquire's answer.
    case task
    /// The user's token, which no output shows.
    case token
    /// The message that the user sends.
    case message
    /// A random UUID, one for each session.
    case uuid
    /// The number of the message in its session, from 1; 0 before the first one.
    case n
  }

  /// The encoding of a value at its place.
  package enum Encoding: Sendable, Equatable {
    /// The value unchanged.
    case plain
    /// Percent-encoded: everything but RFC 3986's unreserved characters.
    case path
    /// Escaped as the inside of a JSON string.
    case json
  }

  private enum Part: Sendable, Equatable {
    case literal(String)
    case placeholder(Placeholder)
  }

  private var parts: [Part] = []
  private let encoding: Encoding

  /// The word in the braces is not a placeholder.
  package struct UnknownPlaceholder: Error, Equatable {
    /// The word.
    package var name: String
  }

  /// Makes an empty template.
  package init(encoding: Encoding) { self.encoding = encoding }

  /// Reads a text; `{word}` is a placeholder where the word consists of one or more letters, and any other brace is
  /// literal.
  package init(_ text: String, as encoding: Encoding) throws(UnknownPlaceholder) {
    self.encoding = encoding
    try append(text)
  }

  /// Appends text with placeholders.
  package mutating func append(_ text: String, literally encode: (String) -> String = { $0 }) throws(UnknownPlaceholder)
  {
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      let word = rest[rest.index(after: open)...].prefix { $0.isASCII && $0.isLetter }
      guard !word.isEmpty, word.endIndex < rest.endIndex, rest[word.endIndex] == "}" else {
        appendLiteral(encode(String(rest[...open])))
        rest = rest[rest.index(after: open)...]
        continue
      }
      guard let placeholder = Placeholder(rawValue: String(word)) else {
        throw UnknownPlaceholder(name: String(word))
      }
      appendLiteral(encode(String(rest[..<open])))
      parts.append(.placeholder(placeholder))
      rest = rest[rest.index(after: word.endIndex)...]
    }
    appendLiteral(encode(String(rest)))
  }

  /// Appends text without placeholders.
  package mutating func appendLiteral(_ text: String) {
    guard !text.isEmpty else { return }
    if case .literal(let before) = parts.last {
      parts[parts.count - 1] = .literal(before + text)
    } else {
      parts.append(.literal(text))
    }
  }

  /// The placeholders in the template.
  package var placeholders: Set<Placeholder> {
    Set(parts.compactMap { if case .placeholder(let placeholder) = $0 { placeholder } else { nil } })
  }

  /// The text with `values` inserted; a placeholder without a value becomes empty.
  package func text(_ values: ProfileValues) -> String {
    var text = ""
    for part in parts {
      switch part {
      case .literal(let literal): text += literal
      case .placeholder(let placeholder): text += encoded(values[placeholder] ?? "")
      }
    }
    return text
  }

  private func encoded(_ value: String) -> String {
    switch encoding {
    case .plain: value
    case .path: PercentEncoding.encode(value)
    case .json: JSONText.escaped(value)
    }
  }
}

/// The values of a template's placeholders.
package struct ProfileValues: Sendable, Equatable {
  private var values: [ProfileTemplate.Placeholder: String]

  /// Makes the values.
  package init(_ values: [ProfileTemplate.Placeholder: String] = [:]) { self.values = values }

  /// The value of one placeholder.
  package subscript(_ placeholder: ProfileTemplate.Placeholder) -> String? {
    get { values[placeholder] }
    set { values[placeholder] = newValue }
  }
}
