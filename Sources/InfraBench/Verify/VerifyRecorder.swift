import Latency
import LoadEngine
import Results
import Synchronization

/// Takes what the checks of a run measure and find, from any thread. One check runs at a time.
final class VerifyRecorder: Sendable {
  private struct State {
    var recording = Recording(VerifyBenchmark.catalogue)
    var finished: [CheckRecord] = []
    var current: (check: PoolCheck, begin: Double, history: CheckHistory)?
    /// The tries of each metric, and those of them that gave no sample of it.
    var failures: [Metric: FailedPart] = [:]
    /// By task: the user who has it.
    var owners: [String: String] = [:]
  }

  let beganAt: Instant
  private let state = Mutex(State())

  init(beganAt: Instant) { self.beganAt = beganAt }

  var recording: Recording { state.withLock { $0.recording } }

  /// By metric: how many tries failed, of all.
  var failures: [String: FailedPart] {
    let catalogue = VerifyBenchmark.catalogue
    return state.withLock { state in
      catalogue.metrics.reduce(into: [:]) { $0[$1] = state.failures[catalogue.metric($1)] }
    }
  }

  /// The records of the checks that are over, and of one that was interrupted.
  var checks: [CheckRecord] {
    state.withLock { state in
      let interrupted = state.current.map {
        $0.history.record(
          of: $0.check, begin: $0.begin, end: seconds(at: MonotonicClock.now()), reason: "the run was interrupted",
          isTested: false)
      }
      return state.finished + [interrupted].compactMap(\.self)
    }
  }

  private func seconds(at instant: Instant) -> Double { instant.elapsed(since: beganAt).seconds }

  // MARK: Checks

  func begin(_ check: PoolCheck) {
    let now = seconds(at: MonotonicClock.now())
    state.withLock { $0.current = (check, now, CheckHistory()) }
  }

  /// Ends the present check.
  func end(_ outcome: CheckOutcome) {
    let now = seconds(at: MonotonicClock.now())
    state.withLock { state in
      guard let (check, begin, history) = state.current.take() else { return }
      let (reason, isTested) =
        switch outcome {
        case .tested(let reason): (reason, true)
        case .notTested(let reason): (Optional(reason), false)
        }
      state.finished.append(history.record(of: check, begin: begin, end: now, reason: reason, isTested: isTested))
    }
  }

  /// Adds a check that was not begun.
  func leaveOut(_ check: PoolCheck, because reason: String) {
    begin(check)
    end(.notTested(reason))
  }

  // MARK: What happens

  func happened(_ what: String, user: String? = nil, task: String? = nil, at instant: Instant = MonotonicClock.now()) {
    let event = CheckRecord.Event(t: seconds(at: instant), user: user, task: task, what: what)
    state.withLock { $0.current?.history.add(event) }
  }

  /// Counts a violation, with what happened to these users and tasks as its history.
  func violated(
    _ counter: VerifyCounter, _ what: String, users: Set<String> = [], tasks: Set<String> = [], by number: UInt64 = 1
  ) {
    let now = seconds(at: MonotonicClock.now())
    state.withLock { state in
      state.recording.count(counter.counter, by: number)
      state.current?.history.violated(counter, what, t: now, users: users, tasks: tasks)
    }
  }

  /// Notes that `user` was given `task`. One that another user has is a violation.
  func gave(_ task: String, to user: String) {
    let other = state.withLock { state -> String? in
      defer { state.owners[task] = user }
      return state.owners[task]
    }
    guard let other else { return }
    violated(
      .duplicateAssignments, "task \(task) was given to \(user) while \(other) had it", users: [user, other],
      tasks: [task])
  }

  /// Notes that a task goes back. From the moment at which its user begins to leave, a gateway may give it to somebody
  /// else.
  func takesBack(_ task: String) { state.withLock { $0.owners[task] = nil } }

  // MARK: What is measured

  /// Adds a visit of a user as an iteration; nil: it went as asked.
  func visited(_ failure: VisitFailure?) {
    var record = IterationRecord()
    switch failure?.kind {
    // A miss is no error: it has a counter of its own.
    case nil, .missed?: break
    case .cancelled?: record.censor()
    case .refused?, .ended?, .unanswered?:
      record.fail(failure?.code ?? "", failure?.text ?? "")
    }
    let now = MonotonicClock.now()
    state.withLock { state in
      state.recording.add(record, dueAt: now)
      if failure?.kind == .missed { state.recording.count(VerifyBenchmark.misses) }
    }
  }

  /// Adds a sample of a metric; nil: the try gave none.
  func sample(_ metric: Metric, _ latency: Nanoseconds?) {
    state.withLock { state in
      if let latency { state.recording.sample(metric, latency) }
      state.failures[metric, default: .none].all += 1
      if latency == nil { state.failures[metric, default: .none].failed += 1 }
    }
  }

  /// Adds what the load engine has recorded.
  func merge(_ other: Recording) { state.withLock { $0.recording.merge(other) } }
}

/// How a check ended.
enum CheckOutcome: Sendable {
  /// It was tried; `except` is the part of it that could not be.
  case tested(except: String? = nil)
  case notTested(String)
}
