import Glibc

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

  /// A file of bench-suite.
  struct OfSuite {
    /// The options for each tool, once for each.
    var tools: [(key: String, value: [StrictJSON.Member])] = []
    /// What is wrong with the other entries, a sentence each that goes on after `--scenario`.
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

  /// What to do with a key that is no tool's name.
  private static func remedy(for key: String) -> String {
    if let nearest = NearestName.near(String(key.prefix(64)), in: SuiteTool.names) {
      return "the nearest name is '\(nearest)'"
    }
    return "write options in a tool's object, as {\"bench-allocation\": {\"count\": 100}}"
  }

  /// A key as messages show it: only where it looks like a name, as it may be a misplaced value.
  static func shown(_ key: String) -> String {
    let isName =
      (1...40).contains(key.utf8.count)
      && key.unicodeScalars.allSatisfy {
        $0.isASCII && (Character($0).isLetter || Character($0).isNumber || "-_".unicodeScalars.contains($0))
      }
    return isName ? "'\(key)'" : "a key"
  }

  /// In pieces, because a pipe or a device has no size that could be asked for.
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
