import FoundationEssentials
import Glibc

/// A directory of the test's own, where programs run and write; removed with all its content at the end.
final class Scratch: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/infrabench-e2e-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
    path = String(cString: made)
    chmod(path, 0o755)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ relative: String) -> String { "\(path)/\(relative)" }

  /// Makes a directory; its absolute path.
  @discardableResult
  func directory(_ relative: String, mode: mode_t = 0o755) -> String {
    mkdir(self(relative), mode)
    chmod(self(relative), mode)
    return self(relative)
  }

  /// The names in a directory, sorted; nil when there is none.
  func names(in relative: String) -> [String]? {
    try? FileManager.default.contentsOfDirectory(atPath: self(relative)).sorted()
  }

  /// Writes a file; its absolute path.
  @discardableResult
  func write(_ relative: String, _ text: String) -> String {
    _ = FileManager.default.createFile(atPath: self(relative), contents: Data(text.utf8))
    return self(relative)
  }
}
