import FoundationEssentials
import Glibc

@testable import UserWorkspace

/// A directory of the test's own, and what a test needs to look at it; removed with all its content at the end.
final class Scratch {
  let path: String

  init() throws {
    var template = Array("/tmp/workspace-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw WorkspaceError.failed("mkdtemp", on: "/tmp", cause: errno) }
    path = String(cString: made)
    chmod(path, 0o755)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ relative: String) -> String { "\(path)/\(relative)" }

  @discardableResult
  func directory(_ relative: String, mode: mode_t = 0o755) -> String {
    mkdir(self(relative), mode)
    chmod(self(relative), mode)
    return self(relative)
  }

  @discardableResult
  func file(_ relative: String, _ text: String) -> String {
    let descriptor = open(self(relative), O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    write(descriptor, text, text.utf8.count)
    close(descriptor)
    return self(relative)
  }

  func link(_ relative: String, to target: String) { symlink(target, self(relative)) }
}

/// The permission bits, or nil when there is nothing; links are not followed.
func mode(_ path: String) -> mode_t? { status(path).map { $0.st_mode & 0o7777 } }

/// What `lstat` says.
func status(_ path: String) -> stat? {
  var found = stat()
  return lstat(path, &found) == 0 ? found : nil
}

/// The names in a directory, sorted.
func names(in path: String) -> [String] {
  guard let stream = opendir(path) else { return [] }
  defer { closedir(stream) }
  var found: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { found.append(name) }
  }
  return found.sorted()
}

