package import Latency
import Synchronization
import Results

/// Decides from polls when a drained pool is full again. Pure: instants come with the events.
///
/// Refilled means: as many tasks that were not there before the drain as were drained, at one time. Never counted are
///  - tasks that any view showed before the drain (a task that vanishes for a poll and returns is not new), and
///  - tasks that this tool was given: the cold fallback's own task serves a user, so it is no part of the refilled pool.
package struct RefillTracker: Sendable {
  /// Who says that a task is there, from the weakest word to the strictest.
  package enum View: String, Sendable, CaseIterable {
    /// ECS lists it: its *desired* status is RUNNING, it may still be pending.
    case listed
    /// ECS describes it as RUNNING.
    case running
    /// The gateway has it waiting for a user.
    case warm

    /// Its counts in a result's timeline.
    var key: ResultTimeline.Key {
      switch self {
      case .listed: .listed
      case .running: .running
      case .warm: .warm
      }
    }
  }

  /// The views that are polled.
  package let views: [View]
  /// How many tasks were drained; nil while the drain is not over.
  package private(set) var drainedCount: Int?
  /// t₀; nil until it is known.
  package private(set) var clockStart: Instant?

  private var histories: [View: RefillHistory] = [:]
  private var before: Set<String> = []
  private var unnamedBefore = 0
  private var taken: Set<String> = []
  /// Whether the gateway tells how many tasks are warm, but not which.
  private var isWarmBare = false
  /// Whether a bare count has been seen without the drained tasks. Until then it still has them in it.
  private var hasFallen: Bool
  private var drainBeganAt: Instant?
  private var drainedAt: Instant = .distantFuture

  /// From the first drain call's sending to the last one's answer; nil while the drain is not over.
  package var drainLength: Nanoseconds? {
    drainBeganAt.flatMap { begin in drainedCount == nil ? nil : drainedAt.elapsed(since: begin) }
  }

  /// A tracker of `views`, at least one; `known` are tasks of earlier cycles, which are not new either. Whoever drains
  /// past the gateway must say that its count falls late: it learns of the drain by and by.
  package init(views: [View], known: Set<String> = [], countFallsLate: Bool = false) {
    self.views = View.allCases.filter(views.contains)
    before = known
    hasFallen = !countFallsLate
  }

  /// Every task that was seen or taken so far: to the next cycle none of them is new.
  package var known: Set<String> { histories.values.reduce(into: before.union(taken)) { $0.formUnion($1.tasks) } }

  /// The view that decides: a task that is listed need not run, and one that runs need not serve. A bare count that was up
  /// before the tasks ran is not about them.
  package var strictest: View {
    guard isWarmBare, views.contains(.running), views.last == .warm else { return views.last ?? .listed }
    guard let warm = fullRefill(.warm) else { return hasFallen ? .warm : .running }
    return fullRefill(.running).map { $0.earliest > warm.latest } ?? false ? .running : .warm
  }

  /// Whether the decision needs the view `running`: a bare count alone is weak.
  package var needsRunning: Bool { isWarmBare && views.contains(.running) }

  /// What a poll showed. Before the drain it tells which tasks are old.
  package mutating func observe(_ view: View, _ snapshot: TaskSnapshot) {
    guard drainBeganAt != nil else {
      before.formUnion(snapshot.tasks)
      if view == .warm {
        unnamedBefore = snapshot.unnamed
        isWarmBare = snapshot.unnamed > 0
      }
      return
    }
    var snapshot = snapshot
    snapshot.tasks.subtract(before)
    snapshot.unknown.subtract(before)
    if view == .warm, snapshot.sentAt >= drainedAt, snapshot.unnamed <= remainingUnnamed { hasFallen = true }
    // A bare count cannot tell old tasks that are not yet taken from new ones.
    if snapshot.sentAt < drainedAt || !hasFallen { snapshot.unnamed = 0 }
    histories[view, default: RefillHistory()].add(snapshot)
  }

  /// The first drain call is about to be sent.
  package mutating func drainBegins(at instant: Instant) {
    drainBeganAt = instant
  }

  /// This tool was given a task.
  package mutating func took(_ task: String) {
    taken.insert(task)
  }

  /// The last drain call was answered; `count` of the tasks that were there before are taken.
  package mutating func drained(_ count: Int, at instant: Instant) {
    drainedCount = count
    drainedAt = instant
  }

  /// From now on times run: the answer to the last drain call, or to the last release.
  package mutating func startClock(at instant: Instant) {
    clockStart = instant
  }

  /// When the first new task was there.
  package func firstRefill(_ view: View) -> RefillTime? { time(view, count: 1) }

  /// When as many new tasks were there as were drained.
  package func fullRefill(_ view: View) -> RefillTime? { drainedCount.flatMap { time(view, count: $0) } }

  /// When each new task was first there, by its name. Tasks that are counted but not named are not among them.
  package func taskRefills(_ view: View) -> [String: RefillTime] {
    guard let clockStart, let history = histories[view] else { return [:] }
    return history.firstSeen().filter { isNew($0.key) }.mapValues { RefillTime($0, since: clockStart) }
  }

  /// How many new tasks the last poll showed.
  package func refilledCount(_ view: View) -> Int {
    histories[view]?.lastCount(excluding: taken, unnamedBefore: remainingUnnamed) ?? 0
  }

  /// Whether a task counts: it was not there before the drain, and is none that this tool was given.
  package func isNew(_ task: String) -> Bool { !before.contains(task) && !taken.contains(task) }

  private func time(_ view: View, count: Int) -> RefillTime? {
    guard let clockStart, count > 0,
      let crossing = histories[view]?.crossing(to: count, excluding: taken, unnamedBefore: remainingUnnamed)
    else { return nil }
    return RefillTime(crossing, since: clockStart)
  }

  private var remainingUnnamed: Int { max(0, unnamedBefore - (drainedCount ?? 0)) }
}

