import Synchronization

/// A value that several may give and one waits for: the first one counts.
public final class FirstValue<Value: Sendable>: Sendable {
  private enum State {
    case open
    case waiting(CheckedContinuation<Value, Never>)
    case given(Value)
  }

  private let state = Mutex(State.open)

  /// Nothing is given yet.
  public init() {}

  /// Gives the value; false if there is one already.
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

  /// Waits for it, once.
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
