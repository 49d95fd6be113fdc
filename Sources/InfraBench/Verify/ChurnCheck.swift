import AWS
import Gateway
import Latency
import LoadEngine
import Synchronization
import TextFormatting
import Transport

/// Users come and go at a rate while faults play; then the faults end, and the pool must be back at its target.
struct ChurnCheck: Sendable {
  let site: VerifySite
  /// The control address; nil: no faults play.
  let faults: FaultControl?
  /// The gateway's ECS endpoint, which is asked too where its faults play; nil: it is not.
  let ecs: ECSConnection?

  /// The most users at one time.
  static let mostUsers = 200
  /// How long a user who was answered stays.
  static let stay: Nanoseconds = .milliseconds(300)

  func perform() async throws(BenchmarkFailure) -> (outcome: CheckOutcome, run: LoadRun?) {
    guard site.profile.session != nil || site.profile.acquire != nil && site.profile.release != nil else {
      return (.notTested("the profile '\(site.profile.name)' has neither a user's side nor acquire and release"), nil)
    }
    let watch = site.pool.map { ChurnWatch(site, $0) }
    defer { watch?.pool.close() }
    let before = await watch?.pool.look()
    if let watch {
      guard let size = await watch.pool.waitUntilFull(within: site.settings.recovery) else {
        return (.notTested("the pool had no warm tasks within \(site.settings.recovery) to begin with"), nil)
      }
      watch.expect(size)
    }
    if let before {
      site.recorder.happened(
        "the pool has \(before.warmCount) warm tasks, \(before.tasks?.count ?? before.warmCount) in all")
    }
    if let faults, let plan = site.settings.faults {
      try await faults.begin(plan)
      site.recorder.happened("faults begin: \(plan.prefix(120))")
    }
    let tally = ChurnTally()
    let watching = Task { await watch?.watch() }
    let asking = Task { await askECS() }
    let run = await LoadRun.perform(
      ChurnScenario(site: site, tally: tally), plan: plan, catalogue: VerifyBenchmark.catalogue, on: site.session.loops,
      headline: VerifyBenchmark.visit.response, timeline: site.settings.timeline)
    watching.cancel()
    asking.cancel()
    await watching.value
    await asking.value
    let end = MonotonicClock.now()
    site.recorder.merge(run.recording)
    site.recorder.happened("all users have left")
    var lastFault = end
    if let faults {
      guard let (report, lastAt) = await faults.end() else {
        return (.notTested("the gateway did not tell which faults had struck"), run)
      }
      lastFault = max(end, lastAt ?? end)
      note(report)
      guard report.injected > 0 || Task.isCancelled else {
        return (.notTested("no fault of --faults struck: the run may have been too short for them"), run)
      }
    }
    guard !Task.isCancelled else { return (.notTested("the run was interrupted"), run) }
    guard tally.counts.served > 0 else {
      return (.notTested("none of \(tally.counts.asked) users was served"), run)
    }
    guard let watch else {
      return (.tested(except: "the pool was not watched: \(site.reasonWithoutPool)"), run)
    }
    await recover(watch, since: lastFault)
    let isCounted = await compareCounts(watch, before, tally.counts)
    return (.tested(except: watch.unseen(isCounted: isCounted)), run)
  }

  /// Asks ECS for the pool's tasks again and again, as what keeps a pool does. Each call must end with an answer or with
  /// an error that has a name; throttled calls are made again by the client.
  private func askECS() async {
    guard let ecs else { return }
    while !Task.isCancelled {
      do throws(AWSError) {
        _ = try await ecs.client.listTasks(ecs.filter)
        site.recorder.visited(nil)
      } catch {
        guard !Task.isCancelled else { return }
        site.recorder.happened("ECS refuses: \(error)")
        site.recorder.visited(VisitFailure(kind: .refused, code: "ecs: \(error.kind.rawValue)", text: "\(error)"))
      }
      try? await Task.sleep(for: .milliseconds(500))
    }
  }

  private var plan: LoadPlan {
    let schedule = ArrivalSchedule(rate: site.settings.rate, arrival: .poisson(seed: site.settings.seed))
    var plan = LoadPlan.openLoop(
      schedule, users: Self.mostUsers, count: nil, duration: site.settings.duration, warmup: .iterations(0))
    plan.drainBound = site.settings.timeout + .seconds(5)
    return plan
  }