/// How long after t₀ something became true, as exactly as the polls tell.
package struct RefillTime: Sendable, Equatable {
  /// The sending of the last poll that did not show it; zero where that was before t₀.
  package var earliest: Nanoseconds
  /// The answer to the first poll that showed it: what thresholds judge. Zero where that was before t₀.
  package var latest: Nanoseconds

  /// The times of `crossing` after `clockStart`.
  package init(_ crossing: ObservedTransition, since clockStart: Instant) {
    earliest = crossing.lastNegativeSentAt.elapsed(since: clockStart)
    latest = crossing.firstPositiveAnsweredAt.elapsed(since: clockStart)
  }

  /// The width of what is not known.
  package var resolution: Nanoseconds { latest - earliest }
}

/// What one look at the pool showed: a set of tasks, by the last parts of their ARNs.
package struct TaskSnapshot: Sendable, Equatable {
  /// When the question was sent.
  package var sentAt: Instant
  /// When the answer had been read.
  package var answeredAt: Instant
  package var tasks: Set<String>
  /// Tasks that were counted but not named: some gateways tell `warmCount` alone.
  package var unnamed: Int
  /// Tasks of which the look says neither that they are there nor that they are not.
  package var unknown: Set<String>

  package init(
    sentAt: Instant, answeredAt: Instant, tasks: Set<String>, unnamed: Int = 0, unknown: Set<String> = []
  ) {
    self.sentAt = sentAt
    self.answeredAt = answeredAt
    self.tasks = tasks
    self.unnamed = unnamed
    self.unknown = unknown
  }
}

/// Between which two instants something became true.
package struct ObservedTransition: Sendable, Equatable {
  /// When the last poll was sent that showed that it was not yet so; ``Instant/distantPast`` if none did.
  package var lastNegativeSentAt: Instant
  /// When the first poll was answered that showed it.
  package var firstPositiveAnsweredAt: Instant
}

