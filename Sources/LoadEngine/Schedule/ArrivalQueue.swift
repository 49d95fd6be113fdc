import Latency

/// The open loop's one global queue, for all event loops: a due start is taken by any free user; without one it waits.
///
/// Pure: instants are passed in. However many starts wait, they cost no memory: of two passes through the same schedule
/// one counts what is due and the other yields what is taken. When starts are dropped instead of waiting, those that
/// belong to free users are kept, at most one each.
///
/// A user is free when its last answer has been read, and the queue learns of that later, when the user's task gets to
/// run. So a drop is provisional for a while: when a user comes that had been free when the start was due, the start is
/// that user's, late, or else it was missed by the generator and counts as late.
struct ArrivalQueue {
  /// What ends a run, and what is left out of its measurement.
  struct Bounds {
    /// Measured starts; nil is no bound.
    var count: Int?
    /// From the end of the warm-up; nil is no bound.
    var duration: Nanoseconds?
    var warmup: LoadPlan.Warmup
  }

  /// One iteration, and when it was due.
  struct Start: Equatable {
    var iteration: Iteration
    var intendedAt: Instant
  }

  /// What a free user does next.
  enum Answer: Equatable {
    case start(Start)
    /// Waits: it is counted as parked until it takes a start or is unparked.
    case parked
    case over
  }

  private var coming: DueStarts
  private var upcoming: Start?
  private var taking: DueStarts
  private var reserved = FIFO<Start>()
  /// The latest drops, oldest first, of which a user may turn out to have been free.
  private var provisional = FIFO<Start>()
  private let dropsWhenBusy: Bool
  private let users: Int
  private var parked = 0
  /// Users that are free from the beginning and have not come yet, as their loop is late.
  private var awaited: Int
  /// Users that have learned that there will be no start any more.
  private var gone = 0
  private var waitingInLine: UInt64 = 0
  private var latest = Instant.distantPast
  private var closedAt: Instant?
  private var isClosed: Bool { closedAt != nil }

  /// Older drops than this many are final. The lateness of these says by itself that the generator is saturated.
  private static let mostProvisional = 4096

  /// When the measured part began; nil before.
  private(set) var measurementStartedAt: Instant?
  /// The most measured starts that waited at one time while no user was free for them.
  private(set) var backlogMax: UInt64 = 0
  /// Measured starts that have come due. At every moment these are the taken, dropped, abandoned and waiting ones.
  private(set) var due: UInt64 = 0
  /// Measured starts that a user took.
  private(set) var taken: UInt64 = 0
  /// Measured starts that found no free user and do not wait.
  private(set) var dropped: UInt64 = 0
  /// Those of them that a user had been free for: it was the generator that missed them.
  private(set) var missed: UInt64 = 0
  /// How late the generator came to those.
  private(set) var missedLateness: LatencyHistogram?
  /// Measured starts that waited when the queue was closed.
  private(set) var abandoned: UInt64 = 0
  /// When every start is expected to have come due; nil for a schedule without end.
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

  /// A user is free: it gets the oldest waiting start, or parks, or learns that there will be none. It has been free
  /// since `since`; since `now` unless given. One that `wasAwaited` has been free from the beginning, and comes for the
  /// first time.
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

  /// A parked user's turn: the oldest due start, and the user is no longer parked; nil if none is due.
  mutating func takeForParked(at now: Instant) -> Start? {
    advance(to: now)
    guard let start = takeOldest() else { return nil }
    parked -= 1
    // It did nothing until now: what was dropped meanwhile was not the target's doing.
    miss(takeDropped(after: start.intendedAt)[...], at: now)
    return start
  }

  /// A parked user left without a start.
  mutating func unparked() {
    parked -= 1
    gone += 1
    if reserved.count > free, let start = reserved.popLast(), !start.iteration.isWarmup { dropped += 1 }
  }

  /// Whether a user is free: when another one has just taken a start, this one had been free for it.
  var hasFreeUsers: Bool { free > 0 }

  /// Whether nobody performs anything: every user is parked or has learned that it is over.
  var isQuiet: Bool { parked + gone >= users }

  /// Parked users, and those that will come as soon as their loop comes to them.
  private var free: Int { parked + awaited }

  /// When the next start is due, or else when the run is over; nil when nothing more will happen by itself.
  /// The taking of the last of `count` starts can end the run before that instant.
  var nextWakeAt: Instant? {
    if isClosed || isFulfilled { return nil }
    // Somebody else's look at the clock has made it come due.
    if parked > 0, hasWaiting { return latest }
    if let upcoming { return upcoming.intendedAt }
    return coming.endsAt.flatMap { $0 > latest ? $0 : nil }
  }

  /// Whether the run is over: by time, as all of `count` are taken or dropped, or as no start will ever be due. Starts
  /// that were due before the end by time are still handed out after it.
  mutating func isOver(at now: Instant) -> Bool {
    advance(to: now)
    if isClosed || isFulfilled { return true }
    if let endsAt = coming.endsAt { return latest >= endsAt }
    return upcoming == nil && !hasWaiting
  }

  /// Whether every start that there will be has come due: what still happens is the serving of those that wait.
  mutating func hasEnded(at now: Instant) -> Bool {
    advance(to: now)
    return isClosed || upcoming == nil && (coming.endsAt.map { latest >= $0 } ?? true)
  }

  /// When no start was due any more, as the run was closed at the latest; nil as long as starts come due.
  var startsEndedAt: Instant? { [coming.startsEndAt, closedAt].compactMap(\.self).min() }

  /// Ends the run: what is due by now and not taken is abandoned, and no start will be handed out any more.
  mutating func close(at now: Instant) {
    advance(to: now)
    abandoned += waiting
    closedAt = closedAt ?? now
    upcoming = nil
    waitingInLine = 0
    reserved.removeAll()
  }

  /// Whether a start is due that nobody has taken.
  var hasWaiting: Bool { waitingInLine > 0 || reserved.count > 0 }

  private var isFulfilled: Bool { upcoming == nil && coming.isCountReached && !hasWaiting }

  /// Events of different threads can come in out of order: time does not go back.
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

  /// The drops after `instant`, oldest first: the user that comes now had been free since then. Earlier ones stay, as
  /// another user may come that had been free even longer.
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

  /// These starts stay dropped, and it was the generator's doing.
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
