internal import Glibc

/// Why a user's workspace could not be created, entered, measured or removed.
public struct WorkspaceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Kind: String, Sendable {
    /// The path leaves its root, or names nothing below it.
    case outsideRoot
    /// Another entry, such as a file or a symbolic link, stands in the place of a directory or a file.
    case notADirectory
    /// A symbolic link stands where links are not followed.
    case symbolicLink
    /// The entry to create exists already.
    case alreadyExists
    /// The entry to enter or read does not exist.
    case notFound
    /// The kernel refused access because of a directory's owner or mode.
    case permissionDenied
    /// No space, no inodes or no quota left, or a read-only mount.
    case noSpace
    /// The token is longer than ``WorkspaceLayout/maximumTokenLength``.
    case tokenTooLong
    /// A file does not have the content that was written.
    case contentDiffers
    /// A directory to remove holds an entry that this suite did not create; it stays.
    case foreignFiles
    /// Two paths that should be mounts of one tree show different trees.
    case differentTree
    /// The event did not happen before the time-out.
    case timeout
    /// Any other failure of a system call; ``WorkspaceError/systemError`` has the number.
    case systemCallFailed
  }

  /// The kind of failure.
  public let kind: Kind
  /// The failure, the path, and how to correct the cause.
  public let message: String
  /// The `errno` of a failed system call; nil otherwise.
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
