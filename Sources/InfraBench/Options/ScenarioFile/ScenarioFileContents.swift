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

  /// The options for each tool in a file of bench-suite: an object whose keys are the tools' names.
  static func suiteMembers(
    ofFileAt path: String
  ) throws(ScenarioFileError) -> [(key: String, value: [StrictJSON.Member])] {
    let members = try members(ofFileAt: path)
    var tools: [(key: String, value: [StrictJSON.Member])] = []
    for member in members {
      let place = "\(quoted(path)), line \(member.line)"
      guard SuiteTool.names.contains(member.key) else {
        let nearest = NearestName.of(member.key, in: SuiteTool.names).map { ": the nearest name is '\($0)'" } ?? ""
        throw ScenarioFileError(
          reason: "\(place): a key is no tool of the suite\(nearest); "
            + "write it as {\"bench-allocation\": {\"count\": 100}}")
      }
      guard case .object(let options) = member.value else {
        throw ScenarioFileError(reason: "\(place): '\(member.key)' has no object: write {\"count\": 100} behind it")
      }
      guard !tools.contains(where: { $0.key == member.key }) else {
        throw ScenarioFileError(reason: "\(place): '\(member.key)' is there twice")
      }
      tools.append((member.key, options))
    }
    return tools
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
