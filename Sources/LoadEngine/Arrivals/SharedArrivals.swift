import Latency
import Synchronization

/// The one schedule of an open loop, which all loops draw from. It begins when all users are set up.
final class SharedArrivals: Sendable {
  private struct State {
    var queue: ArrivalQueue
    var isOpen = false
    var isClosed = false
  }

  private let makeQueue: @Sendable (_ beginsAt: UInt64, _ users: Int) -> ArrivalQueue
  private let state: Mutex<State>

  init(_ schedule: ArrivalSchedule, bounds: ArrivalQueue.Bounds, dropsWhenBusy: Bool) {
    let makeQueue: @Sendable (UInt64, Int) -> ArrivalQueue = {
      ArrivalQueue(schedule, bounds: bounds, dropsWhenBusy: dropsWhenBusy, beginsAt: $0, awaited: $1)
    }
    self.makeQueue = makeQueue
    state = Mutex(State(queue: makeQueue(0, 0)))
  }

  /// So long after the last user was ready, in ns, the schedule begins: all of them have to take their places first.
  static func lead(users: Int) -> UInt64 { 10_000_000 + UInt64(users) * 5_000 }

  /// The schedule's first instant is `instant`, in ns, and `users` are free for it; only the first call counts, and returns
  /// true.
  func begin(at instant: UInt64, users: Int) -> Bool {
    state.withLock { state in
      guard !state.isOpen, !state.isClosed else { return false }
      state.queue = makeQueue(instant, users)
      state.isOpen = true
      return true
    }
  }

  /// Interrupted: nothing more is due.
  func close(at now: UInt64) {
    state.withLock { state in
      state.isClosed = true
      if state.isOpen { state.queue.close(at: now) }
    }
  }

  /// Works on the queue; nil when the schedule has not begun.
  @discardableResult
  func withQueue<T>(_ body: (inout ArrivalQueue) -> T) -> T? {
    state.withLock { state in
      guard state.isOpen else { return nil }
      return body(&state.queue)
    }
  }

  /// Whether the end by time has passed.
  func isPastEnd(at now: UInt64) -> Bool { withQueue { $0.isPastEnd(at: now) } ?? false }

  /// Looked at from outside the loops, which wait for the queue meanwhile.
  private func hasEnded(at now: UInt64) -> Bool {
    withQueue { $0.endsByTimeAlone ? $0.isPastEnd(at: now) : $0.hasEnded(at: now) } ?? false
  }

  /// Runs `work`, and cancels it when so many ns have passed since the last start was due: what is still waiting or under
  /// way then is given up.
  func waitingAtMost(_ bound: UInt64, _ work: @escaping @Sendable () async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await work() }
      group.addTask {
        while !Task.isCancelled, !self.hasEnded(at: MonotonicClock.now()) {
          try? await Task.sleep(nanoseconds: Self.look)
        }
        // A little more, so that whoever began in time ends by its own bound.
        try? await Task.sleep(nanoseconds: bound + Self.grace)
      }
      await group.next()
      group.cancelAll()
    }
  }

  /// Between two looks whether the schedule has ended, in ns.
  private static let look: UInt64 = 50_000_000
  private static let grace: UInt64 = 100_000_000
}
