import Glibc
import Synchronization

/// A pipe without a writer: a child that reads the end of file from it knows that its parent has ended, in whichever
/// way.
///
/// The parent's side is `ProcessRequest.standardInput = .pipe`: the kernel closes it with the parent, and it is
/// close-on-exec, so that no sibling keeps it open.
public enum Lifeline {
  /// How long a signalled child waits for its parent to close the lifeline. Problem: a signal to all processes at once
  /// would end children that the parent still has to end in order. So the children wait for the parent first.
  public static let patience = Duration.seconds(8)

  /// Reads `descriptor` (standard input by default) on a thread of its own, discards the bytes, and calls `body` there
  /// once at the end of file. The caller keeps the descriptor.
  public static func watch(_ descriptor: Int32 = 0, whenGone body: @escaping @Sendable () -> Void) {
    let job = Unmanaged.passRetained(Job(descriptor: descriptor, body: body))
    var thread = pthread_t()
    let error = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let job = Unmanaged<Job>.fromOpaque(raw).takeRetainedValue()
        job.readToEnd()
        job.body()
        return nil
      }, job.toOpaque())
    if error == 0 {
      pthread_detach(thread)
    } else {
      // No thread could be started. A child that cannot watch its lifeline could outlive its parent unnoticed, so
      // `body` is called at once.
      job.release()
      body()
    }
  }

  private final class Job: Sendable {
    let descriptor: Int32
    let body: @Sendable () -> Void

    init(descriptor: Int32, body: @escaping @Sendable () -> Void) {
      self.descriptor = descriptor
      self.body = body
    }

    func readToEnd() {
      withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
        while true {
          let count = read(descriptor, buffer.baseAddress, buffer.count)
          if count > 0 || (count < 0 && errno == EINTR) { continue }
          guard count < 0, errno == EAGAIN else { return }
          var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
          _ = poll(&wanted, 1, -1)
        }
      }
    }
  }
}

/// A value that several callers may give and one caller waits for. The first given value counts.
public final class FirstValue<Value: Sendable>: Sendable {
  private enum State {
    case open
    case waiting(CheckedContinuation<Value, Never>)
    case given(Value)
  }

  private let state = Mutex(State.open)

  /// Makes an object without a value.
  public init() {}

  /// Gives the value; false if a value was given before.
  @discardableResult
  public func give(_ value: Value) -> Bool {
    let (isFirst, waiter): (Bool, CheckedContinuation<Value, Never>?) = state.withLock { state in
      switch state {
      case .given: return (false, nil)
      case .open:
        state = .given(value)
        return (true, nil)
      case .waiting(let waiter):
        state = .given(value)
        return (true, waiter)
      }
    }
    waiter?.resume(returning: value)
    return isFirst
  }

  /// Waits for the value. Call it once.
  public func wait() async -> Value {
    await withCheckedContinuation { continuation in
      let value: Value? = state.withLock { state in
        if case .given(let value) = state { return value }
        state = .waiting(continuation)
        return nil
      }
      if let value { continuation.resume(returning: value) }
    }
  }
}
