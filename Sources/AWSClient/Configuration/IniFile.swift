import ProcessControl

/// The text of a shared AWS file, by section.
///
/// Lines are put together as botocore does (Python's `configparser`): one that is indented deeper than the setting before it
/// belongs to that setting. Malformed lines are passed over.
struct IniFile {
  /// One section.
  struct Section {
    /// `name = value`, names in lower case.
    var settings: [String: String] = [:]
    /// The indented lines after a setting without a value, as in `s3 =`.
    var nested: [String: [String: String]] = [:]
  }

  /// By what stands between the brackets.
  private(set) var sections: [String: Section] = [:]

  init(_ text: String) {
    var section: String?
    var setting: String?
    var indentation = 0
    for line in text.split(whereSeparator: \.isNewline) {
      let content = IniFile.trimmed(line)
      if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
      let depth = line.prefix { $0.isWhitespace }.count
      if let section, let setting, depth > indentation {
        sections[section]?.continue(setting, with: content)
        continue
      }
      indentation = depth
      if content.hasPrefix("[") {
        let name = IniFile.trimmed(content.dropFirst().prefix { $0 != "]" })
        sections[name, default: Section()].settings.merge([:]) { $1 }
        (section, setting) = (name, nil)
      } else if let section, let (name, value) = IniFile.assignment(content) {
        sections[section]?.settings[name] = value
        setting = name
      }
    }
  }

  /// The section `[kind name]` or `[kind "name"]`.
  func section(_ kind: String, _ name: String) -> Section? {
    sections.first { header, _ in
      header.hasPrefix(kind) && (try? CommandWords.split(header)) == [kind, name]
    }?.value
  }

  fileprivate static func assignment(_ content: String) -> (name: String, value: String)? {
    guard let separator = content.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return nil }
    var value = content[content.index(after: separator)...]
    // A comment after a value needs white space before it; keys may hold '#'.
    for mark in [" #", " ;", "\t#", "\t;"] {
      if let comment = value.firstRange(of: mark) { value = value[..<comment.lowerBound] }
    }
    return (trimmed(content[..<separator]).lowercased(), trimmed(value))
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}

extension IniFile.Section {
  fileprivate mutating func `continue`(_ setting: String, with line: String) {
    if let value = settings[setting], !value.isEmpty {
      settings[setting] = value + "\n" + line
    } else if let (name, value) = IniFile.assignment(line) {
      nested[setting, default: [:]][name] = value
    }
  }
}
