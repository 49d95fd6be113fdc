import CProcess
import Synchronization

/// How many files and sockets this process may have open (`RLIMIT_NOFILE`): often 1024 at first, which a server or a load
/// generator exceeds.
public enum FileDescriptorLimit {
  /// The limit this process was given, once it has been raised; else 0.
  private static let given = Atomic<UInt64>(0)

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
}