  private func note(_ report: FaultControl.Report) {
    let kinds = Dictionary(report.faults.map { ($0.fault, $0.injected) }, uniquingKeysWith: +).filter { $0.value > 0 }
    let text = kinds.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
    site.recorder.happened("faults end: \(text.isEmpty ? "none struck" : text)")
    if !text.isEmpty { site.session.bench.note("faults that struck: \(text)") }
  }

  /// Waits until the pool is at its target and no task is left to the users who are gone.
  private func recover(_ watch: ChurnWatch, since begin: Instant) async {
    let target = watch.targetSize
    let (status, doneAt) = await watch.pool.wait(for: site.settings.recovery) { status in
      watch.check(status)
      return status.warmCount >= target && own(status).isEmpty
    }
    guard !Task.isCancelled else { return }
    if let doneAt {
      let recovery = doneAt.elapsed(since: begin)
      site.recorder.sample(VerifyBenchmark.recovery, recovery)
      return site.recorder.happened("the pool is at its target, and no task is left, \(recovery) after the last fault")
    }
    guard let status else {
      site.recorder.sample(VerifyBenchmark.recovery, nil)
      return site.recorder.violated(.notRecovered, "the gateway told no status within \(site.settings.recovery)")
    }
    let left = own(status)
    if !left.isEmpty {
      site.recorder.violated(
        .leakedTasks,
        "\(left.count) tasks are still assigned to users who have left, \(site.settings.recovery) after the last fault: "
          + left.prefix(5).map { "\($0.taskId) (\($0.userId ?? ""))" }.joined(separator: ", "),
        users: Set(left.compactMap(\.userId)), tasks: Set(left.map(\.taskId)), by: UInt64(left.count))
    }
    if status.warmCount < target {
      site.recorder.sample(VerifyBenchmark.recovery, nil)
      site.recorder.violated(
        .notRecovered,
        "\(status.warmCount) of \(target) tasks are warm, \(site.settings.recovery) after the last fault")
    }
  }

  /// The tasks of this run's users, all of whom have left.
  private func own(_ status: StatusAnswer) -> [TaskEntry] {
    status.tasks?.filter { $0.state == "assigned" && site.isOwn($0.userId) } ?? []
  }

  /// Compares the gateway's count of assignments with the users': each user who was served was assigned a task, and
  /// nobody was assigned more than one by one request. False where the gateway's count is not of this run's users alone.
  private func compareCounts(
    _ watch: ChurnWatch, _ before: StatusAnswer?, _ counts: (asked: Int, served: Int)
  ) async -> Bool {
    guard let first = before?.assignments, let last = await watch.pool.look()?.assignments, !watch.sawOthers else {
      return false
    }
    let assigned = last - first
    site.recorder.happened(
      "the gateway has assigned \(assigned) tasks; \(counts.served) of \(counts.asked) requests were served")
    guard assigned < counts.served || assigned > counts.asked else { return true }
    site.recorder.violated(
      .miscounted,
      "the gateway counts \(assigned) assignments, and \(counts.served) of \(counts.asked) requests of users were served"
    )
    return true
  }
}

/// How many requests the users of a churn made, and how many were served.
private final class ChurnTally: Sendable {
  private let state = Mutex((asked: 0, served: 0))

  var counts: (asked: Int, served: Int) { state.withLock { $0 } }
  func asked() { state.withLock { $0.asked += 1 } }
  func served() { state.withLock { $0.served += 1 } }
}

/// One visit: a user comes, is answered, stays for a moment and leaves.
private struct ChurnScenario: Scenario {
  let site: VerifySite
  let tally: ChurnTally

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> Int { number }

  func perform(_ user: Int, _ iteration: Iteration, into record: inout IterationRecord) async {
    let visit = UserVisit(site, user: user)
    tally.asked()
    do throws(VisitFailure) {
      let entry = try await visit.enter(isRecorded: false)
      tally.served()
      var answer: UserVisit.Answer?
      if let role = site.profile.session, !role.isLazy { answer = try await visit.ask(site.greeting) }
      let operation = entry.source == "cold" ? VerifyBenchmark.visitCold : VerifyBenchmark.visit
      record.sample(operation, from: entry.askedAt, to: entry.end(answer))
      record.keepSamples()
      if let failure = await visit.listen(for: ChurnCheck.stay), failure.kind != .cancelled {
        site.recorder.happened("loses the session: \(failure.words)", user: visit.id, task: visit.task)
        record.fail("session_lost", failure.words)
      }
    } catch {
      fail(error, visit, into: &record)
    }
    if let wroteAt = visit.wroteAt { record.wrote(at: wroteAt) }
    await visit.leave()
  }

