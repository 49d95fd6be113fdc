import ProcessControl

/// The text of a shared AWS file, by section.
///
/// Lines are joined as botocore joins them (Python's `configparser`): a line that is indented deeper than the setting
/// before it belongs to that setting, and only whole lines are comments. botocore refuses a whole file for one error;
/// this reader goes on: it skips a malformed line, and merges a section or a setting that is written twice, where the
/// later value wins.
struct IniFile {
  /// One section.
  struct Section {
    /// The text between the brackets, blanks included.
    let name: String
    /// `name = value`, names in lower case.
    fileprivate(set) var settings: [String: String] = [:]
    /// The indented lines after a setting without a value, as in `s3 =`; names as written in the file.
    fileprivate(set) var nested: [String: [String: String]] = [:]
  }

  /// The sections in the order in which the file first names them.
  let sections: [Section]

  init(_ text: String) {
    var reading = IniReading()
    for line in IniFile.lines(of: text) { reading.read(line) }
    sections = reading.sections
  }

  /// The section `[name]`.
  subscript(_ name: String) -> Section? { sections.first { $0.name == name } }

  /// The last section named `[profile name]` or `[profile "name"]`, or `[default]` for the default profile.
  func profile(_ name: String) -> Section? {
    sections.last { $0.isNamed("profile", name) || (name == "default" && $0.name == "default") }
  }

  /// The last section `[services name]` or `[services "name"]`.
  func services(_ name: String) -> Section? { sections.last { $0.isNamed("services", name) } }

  /// The lines, without the byte order mark of Windows editors. A line ends with \n, \r or both, and at no other
  /// character.
  private static func lines(of text: String) -> [Substring.UnicodeScalarView] {
    let lines = text.replacing("\r\n", with: "\n").unicodeScalars.drop { $0 == "\u{feff}" }
    return lines.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r" }
  }
}

extension IniFile.Section {
  /// Whether this is section `kind name`. As in botocore, the first word need only begin with `kind`.
  fileprivate func isNamed(_ kind: String, _ name: String) -> Bool {
    guard self.name.hasPrefix(kind), let words = try? ShellWords.split(self.name) else { return false }
    return words.count == 2 && words[1] == name
  }
}

/// The state of reading a file line by line.
private struct IniReading {
  private typealias Values = [String: [String]]

  private static let defaults = "DEFAULT"

  /// The lines of each value, by section.
  private var values: [(name: String, values: Values)] = []
  /// The section that the next lines belong to.
  private var section: Int?
  /// The setting that deeper lines belong to, and its indentation.
  private var setting: String?
  private var indentation = 0

  mutating func read(_ line: Substring.UnicodeScalarView) {
    let content = Self.trimmed(line)
    if content.hasPrefix("#") || content.hasPrefix(";") { return }
    guard !content.isEmpty else {
      if let section, let setting { values[section].values[setting]?.append("") }
      return
    }
    let depth = line.prefix { Self.isSpace($0) }.count
    if let section, let setting, depth > indentation {
      values[section].values[setting]?.append(content)
      return
    }
    indentation = depth
    setting = nil
    if content.hasPrefix("["), let end = content.lastIndex(of: "]"), end > content.index(after: content.startIndex) {
      begin(String(content[content.index(after: content.startIndex)..<end]))
    } else if let section, let (name, value) = Self.assignment(content, separators: "=:") {
      values[section].values[name.lowercased()] = [value]
      setting = name.lowercased()
    }
  }

  private mutating func begin(_ name: String) {
    section = values.firstIndex { $0.name == name }
    guard section == nil else { return }
    section = values.count
    values.append((name, [:]))
  }

  /// The sections. A setting of `[DEFAULT]` holds in every section that does not set it.
  var sections: [IniFile.Section] {
    let defaults = values.first { $0.name == Self.defaults }?.values ?? [:]
    return values.filter { $0.name != Self.defaults }.map { name, own in
      var section = IniFile.Section(name: name)
      for (setting, lines) in defaults.merging(own, uniquingKeysWith: { $1 }) {
        let value = Self.trimmed(("x" + lines.joined(separator: "\n")).unicodeScalars[...]).dropFirst()
        if value.hasPrefix("\n") {
          section.nested[setting] = Self.nested(lines)
        } else {
          section.settings[setting] = String(value)
        }
      }
      return section
    }
  }

  private static func nested(_ lines: [String]) -> [String: String] {
    let settings = lines.compactMap { assignment($0, separators: "=") }
    return Dictionary(settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
  }

  private static func assignment(_ content: String, separators: String) -> (name: String, value: String)? {
    guard let separator = content.firstIndex(where: { separators.contains($0) }) else { return nil }
    let name = trimmed(content[..<separator].unicodeScalars)
    let value = trimmed(content[content.index(after: separator)...].unicodeScalars)
    return name.isEmpty ? nil : (name, value)
  }

  private static func trimmed(_ text: Substring.UnicodeScalarView) -> String {
    let start = text.drop { isSpace($0) }
    guard let end = start.lastIndex(where: { !isSpace($0) }) else { return "" }
    return String(Substring(start[...end]))
  }

  /// Python's white space: Unicode's, and the four separators of ASCII.
  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1c...0x1f).contains(scalar.value)
  }
}
