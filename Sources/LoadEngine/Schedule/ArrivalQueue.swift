import Latency

/// The open loop's queue of starts, one for all event loops. Any free user takes a due start; without a free user the
/// start waits or is dropped.
///
/// Pure: instants are passed in. Waiting starts cost no memory, because the queue passes through the same schedule
/// twice: one pass counts the starts that are due, the other yields the starts that are taken. Where starts are dropped
/// instead of waiting, those that belong to free users are kept, at most one per user.
///
/// Problem: a user is free when its last answer has been read, but the queue learns that only when the user's task
/// runs. So a drop is provisional for a while. When a user comes that had been free at the start's instant, it takes
/// the start late; if it takes another one, the generator missed this start, which counts as late.
struct ArrivalQueue {
  /// The bounds of a run and its warm-up.
  struct Bounds {
    /// The number of measured starts of all shards; nil is no bound.
    var count: Int?
    /// From the end of the warm-up; nil is no bound.
    var duration: Nanoseconds?
    var warmup: LoadPlan.Warmup
    /// The part of the schedule whose starts come due here.
    var shard = Shard.whole
  }

  /// One iteration, and when it was due.
  struct Start: Equatable {
    var iteration: Iteration
    var intendedAt: Instant
  }

  /// What a free user does next.
  enum Answer: Equatable {
    case start(Start)
    /// The user waits. It counts as parked until it takes a start or is unparked.
    case parked
    case over
  }

  private var coming: DueStarts
  private var upcoming: Start?
  private var taking: DueStarts
  private var reserved = FIFO<Start>()
  /// The latest drops, oldest first: a user may turn out to have been free for them.
  private var provisional = FIFO<Start>()
  private let dropsWhenBusy: Bool
  private let users: Int
  private var parked = 0
  /// Users that are free from the beginning and have not called yet, because their loop is late.
  private var awaited: Int
  /// Users that have been told that no start will come any more.
  private var gone = 0
  private var waitingInLine: UInt64 = 0
  private var latest = Instant.distantPast
  private var closedAt: Instant?
  private var isClosed: Bool { closedAt != nil }

  /// The most provisional drops; older ones are final. With this many missed starts their lateness alone shows that the
  /// generator is saturated.
  private static let mostProvisional = 4096

  /// When the measured part began; nil before.
  private(set) var measurementStartedAt: Instant?
  /// The most measured starts that waited at one time while no user was free for them.
  private(set) var backlogMax: UInt64 = 0
  /// Measured starts that have come due: always the sum of the taken, dropped, abandoned and waiting ones.
  private(set) var due: UInt64 = 0
  /// Measured starts that a user took.
  private(set) var taken: UInt64 = 0
  /// Measured starts that found no free user and were given up.
  private(set) var dropped: UInt64 = 0
  /// Dropped starts that a user had been free for: the generator missed them.
  private(set) var missed: UInt64 = 0
  /// How late the generator came to the missed starts.
  private(set) var missedLateness: LatencyHistogram?
  /// Measured starts that waited when the queue was closed.
  private(set) var abandoned: UInt64 = 0
  /// When the last start is expected to come due; nil for a schedule without end.
  let expectedEnd: Instant?

  /// `awaited` users are free from the beginning.
  init(_ schedule: ArrivalSchedule, bounds: Bounds, dropsWhenBusy: Bool, beginsAt: Instant, awaited: Int = 0) {
    coming = DueStarts(schedule, bounds: bounds, beginsAt: beginsAt)
    taking = coming
    upcoming = coming.next()
    expectedEnd = DueStarts.expectedEnd(schedule, bounds: bounds, beginsAt: beginsAt)
    self.dropsWhenBusy = dropsWhenBusy
    self.awaited = awaited
    users = awaited
  }

  /// Measured starts that are due and wait for a user.
  var waiting: UInt64 { due - taken - dropped - abandoned }

  /// A user is free: it gets the oldest waiting start, or parks, or is told that no start will come any more.
  ///
  /// - Parameters:
  ///   - now: the present instant.
  ///   - since: when the user became free; `now` unless given.
  ///   - wasAwaited: whether the user has been free from the beginning and calls for the first time.
  mutating func userBecameFree(at now: Instant, since: Instant? = nil, wasAwaited: Bool = false) -> Answer {
    advance(to: now)
    if wasAwaited { awaited -= 1 }
    let droppedSince = takeDropped(after: since ?? now)
    if let start = takeOldest() {
      miss(droppedSince[...], at: now)
      return .start(start)
    }
    if let start = droppedSince.first {
      undrop(start)
      miss(droppedSince.dropFirst(), at: now)
      return .start(start)
    }
    guard nextWakeAt != nil else {
      gone += 1
      return .over
    }
    parked += 1
    return .parked
  }

  /// Takes the oldest due start for a parked user, which is then no longer parked; nil if no start is due.
  mutating func takeForParked(at now: Instant) -> Start? {
    advance(to: now)
    guard let start = takeOldest() else { return nil }
    parked -= 1
    // The user was free all the time, so the generator, not the target, caused the drops since then.
    miss(takeDropped(after: start.intendedAt)[...], at: now)
    return start
  }

