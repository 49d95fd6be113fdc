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
  }

  /// The views that are polled.
  package let views: [View]
  /// How many tasks were drained; nil while the drain is not over.
  package private(set) var drainedCount: Int?
  /// t₀, in ns of `MonotonicClock`; nil until it is known.
  package private(set) var clockStart: UInt64?

  private var histories: [View: RefillHistory] = [:]
  private var before: Set<String> = []
  private var unnamedBefore = 0
  private var taken: Set<String> = []
  /// Whether the gateway tells how many tasks are warm, but not which.
  private var isWarmBare = false
  /// Whether a bare count has been seen without the drained tasks. Until then it still has them in it.
  private var hasFallen: Bool
  private var drainBeganAt: UInt64?
  private var drainedAt: UInt64 = .max

  /// From the first drain call's sending to the last one's answer, in ns; nil while the drain is not over.
  package var drainLength: UInt64? {
    drainBeganAt.flatMap { begin in drainedCount == nil ? nil : drainedAt - min(begin, drainedAt) }
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
  package mutating func observe(_ view: View, _ sighting: Sighting) {
    guard drainBeganAt != nil else {
      before.formUnion(sighting.tasks)
      if view == .warm {
        unnamedBefore = sighting.unnamed
        isWarmBare = sighting.unnamed > 0
      }
      return
    }
    var sighting = sighting
    sighting.tasks.subtract(before)
    sighting.unknown.subtract(before)
    if view == .warm, sighting.sentAt >= drainedAt, sighting.unnamed <= remainingUnnamed { hasFallen = true }
    // A bare count cannot tell old tasks that are not yet taken from new ones.
    if sighting.sentAt < drainedAt || !hasFallen { sighting.unnamed = 0 }
    histories[view, default: RefillHistory()].add(sighting)
  }

  /// The first drain call is about to be sent.
  package mutating func drainBegins(at instant: UInt64) {
    drainBeganAt = instant
  }

  /// This tool was given a task.
  package mutating func took(_ task: String) {
    taken.insert(task)
  }

  /// The last drain call was answered; `count` of the tasks that were there before are taken.
  package mutating func drained(_ count: Int, at instant: UInt64) {
    drainedCount = count
    drainedAt = instant
  }

  /// From now on times run: the answer to the last drain call, or to the last release.
  package mutating func startClock(at instant: UInt64) {
    clockStart = instant
  }

  /// When the first new task was there.
  package func firstRefill(_ view: View) -> RefillTime? { time(view, count: 1) }

  /// When as many new tasks were there as were drained.
  package func fullRefill(_ view: View) -> RefillTime? { drainedCount.flatMap { time(view, count: $0) } }

  /// When each new task was first there, by its name. Tasks that are counted but not named are not among them.
  package func taskRefills(_ view: View) -> [String: RefillTime] {
    guard let clockStart, let history = histories[view] else { return [:] }
    return history.firstSightings().filter { isNew($0.key) }.mapValues { RefillTime($0, since: clockStart) }
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

/// How long after t₀ something became true, as exactly as the polls tell. In ns.
package struct RefillTime: Sendable, Equatable {
  /// The sending of the last poll that did not show it; 0 where that was before t₀.
  package var earliest: UInt64
  /// The answer to the first poll that showed it: what thresholds judge. 0 where that was before t₀.
  package var latest: UInt64

  /// The times of `crossing` after `clockStart`.
  package init(_ crossing: Crossing, since clockStart: UInt64) {
    earliest = crossing.lastNegativeSentAt > clockStart ? crossing.lastNegativeSentAt - clockStart : 0
    latest = crossing.firstPositiveAnsweredAt > clockStart ? crossing.firstPositiveAnsweredAt - clockStart : 0
  }

  /// The width of what is not known.
  package var resolution: UInt64 { latest - min(earliest, latest) }
}
