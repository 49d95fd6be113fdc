import Latency
import Synchronization

/// The one schedule of an open loop, which all loops draw from. It begins when all users are set up.
final class SharedArrivals: Sendable {
  private struct State {
    var queue: ArrivalQueue
    var isOpen = false
    var isClosed = false
  }

  private let makeQueue: @Sendable (_ beginsAt: Instant, _ users: Int) -> ArrivalQueue
  private let state: Mutex<State>
  private let loops = Mutex<[LoopArrivals]>([])

  init(_ schedule: ArrivalSchedule, bounds: ArrivalQueue.Bounds, dropsWhenBusy: Bool) {
    let makeQueue: @Sendable (Instant, Int) -> ArrivalQueue = {
      ArrivalQueue(schedule, bounds: bounds, dropsWhenBusy: dropsWhenBusy, beginsAt: $0, awaited: $1)
    }
    self.makeQueue = makeQueue
    state = Mutex(State(queue: makeQueue(.distantPast, 0)))
  }

  /// So long after the last user was ready the schedule begins: all of them have to take their places first.
  static func lead(users: Int) -> Nanoseconds { .milliseconds(10) + .microseconds(5) * users }

  /// Each loop takes part in this until the end.
  func add(_ loop: LoopArrivals) { loops.withLock { $0.append(loop) } }

  /// The schedule's first instant is `instant`, and `users` are free for it.
  func begin(at instant: Instant, users: Int) {
    state.withLock { state in
      guard !state.isClosed else { return }
      state.queue = makeQueue(instant, users)
      state.isOpen = true
    }
  }

  /// Nothing more is due, and what waits is given up.
  func close(at now: Instant) {
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

  /// Lets the users that are parked go when the run is over and nobody performs any more: what they do then would hold up
  /// the last answers of the others.
  func endWaitsOnceOver(now: Instant) {
    if withQueue({ $0.isOver(at: now) && $0.isQuiet && !$0.hasWaiting }) ?? true { endWaits() }
  }

  /// Lets all parked users go.
  func endWaits() {
    // Loops and this hold one another until then.
    let all = loops.withLock { loops in
      defer { loops = [] }
      return loops
    }
    for loop in all { loop.stop() }
  }

  /// Runs `work` to its end. What still waits `bound` after the last start was due is given up; what is under way ends
  /// by its own time-out. Only what then goes on for twice that time more is cancelled.
  func waitingAtMost<T: Sendable>(_ bound: Nanoseconds, _ work: @escaping @Sendable () async -> T) async -> T? {
    await withTaskGroup(of: T?.self) { group in
      group.addTask { await work() }
      group.addTask {
        await self.untilAllAreDue()
        try? await Task.sleep(for: bound + Self.grace)
        guard !Task.isCancelled else { return nil }
        self.close(at: MonotonicClock.now())
        self.endWaitsOnceOver(now: MonotonicClock.now())
        try? await Task.sleep(for: bound + bound + Self.grace)
        return nil
      }
      // The work itself, or the end of the patience with it.
      let first = await group.next() ?? nil
      group.cancelAll()
      let second = await group.next() ?? nil
      return first ?? second
    }
  }

  /// Sleeps until the end that can be worked out, and looks at the queue, which the loops need, only from then on.
  private func untilAllAreDue() async {
    while !Task.isCancelled {
      let now = MonotonicClock.now()
      let expected = state.withLock { state in state.isOpen ? state.queue.expectedEnd ?? .distantFuture : nil }
      guard let expected else {
        try? await Task.sleep(for: Self.look)
        continue
      }
      if now < expected {
        try? await Task.sleep(for: min(expected - now, Self.longestSleep))
      } else if withQueue({ $0.hasEnded(at: now) }) ?? true {
        return
      } else {
        try? await Task.sleep(for: Self.look)
      }
    }
  }

  /// Between two looks whether the schedule has begun, or has ended where chance decides when.
  private static let look: Nanoseconds = .milliseconds(50)
  private static let longestSleep: Nanoseconds = .seconds(3_600)
  /// A little more than the bound, so that what began in time ends by its own time-out.
  private static let grace: Nanoseconds = .milliseconds(100)
}