  private func fail(_ failure: VisitFailure, _ visit: UserVisit, into record: inout IterationRecord) {
    switch failure.kind {
    case .cancelled: record.censor()
    case .missed: record.count(VerifyBenchmark.misses)
    case .refused: record.fail(failure.code, failure.text)
    // Faults break connections; nothing else may.
    case .ended where site.settings.faults != nil: record.fail(failure.code, failure.text)
    case .ended, .unanswered:
      record.fail(failure.code, failure.text)
      let task = visit.task.map { Set([$0]) } ?? []
      site.recorder.violated(
        .unanswered, "\(visit.id) was told nothing: \(failure.words)", users: [visit.id], tasks: task)
    }
  }
}

/// Watches the pool while users come and go.
private final class ChurnWatch: Sendable {
  private struct State {
    var targetSize = 0
    var worstExcess = 0
    var sawOwn = false
    var sawOthers = false
    var knowsLimits = false
  }

  let pool: PoolStatusReader
  private let site: VerifySite
  private let state = Mutex(State())

  private static let every: Nanoseconds = .milliseconds(250)

  init(_ site: VerifySite, _ pool: PoolStatusReader) {
    self.site = site
    self.pool = pool
  }

  /// The warm tasks that the pool is to have again: the target that the gateway tells, else those that it had before.
  var targetSize: Int { state.withLock { max(1, $0.targetSize) } }

  /// Notes how many warm tasks the pool has at rest.
  func expect(_ size: Int) { state.withLock { $0.targetSize = size } }

  /// What could not be seen, for the reader; nil where all was.
  func unseen(isCounted: Bool) -> String? {
    let (sawOwn, knowsLimits) = state.withLock { ($0.sawOwn, $0.knowsLimits) }
    let parts = [
      sawOwn ? nil : "leaked tasks (the gateway's status does not show the users of tasks)",
      knowsLimits ? nil : "the pool's limits (the status does not tell them)",
      isCounted ? nil : "both sides' counts (the status tells none, or has others' users)",
    ].compactMap(\.self)
    return parts.isEmpty ? nil : "not seen: \(PlainText.list(parts, "and"))"
  }

  /// Whether a task of another run's user was seen.
  var sawOthers: Bool { state.withLock { $0.sawOthers } }

  /// Looks again and again until the task is cancelled.
  func watch() async {
    while !Task.isCancelled {
      if let status = await pool.look() { check(status) }
      try? await Task.sleep(for: Self.every)
    }
  }

  /// Compares a status with the pool's limits. Only a worse excess than before is a new violation.
  func check(_ status: StatusAnswer) {
    let tasks = status.tasks ?? []
    let others = tasks.contains { $0.state == "assigned" && $0.userId != nil && !site.isOwn($0.userId) }
    let own = tasks.contains { site.isOwn($0.userId) }
    state.withLock { state in
      state.sawOthers = state.sawOthers || others
      state.sawOwn = state.sawOwn || own
      state.knowsLimits = state.knowsLimits || status.limits != nil && status.tasks != nil
      state.targetSize = status.limits?.targetSize ?? state.targetSize
    }
    // A pool without tasks of its own takes those that connect.
    guard let limits = status.limits, limits.maxTasks > 0, status.tasks != nil else { return }
    let idle = tasks.count { $0.state != "assigned" }
    let excess = max(tasks.count - limits.maxTasks, idle - limits.maxSize)
    let isWorse = state.withLock { state in
      guard excess > state.worstExcess else { return false }
      state.worstExcess = excess
      return true
    }
    guard isWorse else { return }
    site.recorder.violated(
      .excessTasks,
      "the pool has \(tasks.count) tasks, \(idle) of them warm or starting: more than \(limits.maxTasks) in all, or "
        + "\(limits.maxSize) warm or starting")
  }
}
