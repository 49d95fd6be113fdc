/// A path split into the single names that lead from a root down to it, checked before any file is touched.
struct PathBelowRoot: Sendable {
  /// The directories between the root and the last name.
  let parents: [PathName]
  let last: PathName

  /// - Throws: ``WorkspaceError`` with code `outsideRoot` when `path` isn't spelled below `root` or has `.`, `..` or NUL in it.
  init(_ path: String, inside root: String) throws(WorkspaceError) {
    let rootParts = Self.components(root)
    let parts = Self.components(path)
    guard !root.isEmpty, Self.isAbsolute(path) == Self.isAbsolute(root), parts.starts(with: rootParts)
    else { throw Self.outside(path, root) }
    let names = parts.dropFirst(rootParts.count)
    guard let last = names.last, names.allSatisfy(Self.isPlainName) else { throw Self.outside(path, root) }
    self.parents = names.dropLast().map { PathName(bytes: $0) }
    self.last = PathName(bytes: last)
  }

  /// Compared as bytes: Swift's strings call different spellings of one character equal, the kernel doesn't.
  private static func components(_ path: String) -> [[UInt8]] {
    path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
  }

  private static func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

  private static func isPlainName(_ name: [UInt8]) -> Bool {
    name != Array(".".utf8) && name != Array("..".utf8) && !name.contains(0)
  }

  private static func outside(_ path: String, _ root: String) -> WorkspaceError {
    WorkspaceError(
      .outsideRoot, "'\(path)' is not a plain path below '\(root)'; give one that starts with the root, without '.' and '..'")
  }
}
