import CProcess
import Glibc
import Synchronization

/// A file descriptor that is closed exactly once, by ``close()`` or with the last reference, unless ``release()`` gave
/// it away.
public final class OwnedDescriptor: Sendable {
  private let raw: Atomic<CInt>

  /// Takes ownership of `descriptor`.
  public init(_ descriptor: Int32) { raw = Atomic(descriptor) }

  deinit { close() }

  /// The descriptor, or -1 once it is closed or given away. Valid as long as this object is alive and open.
  public var descriptor: Int32 { raw.load(ordering: .acquiring) }

  /// Gives the descriptor to the caller, who must close it; nil if it has been closed or given away.
  public func release() -> Int32? {
    let descriptor = raw.exchange(-1, ordering: .acquiringAndReleasing)
    return descriptor >= 0 ? descriptor : nil
  }

  /// Closes the descriptor unless it has been closed or given away.
  public func close() {
    // The call is not repeated after EINTR: Linux has closed the descriptor by then, and its number may have been
    // reused (close(2)).
    if let descriptor = release() { _ = Glibc.close(descriptor) }
  }

  /// Makes a pipe, whose ends are closed on exec.
  ///
  /// - Throws: the errno of `pipe2`.
  public static func pipe() throws(SystemError) -> (read: OwnedDescriptor, write: OwnedDescriptor) {
    var readEnd: CInt = -1
    var writeEnd: CInt = -1
    let error = cprocess_pipe(&readEnd, &writeEnd)
    guard error == 0 else { throw SystemError(errno: error) }
    return (OwnedDescriptor(readEnd), OwnedDescriptor(writeEnd))
  }

  /// Opens `/dev/null`, closed on exec.
  static func null() throws(SystemError) -> OwnedDescriptor {
    let descriptor = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(errno: errno) }
    return OwnedDescriptor(descriptor)
  }
}

/// The error of a failed system call.
public struct SystemError: Error {
  /// The system's error number.
  public let errno: CInt
}

/// The limit of open files and sockets of this process (`RLIMIT_NOFILE`). It is often 1024 at first, which is too low
/// for a server or a load generator.
public enum FileDescriptorLimit {
  /// The limit that this process was started with, once it has been raised; else 0.
  private static let given = Atomic<UInt64>(0)
  private static let shortage = Mutex<(hasOccurred: Bool, handler: (@Sendable () -> Void)?)>((false, nil))

  /// Raises the soft limit to the hard one (1,048,576 at most). Children get the limit that this process was started
  /// with, because a program may not be prepared for more (select(2)).
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

  /// Whether `errno` says that this process or this machine may open no more files. Such an error is noted, because it
  /// is a problem of this process and not of the target.
  public static func isExceeded(errno number: Int32) -> Bool {
    guard number == EMFILE || number == ENFILE else { return false }
    let handler: (@Sendable () -> Void)? = shortage.withLock { shortage in
      defer { shortage.hasOccurred = true }
      return shortage.hasOccurred ? nil : shortage.handler
    }
    handler?()
    return true
  }

  /// Whether no more files can be opened at present. It serves errors without an errno, and notes a shortage like
  /// ``isExceeded(errno:)``.
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

  /// Forgets the noted errors. `handler` is called once, at the next error, on any thread.
  public static func watch(_ handler: (@Sendable () -> Void)?) { shortage.withLock { $0 = (false, handler) } }
}

/// Writes all bytes, which `write(2)` alone does not guarantee.
public enum WholeWrite {
  /// Writes all of `bytes` to `descriptor`, and waits for its reader without a bound.
  ///
  /// - Returns: nil, or the errno of the failure that lost the rest.
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
