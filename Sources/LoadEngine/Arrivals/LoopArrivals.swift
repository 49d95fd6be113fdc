import Latency
import NIOCore
import Transport

/// One loop's part of an open loop: its free users, and the timer for the next start.
final class LoopArrivals: @unchecked Sendable {
  // @unchecked: every mutable property is touched on the loop's thread only.

  /// A start, and whether a user had been free when it came due.
  struct DispatchedArrival: Sendable {
    var start: ArrivalQueue.Start
    var foundFreeUser: Bool
  }

  private typealias Parked = UnsafeContinuation<DispatchedArrival?, Never>

  private let executor: LoopExecutor
  private let shared: SharedArrivals
  private let isPrecise: Bool
  /// The user that was free the longest goes first, so that no connection idles until its server closes it.
  private var parked = FIFO<Parked>()
  private var timer: (firesAt: Instant, scheduled: Scheduled<Void>)?
  private var isSpinning = false
  /// When the spinning for the next start began.
  private var spinsSince: Instant?
  private var isStopped = false

  /// With `--precise` so much time right before a start is spun away: more than a timer is usually late.
  private static let spinLead: Nanoseconds = .microseconds(50)
  /// In the last part of it the sockets are not looked at, which takes about as long.
  private static let tightLead: Nanoseconds = .microseconds(5)

  init(_ shared: SharedArrivals, on executor: LoopExecutor, isPrecise: Bool) {
    self.shared = shared
    self.executor = executor
    self.isPrecise = isPrecise
  }

  /// The next start for a user that has been free since `since`; `isFirst` says that it comes for the first time.
  /// Nil when there is none any more. To be called on the loop.
  func next(since: Instant, isFirst: Bool) async -> DispatchedArrival? {
    if isFirst { executor.betweenBatches = { [unowned self] in serveIfDue() } }
    let now = MonotonicClock.now()
    let answer = shared.withQueue { queue in
      // A user that is parked had been free for what this one takes.
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
        parked.append(continuation)
        if isStopped { release() } else { arm() }
      }
    }
  }

  /// Ends the waits of all users, from any thread.
  func stop() {
    executor.eventLoop.execute {
      self.isStopped = true
      self.timer?.scheduled.cancel()
      self.executor.betweenBatches = nil
      self.release()
    }
  }

  /// The timer's work where its instant has passed and the loop has not come to it: between two shares of many answers.
  private func serveIfDue() {
    guard let timer, MonotonicClock.now() >= timer.firesAt else { return }
    timer.scheduled.cancel()
    self.timer = nil
    approach()
  }

  /// Sets the timer for the next start, unless it is set to no later.
  private func arm() {
    guard !isSpinning, !parked.isEmpty else { return }
    guard let wakeAt = shared.withQueue({ $0.nextWakeAt }) ?? nil else {
      // Another loop has just taken the last start.
      return executor.eventLoop.execute { self.serve() }
    }
    let firesAt = isPrecise ? wakeAt - Self.spinLead : wakeAt
    if let timer {
      guard firesAt < timer.firesAt else { return }
      timer.scheduled.cancel()
    }
    let scheduled = executor.eventLoop.assumeIsolated().scheduleTask(deadline: NIODeadline(firesAt)) {
      self.timer = nil
      self.approach()
    }
    timer = (firesAt, scheduled)
  }

  /// Waits for the instant itself where that is asked for, with the sockets looked at meanwhile.
  private func approach() {
    isSpinning = false
    guard isPrecise, !isStopped else { return serve() }
    while true {
      // Read anew each time, which keeps the queue in the processor's cache.
      guard let wakeAt = shared.withQueue({ $0.nextWakeAt }) ?? nil else { return serve() }
      let now = MonotonicClock.now()
      spinsSince = spinsSince ?? now
      guard now < wakeAt else { return serve() }
      // Another loop has taken what this one was waiting for.
      guard wakeAt - now <= Self.spinLead else {
        endSpin(at: now)
        return arm()
      }
      if wakeAt - now > Self.tightLead {
        isSpinning = true
        return executor.eventLoop.assumeIsolated().execute { self.approach() }
      }
    }
  }

  private func endSpin(at now: Instant) {
    if let begin = spinsSince.take() { executor.spunFor += now.elapsed(since: begin) }
  }

  /// Hands out what is due.
  private func serve() {
    let now = MonotonicClock.now()
    endSpin(at: now)
    while !parked.isEmpty, let start = shared.withQueue({ $0.takeForParked(at: now) }) ?? nil {
      parked.popFirst()?.resume(returning: DispatchedArrival(start: start, foundFreeUser: true))
    }
    // At once: everything else can wait for the starts.
    executor.drainNow()
    if isStopped {
      release()
    } else if shared.withQueue({ $0.isOver(at: now) && !$0.hasWaiting }) ?? true {
      shared.endWaitsOnceOver(now: now)
    } else {
      arm()
    }
  }

  private func release() {
    while let user = parked.popFirst() {
      _ = shared.withQueue { $0.unparked() }
      user.resume(returning: nil)
    }
  }
}
