import NIOCore

/// One sleep on an event loop. Confined to it.
final class LoopTimer {
  private enum State {
    case idle
    case waiting(UnsafeContinuation<Void, Never>, Scheduled<Void>)
    case over
  }

  private var state = State.idle

  /// Resumes `continuation` after `nanoseconds`, or when it has been ended; exactly once.
  func start(_ continuation: UnsafeContinuation<Void, Never>, _ nanoseconds: UInt64, on eventLoop: any EventLoop) {
    guard case .idle = state else { return continuation.resume() }  // ended before it began
    let scheduled = eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(clamping: nanoseconds))) {
      self.end()
    }
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
