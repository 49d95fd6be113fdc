package import Latency
import Synchronization
import Results

/// Decides from polls when a drained pool is full again. Pure: the events bring their instants.
///
/// Refilled means that as many new tasks are there at one time as were drained. Never counted as new are
///  - tasks that any view showed before the drain (a task that vanishes for one poll and returns is not new), and
///  - tasks that this tool was given: the cold fallback's own task serves a user, so that it is no part of the refilled
///    pool.
package struct RefillTracker: Sendable {
  /// The source that shows a task, from the weakest evidence to the strictest.
  package enum View: String, Sendable, CaseIterable {
    /// ECS lists it: its *desired* status is RUNNING, while it may still be pending.
    case listed
    /// ECS describes it as RUNNING.
    case running
    /// The gateway has it as a warm task.
    case warm

    /// The key of its counts in a result's timeline.
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
  /// The number of tasks drained; nil while the drain is not over.
  package private(set) var drainedCount: Int?
  /// t₀; nil until it is known.
  package private(set) var clockStart: Instant?

  private var histories: [View: RefillHistory] = [:]
  private var before: Set<String> = []
  private var unnamedBefore = 0
  private var taken: Set<String> = []
  /// Whether the gateway tells how many tasks are warm, but not which.
  private var isWarmBare = false
  /// Whether a bare count has been seen that no longer includes the drained tasks.
  private var hasFallen: Bool
  private var drainBeganAt: Instant?
  private var drainedAt: Instant = .distantFuture

  /// The time from sending the first drain call to the answer to the last one; nil while the drain is not over.
  package var drainLength: Nanoseconds? {
    drainBeganAt.flatMap { begin in drainedCount == nil ? nil : drainedAt.elapsed(since: begin) }
  }

  /// - Parameters:
  ///   - views: the views that are polled, at least one.
  ///   - known: the tasks of earlier cycles, which are not new either.
  ///   - countFallsLate: true where ECS stops the tasks: the gateway learns of that later, so that its warm count falls
  ///     only after the drain.
  package init(views: [View], known: Set<String> = [], countFallsLate: Bool = false) {
    self.views = View.allCases.filter(views.contains)
    before = known
    hasFallen = !countFallsLate
  }

  /// Every task that was seen or taken so far, which are old ones in the next cycle.
  package var known: Set<String> { histories.values.reduce(into: before.union(taken)) { $0.formUnion($1.tasks) } }

  /// The view that decides. It is the strictest one, as a listed task need not run, and a running one need not be warm.
  /// A bare warm count that was full before the tasks ran cannot have counted them: then `running` decides.
  package var strictest: View {
    guard isWarmBare, views.contains(.running), views.last == .warm else { return views.last ?? .listed }
    guard let warm = fullRefill(.warm) else { return hasFallen ? .warm : .running }
    return fullRefill(.running).map { $0.earliest > warm.latest } ?? false ? .running : .warm
  }

  /// Whether the decision also needs the view `running`, because a bare count alone is weak evidence.
  package var needsRunning: Bool { isWarmBare && views.contains(.running) }

  /// Adds the result of a poll. Tasks shown before the drain are old ones.
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
    // A bare count does not tell new tasks from old ones that are not yet taken.
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

  /// The last drain call was answered; `count` of the old tasks were taken.
  package mutating func drained(_ count: Int, at instant: Instant) {
    drainedCount = count
    drainedAt = instant
  }

  /// Sets t₀: the answer to the last drain call, or to the last release.
  package mutating func startClock(at instant: Instant) {
    clockStart = instant
  }

  /// When a view showed the first new task.
  package func firstRefill(_ view: View) -> RefillTime? { time(view, count: 1) }

  /// When a view showed as many new tasks as were drained.
  package func fullRefill(_ view: View) -> RefillTime? { drainedCount.flatMap { time(view, count: $0) } }

  /// By name: when a view first showed each new task. Tasks that are only counted have no name and are left out.
  package func taskRefills(_ view: View) -> [String: RefillTime] {
    guard let clockStart, let history = histories[view] else { return [:] }
    return history.firstSeen().filter { isNew($0.key) }.mapValues { RefillTime($0, since: clockStart) }
  }

  /// The number of new tasks in the last poll.
  package func refilledCount(_ view: View) -> Int {
    histories[view]?.lastCount(excluding: taken, unnamedBefore: remainingUnnamed) ?? 0
  }

  /// Whether a task is new: it was not there before the drain, and this tool was not given it.
  package func isNew(_ task: String) -> Bool { !before.contains(task) && !taken.contains(task) }

  private func time(_ view: View, count: Int) -> RefillTime? {
    guard let clockStart, count > 0,
      let crossing = histories[view]?.crossing(to: count, excluding: taken, unnamedBefore: remainingUnnamed)
    else { return nil }
    return RefillTime(crossing, since: clockStart)
  }

  private var remainingUnnamed: Int { max(0, unnamedBefore - (drainedCount ?? 0)) }
}

/// The time from t₀ to an event, as exactly as the polls tell.
package struct RefillTime: Sendable, Equatable {
  /// The time until the last poll was sent that did not show the event; zero where that was before t₀.
  package var earliest: Nanoseconds
  /// The time until the first poll was answered that showed the event, which thresholds judge; zero where that was
  /// before t₀.
  package var latest: Nanoseconds

  /// The times from `clockStart` to `crossing`.
  package init(_ crossing: ObservedTransition, since clockStart: Instant) {
    earliest = crossing.lastNegativeSentAt.elapsed(since: clockStart)
    latest = crossing.firstPositiveAnsweredAt.elapsed(since: clockStart)
  }

  /// The width of the interval.
  package var resolution: Nanoseconds { latest - earliest }
}

/// The tasks that one poll showed, by the last parts of their ARNs.
package struct TaskSnapshot: Sendable, Equatable {
  /// When the request was sent.
  package var sentAt: Instant
  /// When the answer was read.
  package var answeredAt: Instant
  package var tasks: Set<String>
  /// The number of tasks that were counted but not named: some gateways tell `warmCount` alone.
  package var unnamed: Int
  /// Tasks that this poll neither shows nor denies.
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

/// The two instants between which an event happened.
package struct ObservedTransition: Sendable, Equatable {
  /// When the last poll was sent that did not show the event; ``Instant/distantPast`` if there was none.
  package var lastNegativeSentAt: Instant
  /// When the first poll was answered that showed the event.
  package var firstPositiveAnsweredAt: Instant
}

/// The snapshots of one view in order. Equal ones in a row are kept as one, so that a quiet pool takes no memory.
///
/// Crossings are searched afterwards, because it may be known only later which tasks don't count.
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

  /// When `count` tasks were there at one time, without `excluded` ones and the first `unnamedBefore` unnamed ones.
  ///
  /// A task counts as gone only after two polls without it. A poll that misses a task does not prove that it was
  /// absent, and where the next poll shows it again, it counts as present in between. A poll that leaves open whether
  /// enough tasks are there is no denial.
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

  /// By task: when it was first there.
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

  /// The number of tasks in the last snapshot, without those that don't count.
  func lastCount(excluding excluded: Set<String>, unnamedBefore: Int) -> Int {
    spans.last.map { $0.tasks.subtracting(excluded).count + max(0, $0.unnamed - unnamedBefore) } ?? 0
  }
}

/// The tracker, shared between the task that polls and the task that drains.
final class SharedRefillTracker: Sendable {
  private struct State {
    var tracker: RefillTracker
    var isColdFallbackPending = true
  }

  private let state: Mutex<State>

  init(_ tracker: RefillTracker) {
    state = Mutex(State(tracker: tracker))
  }

  /// A copy of the tracker's present state.
  var tracker: RefillTracker { state.withLock { $0.tracker } }

  /// Whether the cold fallback still waits for its task: until then it is unknown which new task is not the pool's.
  var isColdFallbackPending: Bool { state.withLock { $0.isColdFallbackPending } }

  func update(_ body: (inout RefillTracker) -> Void) {
    state.withLock { body(&$0.tracker) }
  }

  /// The cold fallback has ended, or the drain has no cold fallback.
  func coldFallbackEnded() {
    state.withLock { $0.isColdFallbackPending = false }
  }

  func observe(_ poll: PoolPoll) {
    update { tracker in
      for (view, snapshot) in poll.snapshots { tracker.observe(view, snapshot) }
    }
  }
}
