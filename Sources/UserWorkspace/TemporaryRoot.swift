internal import Glibc

/// A fresh directory for a run that was given no root: mode 0700, a name of its own.
public struct TemporaryRoot: Sendable {
  /// Its absolute path.
  public let path: String

  /// Makes it in `$TMPDIR`, else in `/tmp`.
  /// - Throws: ``WorkspaceError`` when that is missing or not writable.
  public init() throws(WorkspaceError) {
    try self.init(in: getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp")
  }

  init(in parent: String) throws(WorkspaceError) {
    var template = Array("\(parent)/infrabench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw WorkspaceError.failed("mkdtemp", on: parent, cause: errno)
    }
    path = PathName(bytes: template.dropLast().map(UInt8.init(bitPattern:))).text
  }

  /// Removes it if it is empty; already gone counts as removed. Remove what was made in it first.
  /// - Throws: ``WorkspaceError`` with code `foreignFiles` if something is still in it.
  public func remove() throws(WorkspaceError) {
    if rmdir(path) == 0 || errno == ENOENT { return }
    throw WorkspaceError.failed("rmdir", on: path, cause: errno)
  }
}
