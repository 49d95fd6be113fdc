internal import Glibc

/// Why a user's workspace could not be made, entered, measured or removed.
public struct WorkspaceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is, for programs.
  public enum Kind: String, Sendable {
    /// A path that leaves its root, or names nothing below it.
    case outsideRoot
    /// Something else stands where a directory or a file belongs: a file, a symbolic link.
    case notADirectory
    /// A symbolic link where none may be followed.
    case symbolicLink
    /// What was to be made is there already.
    case alreadyExists
    /// What was to be entered or read isn't there.
    case notFound
    /// The kernel refused: owner or mode of a directory.
    case permissionDenied
    /// No space, no inodes or no quota left, or a read-only mount.
    case noSpace
    /// A token that is longer than ``WorkspaceLayout/maximumTokenLength``.
    case tokenTooLong
    /// A file was read, and holds something other than what was written.
    case contentDiffers
    /// Something that this suite did not make is in a directory that it would remove; it stays.
    case foreignFiles
    /// Two paths that should be mounts of one tree show different trees.
    case differentTree
    /// It did not happen within its bound.
    case timeout
    /// Any other failure of a system call; ``WorkspaceError/systemError`` tells which.
    case systemCallFailed
  }

  /// What kind of failure it is.
  public let kind: Kind
  /// What happened, to what, and what to do about it.
  public let message: String
  /// The `errno` behind it, where a system call failed.
  public let systemError: Int32?

  /// An error of the suite's own, or one with a known cause.
  public init(_ kind: Kind, _ message: String, systemError: Int32? = nil) {
    self.kind = kind
    self.message = message
    self.systemError = systemError
  }

  /// The message, the kind and the system's own words for the cause.
  public var description: String {
    guard let systemError else { return "\(message) [\(kind.rawValue)]" }
    return "\(message) [\(kind.rawValue): \(String(cString: strerror(systemError)))]"
  }

  /// The error for a system call that failed with `cause`, on the file called `name`.
  static func failed(_ call: StaticString, on name: String, cause: Int32) -> WorkspaceError {
    let (kind, advice) = explanation(of: cause)
    return WorkspaceError(kind, "\(call) of '\(name)' failed: \(advice)", systemError: cause)
  }

  private static func explanation(of cause: Int32) -> (Kind, String) {
    switch cause {
    case ENOTDIR:
      (.notADirectory, "it is a symbolic link or a file where a directory belongs; remove it or use another root")
    case ELOOP: (.symbolicLink, "it is a symbolic link, and none is followed below the root; remove it")
    case EEXIST: (.alreadyExists, "it is there already; remove it or use another name or root")
    case ENOENT: (.notFound, "it is not there; check the path and that the file system is mounted")
    case EACCES, EPERM: (.permissionDenied, "not permitted; check the owner and mode of the directories above it")
    case ENOTEMPTY: (.foreignFiles, "it isn't empty; look at what is in it and remove it by hand")
    case ENOSPC, EDQUOT: (.noSpace, "no space, inodes or quota left; free some or use another root")
    case EROFS: (.noSpace, "the file system is mounted read-only; use another root or mount")
    case ENAMETOOLONG: (.systemCallFailed, "the name is longer than the file system takes; use a shorter one")
    case EMFILE, ENFILE: (.systemCallFailed, "too many open files; raise 'ulimit -n' or use fewer writers")
    case ESTALE: (.systemCallFailed, "the file server no longer knows it; mount the file system again")
    case EIO: (.systemCallFailed, "input/output error; check the mount and the file server")
    default: (.systemCallFailed, "see the cause")
    }
  }
}
