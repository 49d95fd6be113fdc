/// A value that only the thread of its ``EpollLoop`` may touch, in the hands of anybody.
struct LoopBound<Value: AnyObject>: @unchecked Sendable {
  // @unchecked: `value` checks the thread.

  let loop: EpollLoop
  /// The value for what any thread may read of it: constants that are safe to share.
  let unbound: Value

  init(_ value: Value, on loop: EpollLoop) {
    unbound = value
    self.loop = loop
  }

  /// The value, on its loop.
  var value: Value {
    precondition(loop.isCurrent, "this belongs to another thread's loop")
    return unbound
  }
}
