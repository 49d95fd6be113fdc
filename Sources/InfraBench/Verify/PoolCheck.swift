import Latency
import LoadEngine
import Results

/// A promise of a pool that bench-verify checks.
package enum PoolCheck: String, Sendable, CaseIterable {
  case fallback, resume, storm, isolation, churn

  /// What must hold.
  var claim: String {
    switch self {
    case .fallback:
      "users who come to an exhausted pool are served, or refused by a named error, and the pool is warm again afterwards"
    case .resume: "a user who returns gets another task, and finds the files as they were, with modes 0700 and 0600"
    case .storm:
      "a user who connects and leaves in quick succession has one task at most, and the last connection works"
    case .isolation: "no user sees another user's secrets: in files, in processes or in answers"
    case .churn:
      "no task is given to two users, every request ends in time, the pool keeps its limits, and it recovers"
    }
  }

  /// The counters of its violations.
  var counters: [VerifyCounter] {
    switch self {
    case .fallback: [.fallbackFailed, .unanswered, .duplicateAssignments]
    case .resume: [.lostFiles, .resumeFailed, .unanswered, .duplicateAssignments]
    case .storm: [.stormLeaked, .stormFailed, .unanswered, .duplicateAssignments]
    case .isolation: [.isolationViolations, .outputCrosstalk, .unanswered, .duplicateAssignments]
    case .churn:
      [.duplicateAssignments, .unanswered, .leakedTasks, .excessTasks, .miscounted, .notRecovered]
    }
  }

  /// Whether it takes warm tasks that real users would get.
  var drains: Bool { self == .fallback || self == .churn }
}

/// What bench-verify counts as a violation. Each must be 0.
enum VerifyCounter: String, CaseIterable, Sendable {
  /// A user of an exhausted pool was left without a word, or the pool was not warm again.
  case fallbackFailed = "fallback_failed"
  /// A request without an answer within the time-out.
  case unanswered
  /// A file that a user had written and did not find again.
  case lostFiles = "lost_files"
  /// A user who returned was not served, was given a stopped task, or found wrong modes.
  case resumeFailed = "resume_failed"
  /// Tasks of a user beyond the one that the user's connection has.
  case stormLeaked = "storm_leaked"
  case stormFailed = "storm_failed"
  /// What a user could see or change of another user's files or processes.
  case isolationViolations = "isolation_violations"
  /// A message with another user's secret.
  case outputCrosstalk = "output_crosstalk"
  /// A task that was given to a user while another one had it.
  case duplicateAssignments = "duplicate_assignments"
  /// Tasks that are still assigned to users who have left.
  case leakedTasks = "leaked_tasks"
  /// Tasks beyond the pool's limits.
  case excessTasks = "excess_tasks"
  /// Assignments that only the gateway or only the users know of.
  case miscounted
  /// The pool was not full again in time after the last fault.
  case notRecovered = "not_recovered"

  var counter: Counter { VerifyBenchmark.catalogue.counter(rawValue) }
}

/// What happened during one check, and which of it was a violation. Pure; memory is bounded.
struct CheckHistory {
  /// The most events that are kept to explain a violation that may come.
  static let mostRecent = 20_000
  /// The most violations of a counter with a history, the most events of one, and the most events of a check without violations.
  static let (mostOfACounter, mostOfAViolation, mostWithout) = (25, 30, 60)

  private struct Entry {
    var number: Int
    var event: CheckRecord.Event
  }

  private struct Broken {
    var t: Double
    var counter: VerifyCounter
    var what: String
    var events: [Entry]
  }

  /// The first events, and the recent ones.
  private var first: [Entry] = []
  private var recent: [Entry] = []
  private var count = 0
  private var broken: [Broken] = []
  private(set) var brokenCount = 0

  mutating func add(_ event: CheckRecord.Event) {
    let entry = Entry(number: count, event: event)
    count += 1
    if first.count < Self.mostWithout { first.append(entry) }
    recent.append(entry)
    // Half is dropped at once, so that an event costs constant time on average.
    if recent.count > 2 * Self.mostRecent { recent.removeFirst(Self.mostRecent) }
  }

  /// Notes a violation. Its history is what happened before to these users and tasks, the latest events of it.
  mutating func violated(
    _ counter: VerifyCounter, _ what: String, t: Double, users: Set<String>, tasks: Set<String>
  ) {
    brokenCount += 1
    // Some of each counter, so that many of one kind do not hide another kind.
    guard broken.count(where: { $0.counter == counter }) < Self.mostOfACounter else { return }
    let isOfAll = users.isEmpty && tasks.isEmpty
    var story: [Entry] = []
    for entry in recent.reversed() where story.count < Self.mostOfAViolation {
      let isInvolved =
        entry.event.user.map(users.contains) ?? false || entry.event.task.map(tasks.contains) ?? false
      if isInvolved || isOfAll { story.append(entry) }
    }
    broken.append(Broken(t: t, counter: counter, what: what, events: story.reversed()))
  }

  /// The check's record. Its verdict is that of the violations alone; thresholds may allow them.
  func record(of check: PoolCheck, begin: Double, end: Double, reason: String?, isTested: Bool) -> CheckRecord {
    var kept: [Int: CheckRecord.Event] = [:]
    for entry in broken.isEmpty ? first : broken.flatMap(\.events) { kept[entry.number] = entry.event }
    let numbers = kept.keys.sorted()
    let places = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, $0) })
    return CheckRecord(
      name: check.rawValue, claim: check.claim,
      // A violation that was seen stands, even where the check could not be finished.
      verdict: brokenCount > 0 ? .fail : isTested ? .pass : .notTested, reason: reason, begin: begin,
      seconds: end - begin, counters: check.counters.map(\.rawValue),
      violations: broken.map { violation in
        .init(
          t: violation.t, counter: violation.counter.rawValue, what: violation.what,
          events: violation.events.compactMap { places[$0.number] })
      },
      events: numbers.compactMap { kept[$0] }, eventsLeftOut: count - numbers.count)
  }
}
