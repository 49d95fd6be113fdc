/// The name of a user's directory below its root, ready for system calls.
public struct UserDirectoryName: Hashable, Sendable, CustomStringConvertible {
  let name: PathName

  /// - Throws: ``WorkspaceError`` with code `outsideRoot` unless `user` is one plain path component that doesn't start with a dot.
  public init(_ user: String) throws(WorkspaceError) {
    let bytes = Array(user.utf8)
    guard let first = bytes.first, first != UInt8(ascii: "."), !bytes.contains(UInt8(ascii: "/")), !bytes.contains(0)
    else { throw WorkspaceError(.outsideRoot, "'\(user)' can't name a user's directory; use letters, digits, '-' and '_'") }
    name = PathName(bytes: bytes)
  }

  /// The name as text.
  public var description: String { name.text }
}
