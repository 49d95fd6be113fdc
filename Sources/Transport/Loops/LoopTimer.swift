public import Latency
public import NIOCore

/// A timer of one loop, which can be set again and again. Confined to the loop.
public class LoopTimer {
  init() {}

  /// When it fires next; nil while it is not set.
  public var firesAt: Instant? { preconditionFailure("each kind of loop has its own timers") }

  /// Makes it fire at `instant`, at once if that has passed, instead of whenever it was set to fire.
  public func set(for instant: Instant) { preconditionFailure("each kind of loop has its own timers") }

  /// Keeps it from firing until it is set again.
  public func cancel() { preconditionFailure("each kind of loop has its own timers") }
}

/// One sleep on a loop.
final class LoopSleep: @unchecked Sendable {
  // @unchecked: its state is touched on the loop's thread only.

  private enum State {
    case idle
    case waiting(UnsafeContinuation<Void, Never>, LoopTimer)
    case over
  }

  private var state = State.idle

  /// Resumes `continuation` exactly once: after `length`, or when ``end()`` is called.
  func begin(_ continuation: UnsafeContinuation<Void, Never>, _ length: Nanoseconds, on loop: LoopExecutor) {
    guard case .idle = state else { return continuation.resume() }  // ended before it began
    let timer = loop.makeTimer { self.end() }
    state = .waiting(continuation, timer)
    timer.set(for: MonotonicClock.now() + length)
  }

  func end() {
    let last = state
    state = .over
    guard case .waiting(let continuation, let timer) = last else { return }
    timer.cancel()
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
