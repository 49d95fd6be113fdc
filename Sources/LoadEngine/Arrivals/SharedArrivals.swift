import Latency
import Synchronization

/// The schedule of an open loop, shared by all event loops. It begins when all users are set up.
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

  /// How long after the last user's set-up the schedule begins: all users have to be parked first.
  static func lead(users: Int) -> Nanoseconds { .milliseconds(10) + .microseconds(5) * users }

  /// Adds a loop, which takes part until the end of the run.
  func add(_ loop: LoopArrivals) { loops.withLock { $0.append(loop) } }

  /// Begins the schedule at `instant` with `users` free users.
  func begin(at instant: Instant, users: Int) {
    state.withLock { state in
      guard !state.isClosed else { return }
      state.queue = makeQueue(instant, users)
      state.isOpen = true
    }
  }

  /// Ends the schedule: no start comes due any more, and waiting ones are given up.
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

  /// Releases the parked users once the run is over and no user performs an iteration any more. Earlier their clean-up
  /// would hold up the last answers of the others.
  func endWaitsOnceOver(now: Instant) {
    if withQueue({ $0.isOver(at: now) && $0.isQuiet && !$0.hasWaiting }) ?? true { endWaits() }
  }

  /// Releases all parked users.
  func endWaits() {
    // The loops and this object reference each other until here.
    let all = loops.withLock { loops in
      defer { loops = [] }
      return loops
    }
    for loop in all { loop.stop() }
  }

  /// Runs `work` to its end. Starts that still wait `bound` after the last one was due are given up. Iterations under
  /// way end by their own time-outs; those that still go on twice `bound` later are cancelled.
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
      // Either `work` has ended or its time is up.
      let first = await group.next() ?? nil
      group.cancelAll()
      let second = await group.next() ?? nil
      return first ?? second
    }
  }

  /// Sleeps until the expected end of the schedule and polls the queue only from then on, because each poll holds the
  /// lock that the loops need.
  private func untilAllAreDue() async {
    while !Task.isCancelled {
      let now = MonotonicClock.now()
      let expected = state.withLock { state in state.isOpen ? state.queue.expectedEnd ?? .distantFuture : nil }
      guard let expected else {
        try? await Task.sleep(for: Self.pollInterval)
        continue
      }
      if now < expected {
        try? await Task.sleep(for: min(expected - now, Self.longestSleep))
      } else if withQueue({ $0.hasEnded(at: now) }) ?? true {
        return
      } else {
        try? await Task.sleep(for: Self.pollInterval)
      }
    }
  }

  /// How often the queue is polled: whether the schedule has begun, and whether a Poisson schedule, whose end is
  /// random, is over.
  private static let pollInterval: Nanoseconds = .milliseconds(50)
  private static let longestSleep: Nanoseconds = .seconds(3_600)
  /// Added to the bound, so that an iteration that began in time ends by its own time-out.
  private static let grace: Nanoseconds = .milliseconds(100)
}
