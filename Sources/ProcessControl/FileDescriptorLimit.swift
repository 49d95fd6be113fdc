import CProcess
import Glibc
import Synchronization

/// How many files and sockets this process may have open (`RLIMIT_NOFILE`): often 1024 at first, which a server or a load
/// generator exceeds.
public enum FileDescriptorLimit {
  /// The limit this process was given, once it has been raised; else 0.
  private static let given = Atomic<UInt64>(0)
  private static let shortage = Mutex<(hasOccurred: Bool, handler: (@Sendable () -> Void)?)>((false, nil))

  /// Raises the soft limit to the hard one (1,048,576 at most). Children start with the limit that this process was given: a
  /// program may not be prepared for more (select(2)).
  ///
  /// - Returns: The limit in force.
  @discardableResult
  public static func raise() -> Int {
    var before: UInt64 = 0
    var now: UInt64 = 0
    guard cprocess_raise_open_files(&before, &now) == 0, now > before else { return Int(clamping: now) }
    given.store(before, ordering: .releasing)
    return Int(clamping: now)
  }

  static var ofChildren: UInt64 { given.load(ordering: .acquiring) }

  /// Whether the error of a system call, `errno`, says that no more files may be open, in this process or on this machine.
  /// Such an error is noted: it is this process's problem, and no other's.
  public static func isExceeded(errno number: Int32) -> Bool {
    guard number == EMFILE || number == ENFILE else { return false }
    let handler: (@Sendable () -> Void)? = shortage.withLock { shortage in
      defer { shortage.hasOccurred = true }
      return shortage.hasOccurred ? nil : shortage.handler
    }
    handler?()
    return true
  }

  /// Whether no more files can be opened at this moment, for errors that don't say why; noted like ``isExceeded(errno:)``.
  public static var isReached: Bool {
    let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard descriptor < 0 else {
      close(descriptor)
      return false
    }
    return isExceeded(errno: errno)
  }

  /// Whether ``isExceeded(errno:)`` has noted an error since the last ``watch(_:)``.
  public static var wasExceeded: Bool { shortage.withLock { $0.hasOccurred } }

  /// Forgets what was noted. `handler` is called at the next error, once, on any thread; nil calls nobody.
  public static func watch(_ handler: (@Sendable () -> Void)?) { shortage.withLock { $0 = (false, handler) } }
}