/// The snapshots of one view in order, equal ones in a row kept as one, so that a quiet pool takes no memory.
///
/// Crossings are found afterwards, not on the way: which tasks don't count may be known only later.
struct RefillHistory: Sendable {
  private struct Span {
    var tasks: Set<String>
    var unnamed: Int
    var unknown: Set<String>
    let firstSentAt: Instant
    let firstAnsweredAt: Instant
    var lastSentAt: Instant

    var isSinglePoll: Bool { lastSentAt == firstSentAt }
  }

  private var spans: [Span] = []

  mutating func add(_ snapshot: TaskSnapshot) {
    if let last = spans.last, last.tasks == snapshot.tasks, last.unnamed == snapshot.unnamed,
      last.unknown == snapshot.unknown
    {
      spans[spans.count - 1].lastSentAt = snapshot.sentAt
    } else {
      spans.append(
        Span(
          tasks: snapshot.tasks, unnamed: snapshot.unnamed, unknown: snapshot.unknown, firstSentAt: snapshot.sentAt,
          firstAnsweredAt: snapshot.answeredAt, lastSentAt: snapshot.sentAt))
    }
  }

  /// When `count` tasks were there at one time, not counting `excluded` ones and the first `unnamedBefore` unnamed ones.
  ///
  /// It takes two polls to be gone: a task that is missing from a single poll is still there as far as "not yet" goes, and
  /// as far as "now" goes where the poll after that shows it again. A look that leaves open whether enough tasks are there
  /// denies nothing.
  func crossing(to count: Int, excluding excluded: Set<String>, unnamedBefore: Int) -> ObservedTransition? {
    var lastNegativeSentAt: Instant = .distantPast
    for (index, span) in spans.enumerated() {
      let previous = index > 0 ? spans[index - 1] : nil
      let next = index + 1 < spans.count ? spans[index + 1] : nil
      let missed = (previous?.tasks ?? []).subtracting(span.tasks)
      let unnamed = max(0, span.unnamed - unnamedBefore)
      let present = span.tasks.union(span.isSinglePoll ? missed.intersection(next?.tasks ?? []) : [])
      if present.subtracting(excluded).count + unnamed >= count {
        return ObservedTransition(lastNegativeSentAt: lastNegativeSentAt, firstPositiveAnsweredAt: span.firstAnsweredAt)
      }
      let possible = span.tasks.union(span.unknown)
      let lingering = possible.union(missed).subtracting(excluded).count
      let lingeringUnnamed = max(unnamed, (previous?.unnamed ?? 0) - unnamedBefore)
      if !span.isSinglePoll {
        if possible.subtracting(excluded).count + unnamed < count { lastNegativeSentAt = span.lastSentAt }
      } else if lingering + lingeringUnnamed < count {
        lastNegativeSentAt = span.firstSentAt
      }
    }
    return nil
  }

  /// When each task was first there.
  func firstSeen() -> [String: ObservedTransition] {
    var crossings: [String: ObservedTransition] = [:]
    for (index, span) in spans.enumerated() {
      for task in span.tasks where crossings[task] == nil {
        let denial = spans[..<index].last { !$0.unknown.contains(task) }
        crossings[task] = ObservedTransition(
          lastNegativeSentAt: denial?.lastSentAt ?? .distantPast, firstPositiveAnsweredAt: span.firstAnsweredAt)
      }
    }
    return crossings
  }

  /// Every task that was ever there.
  var tasks: Set<String> { spans.reduce(into: []) { $0.formUnion($1.tasks) } }

  /// How many tasks the last snapshot showed, beside those that don't count.
  func lastCount(excluding excluded: Set<String>, unnamedBefore: Int) -> Int {
    spans.last.map { $0.tasks.subtracting(excluded).count + max(0, $0.unnamed - unnamedBefore) } ?? 0
  }
}

/// The tracker, shared by the task that polls and the task that drains.
final class SharedRefillTracker: Sendable {
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
      for (view, snapshot) in poll.snapshots { tracker.observe(view, snapshot) }
    }
  }
}
