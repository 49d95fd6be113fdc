import Synchronization

/// What a virtual user has at the moment, such as a task; one or nothing.
package final class Slot<Value: Sendable>: Sendable {
  private let held = Mutex<Value?>(nil)

  package init() {}

  /// Puts it in the place of what was there, which is returned.
  @discardableResult
  package func put(_ new: Value) -> Value? {
    held.withLock { held in
      let old = held
      held = new
      return old
    }
  }

  /// What is there.
  package var value: Value? { held.withLock { $0 } }

  /// Gives it away; nil if there is none.
  package func take() -> Value? {
    held.withLock { held in
      let taken = held
      held = nil
      return taken
    }
  }
}
