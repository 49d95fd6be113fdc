import ProcessControl

/// The text of a shared AWS file, by section.
///
/// Lines are put together as botocore does (Python's `configparser`): a line that is indented deeper than the setting before
/// it belongs to that setting, and only whole lines are comments. Where botocore refuses the whole file, it is read on: a
/// malformed line is passed over, and a section or a setting that is written twice counts as one, the later value winning.
struct IniFile {
  /// One section.
  struct Section {
    /// What stands between the brackets, blanks included.
    let name: String
    /// `name = value`, names in lower case.
    fileprivate(set) var settings: [String: String] = [:]
    /// The indented lines after a setting without a value, as in `s3 =`; names as they are written.
    fileprivate(set) var nested: [String: [String: String]] = [:]
  }

  /// In the order in which they are first named.
  let sections: [Section]

  init(_ text: String) {
    var reading = IniReading()
    for line in IniFile.lines(of: text) { reading.read(line) }
    sections = reading.sections
  }

  /// The section `[name]`.
  subscript(_ name: String) -> Section? { sections.first { $0.name == name } }

  /// The last section that `[profile name]` or `[profile "name"]` means, or, of the default profile, `[default]`.
  func profile(_ name: String) -> Section? {
    sections.last { $0.isNamed("profile", name) || (name == "default" && $0.name == "default") }
  }

  /// The last section `[services name]` or `[services "name"]`.
  func services(_ name: String) -> Section? { sections.last { $0.isNamed("services", name) } }

  /// Without the mark that Windows editors put at the beginning. A line ends with \n, \r or both, and with nothing else.
  private static func lines(of text: String) -> [Substring.UnicodeScalarView] {
    let lines = text.replacing("\r\n", with: "\n").unicodeScalars.drop { $0 == "\u{feff}" }
    return lines.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r" }
  }
}

extension IniFile.Section {
  /// Of "profile x" the first word matters by its beginning alone, as botocore has it.
  fileprivate func isNamed(_ kind: String, _ name: String) -> Bool {
    guard self.name.hasPrefix(kind), let words = try? ShellWords.split(self.name) else { return false }
    return words.count == 2 && words[1] == name
  }
}

/// The lines that have been read so far.
private struct IniReading {
  private typealias Values = [String: [String]]

  private static let defaults = "DEFAULT"

  /// By section, the lines of each value.
  private var values: [(name: String, values: Values)] = []
  /// The section whose lines come.
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

  /// What `[DEFAULT]` says holds for every section that doesn't say otherwise.
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
