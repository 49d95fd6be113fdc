public import Latency
public import NIOCore

/// One sleep on an event loop. Confined to it.
final class LoopTimer {
  private enum State {
    case idle
    case waiting(UnsafeContinuation<Void, Never>, Scheduled<Void>)
    case over
  }

  private var state = State.idle

  /// Resumes `continuation` exactly once: after `length`, or when ``end()`` is called.
  func start(_ continuation: UnsafeContinuation<Void, Never>, _ length: Nanoseconds, on eventLoop: any EventLoop) {
    guard case .idle = state else { return continuation.resume() }  // ended before it began
    let scheduled = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(length)) { self.end() }
    state = .waiting(continuation, scheduled)
  }

  func end() {
    let last = state
    state = .over
    guard case .waiting(let continuation, let scheduled) = last else { return }
    scheduled.cancel()
    continuation.resume()
  }
}

extension TimeAmount {
  /// Converts a length for a timer of an event loop. NIO's longest length is 292 years; longer ones become that.
  @inlinable
  public init(_ length: Nanoseconds) { self = .nanoseconds(Int64(clamping: length.nanoseconds)) }
}

extension NIODeadline {
  /// Converts an instant for a timer of an event loop; NIO uses the clock of ``MonotonicClock``.
  @inlinable
  public init(_ instant: Instant) { self = .uptimeNanoseconds(instant.nanoseconds) }
}
