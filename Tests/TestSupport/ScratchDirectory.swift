import Foundation

/// A directory of a test's own, gone when the test lets go of it.
public final class ScratchDirectory: Sendable {
  /// Without a slash at the end.
  public let path: String

  /// Makes it below the temporary directory.
  public init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "infrabench-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and the directories above it.
  @discardableResult
  public func write(_ name: String, _ text: String) throws -> String {
    let url = URL(filePath: path).appending(path: name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  /// The paths below it of all that are no directories, sorted.
  public var files: [String] {
    let all = FileManager.default.subpaths(atPath: path) ?? []
    return all.filter { name in
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
        && !isDirectory.boolValue
    }.sorted()
  }
}