  /// A parked user left without a start.
  mutating func unparked() {
    parked -= 1
    gone += 1
    if reserved.count > free, let start = reserved.popLast(), !start.iteration.isWarmup { dropped += 1 }
  }

  /// Whether a user is still free. If so, a free user was there for the start that another user has just taken.
  var hasFreeUsers: Bool { free > 0 }

  /// Whether no user performs an iteration: each is parked or has been told that the run is over.
  var isQuiet: Bool { parked + gone >= users }

  /// Parked users, and those that will call as soon as their loop runs them.
  private var free: Int { parked + awaited }

  /// When the next start is due, or else when the run is over; nil when neither will happen. The run can end before
  /// that instant, when the last of `count` starts is taken.
  var nextWakeAt: Instant? {
    if isClosed || isFulfilled { return nil }
    // Another loop has advanced the queue, so the start is due already.
    if parked > 0, hasWaiting { return latest }
    if let upcoming { return upcoming.intendedAt }
    return coming.endsAt.flatMap { $0 > latest ? $0 : nil }
  }

  /// Whether the run is over: by time, because all of `count` starts are taken or dropped, or because no start will
  /// come due any more. Starts that came due before the end by time are still handed out after it.
  mutating func isOver(at now: Instant) -> Bool {
    advance(to: now)
    if isClosed || isFulfilled { return true }
    if let endsAt = coming.endsAt { return latest >= endsAt }
    return upcoming == nil && !hasWaiting
  }

  /// Whether the last start has come due; waiting starts may still be handed out.
  mutating func hasEnded(at now: Instant) -> Bool {
    advance(to: now)
    return isClosed || upcoming == nil && (coming.endsAt.map { latest >= $0 } ?? true)
  }

  /// When starts ended, at the latest when the queue was closed; nil as long as starts come due.
  var startsEndedAt: Instant? { [coming.startsEndAt, closedAt].compactMap(\.self).min() }

  /// Ends the run: starts that are due by now and not taken are abandoned, and no start will be handed out any more.
  mutating func close(at now: Instant) {
    advance(to: now)
    abandoned += waiting
    closedAt = closedAt ?? now
    upcoming = nil
    waitingInLine = 0
    reserved.removeAll()
  }

  /// Whether a due start has not been taken.
  var hasWaiting: Bool { waitingInLine > 0 || reserved.count > 0 }

  private var isFulfilled: Bool { upcoming == nil && coming.isCountReached && !hasWaiting }

  /// Events of different threads can come in out of order; the queue's time never goes back.
  private mutating func advance(to now: Instant) {
    latest = max(latest, now)
    guard !isClosed else { return }
    while let start = upcoming, start.intendedAt <= latest {
      upcoming = coming.next()
      comeDue(start)
    }
    if measurementStartedAt == nil, let begin = coming.measurementBeginsAt, begin <= latest,
      coming.endsAt.map({ begin < $0 }) ?? true
    {
      measurementStartedAt = begin
    }
    if waitingInLine > UInt64(free) { backlogMax = max(backlogMax, min(waiting, waitingInLine - UInt64(free))) }
  }

  private mutating func comeDue(_ start: Start) {
    if !start.iteration.isWarmup {
      due += 1
    }
    if !dropsWhenBusy {
      waitingInLine += 1
    } else if reserved.count < free {
      reserved.append(start)
    } else {
      drop(start)
    }
  }

  private mutating func drop(_ start: Start) {
    if !start.iteration.isWarmup { dropped += 1 }
    provisional.append(start)
    if provisional.count > Self.mostProvisional { _ = provisional.popFirst() }
  }

  /// Takes the drops after `instant`, oldest first, for a user that has been free since then. Earlier drops stay,
  /// because a user that has been free even longer may still call.
  private mutating func takeDropped(after instant: Instant) -> [Start] {
    guard !isClosed, let last = provisional.last, last.intendedAt > instant else { return [] }
    var starts: [Start] = []
    while let start = provisional.last, start.intendedAt > instant {
      starts.append(start)
      _ = provisional.popLast()
    }
    return starts.reversed()
  }

  private mutating func undrop(_ start: Start) {
    guard !start.iteration.isWarmup else { return }
    dropped -= 1
    taken += 1
  }

  /// Counts `starts` as missed: they stay dropped, and the generator caused that.
  private mutating func miss(_ starts: ArraySlice<Start>, at now: Instant) {
    for start in starts where !start.iteration.isWarmup {
      missed += 1
      if missedLateness == nil { missedLateness = LatencyHistogram() }
      missedLateness?.record(max(1, now.elapsed(since: start.intendedAt)))
    }
  }

  private mutating func takeOldest() -> Start? {
    let start: Start?
    if dropsWhenBusy {
      start = reserved.popFirst()
    } else if waitingInLine > 0 {
      waitingInLine -= 1
      start = taking.next()
    } else {
      start = nil
    }
    if let start, !start.iteration.isWarmup { taken += 1 }
    return start
  }
}
