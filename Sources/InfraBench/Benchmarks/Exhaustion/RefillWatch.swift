import Synchronization

/// The tracker, shared by the task that polls and the task that drains.
final class RefillWatch: Sendable {
  private struct State {
    var tracker: RefillTracker
    var isColdFallbackPending = true
  }

  private let state: Mutex<State>

  init(_ tracker: RefillTracker) {
    state = Mutex(State(tracker: tracker))
  }

  /// The tracker as it is now.
  var tracker: RefillTracker { state.withLock { $0.tracker } }

  /// Whether the cold fallback still waits for its task: until then it is open which task is not the pool's.
  var isColdFallbackPending: Bool { state.withLock { $0.isColdFallbackPending } }

  func update(_ body: (inout RefillTracker) -> Void) {
    state.withLock { body(&$0.tracker) }
  }

  /// The cold fallback is over, or there is none.
  func coldFallbackEnded() {
    state.withLock { $0.isColdFallbackPending = false }
  }

  func observe(_ poll: PoolPoll) {
    update { tracker in
      for (view, sighting) in poll.sightings { tracker.observe(view, sighting) }
    }
  }
}
