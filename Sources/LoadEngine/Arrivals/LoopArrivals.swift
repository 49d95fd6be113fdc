import Latency
import Transport

/// One event loop's part of an open loop: its parked users, and the timer for the next start. A user is parked while it
/// is free and waits for a start.
final class LoopArrivals: @unchecked Sendable {
  // @unchecked: every mutable property is touched on the loop's thread only.

  /// A start, and whether a user had been free when it came due.
  struct DispatchedArrival: Sendable {
    var start: ArrivalQueue.Start
    var foundFreeUser: Bool
  }

  private struct Parked {
    var continuation: UnsafeContinuation<DispatchedArrival?, Never>
    /// When the user's last answer had been read.
    var since: Instant
  }

  private let executor: LoopExecutor
  private let shared: SharedArrivals
  /// How long before a start the loop begins to spin, so that a late timer makes no late start; nil: it never spins.
  private let spinLead: Nanoseconds?
  /// Users that have had no start yet, in the order in which they were parked. They come first, so that each user of a
  /// run has its part of the load.
  private var fresh = FIFO<Parked>()
  /// The other users, in the order in which they were parked. The last one gets the next start, because its memory is
  /// still in the processor's cache; unless the first one has been idle for ``longestIdle``.
  private var parked = FIFO<Parked>()
  /// Fires at the next start, or somewhat earlier with `--precise`; made at the first call.
  private var timer: LoopTimer?
  private var isSpinning = false
  /// When the spinning for the next start began.
  private var spinsSince: Instant?
  private var isStopped = false

  /// Polling the sockets takes about 5 µs. So they are not polled in the last 5 µs of a spin.
  private static let tightLead: Nanoseconds = .microseconds(5)

  /// Node's HTTP servers close a connection that has been idle for 5 s. So a user idles no longer than this while there
  /// are starts for it.
  private static let longestIdle: Nanoseconds = .seconds(4)

  init(_ shared: SharedArrivals, on executor: LoopExecutor, spinLead: Nanoseconds?) {
    self.shared = shared
    self.executor = executor
    self.spinLead = spinLead
  }

  /// The next start for a user that has been free since `since`; nil when no start will come any more. `isFirst` is
  /// true at the user's first call. Call it on the loop.
  func next(since: Instant, isFirst: Bool) async -> DispatchedArrival? {
    if isFirst { executor.betweenBatches = { [unowned self] in serveIfDue() } }
    let now = MonotonicClock.now()
    let answer = shared.withQueue { queue in
      // If another user is parked, a free user was waiting for the start that this user takes.
      (queue.userBecameFree(at: now, since: since, wasAwaited: isFirst), foundFreeUser: queue.hasFreeUsers)
    }
    switch answer {
    case (.start(let start), let foundFreeUser)?: return DispatchedArrival(start: start, foundFreeUser: foundFreeUser)
    case (.over, _)?:
      shared.endWaitsOnceOver(now: now)
      return nil
    case nil: return nil
    case (.parked, _)?:
      return await withUnsafeContinuation { continuation in
        let user = Parked(continuation: continuation, since: since)
        if isFirst { fresh.append(user) } else { parked.append(user) }
        if isStopped { release() } else { arm() }
      }
    }
  }

  /// Ends the waits of all users, from any thread.
  func stop() {
    executor.execute {
      self.isStopped = true
      self.timer?.cancel()
      self.executor.betweenBatches = nil
      self.release()
    }
  }

  /// Does the timer's work between two shares of many answers, when the timer's instant has passed and the loop has not
  /// reached it yet.
  private func serveIfDue() {
    guard let timer, let firesAt = timer.firesAt, MonotonicClock.now() >= firesAt else { return }
    timer.cancel()
    approach()
  }

  /// Sets the timer for the next start, unless it fires by then anyway.
  private func arm() {
    guard !isSpinning, hasParked else { return }
    guard let wakeAt = shared.withQueue({ $0.nextWakeAt }) ?? nil else {
      // Another loop has just taken the last start.
      return executor.execute { self.serve() }
    }
    let firesAt = wakeAt - (spinLead ?? .zero)
    let timer = timer ?? executor.makeTimer { [unowned self] in approach() }
    self.timer = timer
    if let earlier = timer.firesAt, earlier <= firesAt { return }
    timer.set(for: firesAt)
  }

  /// With `--precise` spins until the start's instant, polling the sockets meanwhile; otherwise serves at once.
  private func approach() {
    isSpinning = false
    guard let spinLead, !isStopped else { return serve() }
    while true {
      // The queue is read each time: that keeps it in the processor's cache.
      guard let wakeAt = shared.withQueue({ $0.nextWakeAt }) ?? nil else { return serve() }
      let now = MonotonicClock.now()
      spinsSince = spinsSince ?? now
      guard now < wakeAt else { return serve() }
      // Another loop has taken the start that this loop was spinning for.
      guard wakeAt - now <= spinLead else {
        endSpin(at: now)
        return arm()
      }
      if wakeAt - now > Self.tightLead {
        isSpinning = true
        return executor.execute { self.approach() }
      }
    }
  }

  private func endSpin(at now: Instant) {
    if let begin = spinsSince.take() { executor.spunFor += now.elapsed(since: begin) }
  }

  /// Hands out the starts that are due.
  private func serve() {
    let now = MonotonicClock.now()
    endSpin(at: now)
    while hasParked, let start = shared.withQueue({ $0.takeForParked(at: now) }) ?? nil {
      takeParked(at: now)?.resume(returning: DispatchedArrival(start: start, foundFreeUser: true))
    }
    // The users run at once: all other work of the loop can wait until they have started.
    executor.drainNow()
    if isStopped {
      release()
    } else if shared.withQueue({ $0.isOver(at: now) && !$0.hasWaiting }) ?? true {
      shared.endWaitsOnceOver(now: now)
    } else {
      arm()
    }
  }

  private var hasParked: Bool { !fresh.isEmpty || !parked.isEmpty }

  private func takeParked(at now: Instant) -> UnsafeContinuation<DispatchedArrival?, Never>? {
    let isIdleTooLong = parked.first.map { now.elapsed(since: $0.since) >= Self.longestIdle } ?? false
    if isIdleTooLong { return parked.popFirst()?.continuation }
    return (fresh.popFirst() ?? parked.popLast())?.continuation
  }

  private func release() {
    while let user = fresh.popFirst() ?? parked.popFirst() {
      _ = shared.withQueue { $0.unparked() }
      user.continuation.resume(returning: nil)
    }
  }
}
