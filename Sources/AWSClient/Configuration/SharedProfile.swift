/// One profile of the shared `config` and `credentials` files, the latter's values winning.
public struct SharedProfile: Sendable, Equatable {
  /// Its name.
  public var name: String
  /// Settings by name; nested ones (`s3 =` and the indented lines after it) are left out.
  public var settings: [String: String]

  /// One setting, `nil` where it is missing or empty.
  public subscript(_ setting: String) -> String? { settings[setting].flatMap { $0.isEmpty ? nil : $0 } }

  /// Finds a profile in the two files' texts; `nil` where neither has it.
  public init?(name: String, config: String?, credentials: String?) {
    let configSections = config.map(SharedProfile.sections) ?? [:]
    let inConfig = configSections["profile \(name)"] ?? (name == "default" ? configSections["default"] : nil)
    let inCredentials = credentials.map(SharedProfile.sections)?[name]
    guard inConfig != nil || inCredentials != nil else { return nil }
    self.name = name
    settings = (inConfig ?? [:]).merging(inCredentials ?? [:]) { $1 }
  }

  /// Settings by section. Malformed lines are passed over, as the AWS tools do.
  static func sections(_ text: String) -> [String: [String: String]] {
    var sections: [String: [String: String]] = [:]
    var current: String?
    for line in text.split(whereSeparator: \.isNewline) {
      let content = trimmed(line)
      if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
      if content.hasPrefix("[") {
        let words = content.dropFirst().prefix { $0 != "]" }.split { $0 == " " || $0 == "\t" }
        current = words.joined(separator: " ")
        sections[words.joined(separator: " "), default: [:]].merge([:]) { $1 }
      } else if let current, line.first != " ", line.first != "\t", let equals = content.firstIndex(of: "=") {
        var value = content[content.index(after: equals)...]
        // A comment after a value needs white space before it; keys may hold '#'.
        for mark in [" #", " ;", "\t#", "\t;"] {
          if let comment = value.firstRange(of: mark) { value = value[..<comment.lowerBound] }
        }
        sections[current, default: [:]][trimmed(content[..<equals]).lowercased()] = trimmed(value)
      }
    }
    return sections
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}
