package import ArgumentParser
import Glibc
import TextFormatting

/// What `--scenario FILE` adds to a command line: further arguments, and all problems of the file.
///
/// No message of this type shows a value of the file, because a header's value is a secret.
package struct ScenarioFile: Sendable {
  /// The arguments to put in front of the command line's own.
  package private(set) var arguments: [String] = []
  /// The problems of the file itself. They also know which options came from it, for messages about their values.
  package private(set) var problems = Problems()

  private static let mostUnknownKeys = 20
  /// Options that make no sense in a file, or would execute what a file says.
  private static let excluded: Set<String> = [
    "scenario", "help", "version", "print-profile", "token-command",
  ]

  /// The value for a command line without `--scenario`.
  package init() {}

  /// Reads the file that the command line names, if any.
  ///
  /// - Parameter commandLine: The arguments without the program's name.
  package init(commandLine: [String], tool: String, options: @autoclosure () -> [ToolOption]) {
    let words = GivenOptions(commandLine)
    guard let path = words.scenarioFiles.first else { return }
    guard words.scenarioFiles.count == 1 else {
      problems.add("--scenario", "it is given twice: write one file")
      return
    }
    do throws(ScenarioFileError) {
      var members = try ScenarioFileContents.members(ofFileAt: path)
      // A file of bench-suite has an object for each tool.
      if members.contains(where: { SuiteTool.names.contains($0.key) }) {
        let file = try ScenarioFileContents.ofSuite(atPath: path)
        for problem in file.problems { problems.add("--scenario", problem) }
        members = file.tools.first { $0.key == tool }?.value ?? []
      }
      problems.fileName = ScenarioFileContents.quoted(path)
      add(members, tool: tool, options: options(), given: words.given)
    } catch {
      problems.add("--scenario", error.reason)
    }
  }

  private mutating func add(_ members: [StrictJSON.Member], tool: String, options: [ToolOption], given: Set<String>) {
    let usable = options.filter { !Self.excluded.contains($0.name) }
    var seen: Set<String> = []
    var unknown = 0
    for member in members {
      let place = "\(problems.fileName), line \(member.line)"
      guard seen.insert(member.key).inserted else {
        problems.add("--scenario", "\(place): \(ScenarioFileContents.shown(member.key)) is there twice")
        continue
      }
      if let option = usable.first(where: { $0.name == member.key }) {
        add(option, member.value, isOverridden: given.contains(option.name))
        continue
      }
      unknown += 1
      if unknown <= Self.mostUnknownKeys {
        problems.add("--scenario", "\(place): \(Self.refusal(of: member.key, tool: tool, options: usable))")
      }
    }
    if unknown > Self.mostUnknownKeys {
      problems.add("--scenario", "\(problems.fileName): \(unknown - Self.mostUnknownKeys) more keys are no options")
    }
  }

  /// Adds an option with its value. A value that the command line overrides is checked too.
  private mutating func add(_ option: ToolOption, _ value: StrictJSON.Value, isOverridden: Bool) {
    do throws(ScenarioFileError) {
      let words = try option.arguments(for: value)
      guard !isOverridden else { return }
      arguments += words
      problems.namesFromFile.insert("--\(option.name)")
    } catch {
      problems.add("--\(option.name)", in: problems.fileName, error.reason)
    }
  }

  private static func refusal(of key: String, tool: String, options: [ToolOption]) -> String {
    if excluded.contains(key) { return "'\(key)' can't be given in a file: leave it out" }
    let nearest = key.utf8.count <= 64 ? NearestName.of(key, in: options.map(\.name)) : nil
    return "\(ScenarioFileContents.shown(key)) is no option of \(tool)"
      + (nearest.map { ": the nearest name is '\($0)'" } ?? "")
  }
}

/// A scenario file's entries as they were written, not checked yet.
enum ScenarioFileContents {
  private static let largest = 1 << 20

  /// The path as messages show it.
  static func quoted(_ path: String) -> String { "'\(PlainText.line(path))'" }

  /// The members of the object in a file of at most 1 MiB.
  static func members(ofFileAt path: String) throws(ScenarioFileError) -> [StrictJSON.Member] {
    let bytes = try read(path)
    do throws(StrictJSON.Failure) {
      if case .object(let members) = try StrictJSON.parse(bytes) { return members }
    } catch {
      throw ScenarioFileError(reason: "\(quoted(path)) is no JSON: \(error)")
    }
    throw ScenarioFileError(reason: "\(quoted(path)) is no JSON object: write it as {\"count\": 100, \"hold\": true}")
  }

