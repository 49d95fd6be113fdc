import CProcess
import Glibc
import Synchronization

/// A file descriptor that is closed exactly once: by ``close()``, or when the last reference goes, unless ``release()`` gave it away.
public final class OwnedDescriptor: Sendable {
  private let raw: Atomic<CInt>

  /// Takes ownership of `descriptor`.
  public init(_ descriptor: Int32) { raw = Atomic(descriptor) }

  deinit { close() }

  /// The descriptor, or -1 once it is closed or given away. Valid as long as this object is alive and open.
  public var descriptor: Int32 { raw.load(ordering: .acquiring) }

  /// Gives the descriptor to the caller, who closes it; nil if it is closed or given away already.
  public func release() -> Int32? {
    let descriptor = raw.exchange(-1, ordering: .acquiringAndReleasing)
    return descriptor >= 0 ? descriptor : nil
  }

  /// Closes the descriptor if it is still here.
  public func close() {
    // Never repeated after EINTR: Linux has closed it by then, and the number may be another's (close(2)).
    if let descriptor = release() { _ = Glibc.close(descriptor) }
  }

  /// Both ends of a new pipe, closed on exec. Throws the errno of `pipe2`.
  public static func pipe() throws(SystemError) -> (read: OwnedDescriptor, write: OwnedDescriptor) {
    var readEnd: CInt = -1
    var writeEnd: CInt = -1
    let error = cprocess_pipe(&readEnd, &writeEnd)
    guard error == 0 else { throw SystemError(errno: error) }
    return (OwnedDescriptor(readEnd), OwnedDescriptor(writeEnd))
  }

  /// `/dev/null`, closed on exec.
  static func null() throws(SystemError) -> OwnedDescriptor {
    let descriptor = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(errno: errno) }
    return OwnedDescriptor(descriptor)
  }
}

/// A failed system call's number.
public struct SystemError: Error {
  /// Its number.
  public let errno: CInt
}

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

/// Writing all of some bytes, which `write(2)` alone does not promise.
public enum WholeWrite {
  /// Writes all of `bytes` to `descriptor`, however long its reader takes.
  ///
  /// - Returns: nil, or the errno that tells why the rest is lost.
  @discardableResult
  public static func write(_ bytes: some Sequence<UInt8>, to descriptor: Int32) -> Int32? {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      rest = rest.dropFirst(count)
    }
    return nil
  }
}
