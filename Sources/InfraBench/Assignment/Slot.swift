import Synchronization

/// What a virtual user has at the moment, such as a task; one or nothing.
package final class Slot<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  package init() {}

  package func put(_ value: Value) { self.value.withLock { $0 = value } }

  /// Gives it away; nil if there is none.
  package func take() -> Value? {
    value.withLock { value in
      let taken = value
      value = nil
      return taken
    }
  }
}