  /// The contents of a scenario file of bench-suite.
  struct OfSuite {
    /// The options for each tool; no tool is there twice.
    var tools: [(key: String, value: [StrictJSON.Member])] = []
    /// The problems of the other entries; each sentence follows the option's name `--scenario`.
    var problems: [String] = []
  }

  private static let mostProblems = 20

  /// The options for each tool in a file of bench-suite: an object whose keys are the tools' names.
  static func ofSuite(atPath path: String) throws(ScenarioFileError) -> OfSuite {
    var file = OfSuite()
    var problems: [String] = []
    for member in try members(ofFileAt: path) {
      let place = "\(quoted(path)), line \(member.line)"
      if !SuiteTool.names.contains(member.key) {
        problems.append("\(place): \(shown(member.key)) is no tool of the suite: \(remedy(for: member.key))")
      } else if file.tools.contains(where: { $0.key == member.key }) {
        problems.append("\(place): '\(member.key)' is there twice")
      } else if case .object(let options) = member.value {
        file.tools.append((member.key, options))
      } else {
        problems.append("\(place): '\(member.key)' has no object: write {\"count\": 100} behind it")
      }
    }
    file.problems = Array(problems.prefix(mostProblems))
    if problems.count > mostProblems {
      file.problems.append("\(quoted(path)): \(problems.count - mostProblems) more entries are wrong")
    }
    return file
  }

  /// What to do about a key that is no tool's name.
  private static func remedy(for key: String) -> String {
    if let nearest = NearestName.near(String(key.prefix(64)), in: SuiteTool.names) {
      return "the nearest name is '\(nearest)'"
    }
    return "write options in a tool's object, as {\"bench-allocation\": {\"count\": 100}}"
  }

  /// A key as messages show it. It is shown only if it has the form of a name, because it may be a misplaced value.
  static func shown(_ key: String) -> String {
    let isName =
      (1...40).contains(key.utf8.count)
      && key.unicodeScalars.allSatisfy {
        $0.isASCII && (Character($0).isLetter || Character($0).isNumber || "-_".unicodeScalars.contains($0))
      }
    return isName ? "'\(key)'" : "a key"
  }

  /// Reads the file in pieces, because a pipe or a device does not tell its size.
  private static func read(_ path: String) throws(ScenarioFileError) -> [UInt8] {
    guard !path.isEmpty else { throw ScenarioFileError(reason: "write a file's path") }
    if let reason = PathText.likeAnOption(path) { throw ScenarioFileError(reason: reason) }
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw unreadable(path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(path) }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
      guard bytes.count <= largest else { throw ScenarioFileError(reason: "\(quoted(path)) is larger than 1 MiB") }
    }
  }

  private static func unreadable(_ path: String) -> ScenarioFileError {
    ScenarioFileError(reason: "\(quoted(path)) cannot be read: \(String(cString: strerror(errno)))")
  }
}

/// Why a scenario file, or an entry of it, can't be used. No value is ever in it.
struct ScenarioFileError: Error {
  /// A sentence that follows the option's name.
  var reason: String
}

/// Options from a file. ``ScenarioFile`` has read it before the parser sees the arguments.
package struct ScenarioOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A JSON object with any of these options by long name, such as {\"count\": 100, \"hold\": true}. An option given "
        + "here wins over the file, the file over the environment.", valueName: "file"), completion: .file())
  package var scenario: String?

  package init() {}
}

/// The options that a command line gives, found by the parser's own rules before the parser reads it.
struct GivenOptions {
  /// Long names, without dashes and values.
  private(set) var given: Set<String> = []
  /// The values of `--scenario`.
  private(set) var scenarioFiles: [String] = []

  /// Reads `--name value`, `--name=value` and `--flag` up to `--`. A word that begins with a dash is never the value of
  /// the word before it.
  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst(), word != "--" {
      guard word.hasPrefix("--") else { continue }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      given.insert(String(parts[0]))
      guard parts[0] == "scenario" else { continue }
      if parts.count == 2, !parts[1].isEmpty {
        scenarioFiles.append(String(parts[1]))
      } else if let next = rest.first, next.first != "-" {
        scenarioFiles.append(next)
      }
    }
  }
}
