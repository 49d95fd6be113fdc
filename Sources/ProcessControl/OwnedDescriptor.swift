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
