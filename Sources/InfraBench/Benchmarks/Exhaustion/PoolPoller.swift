import AWS
import Gateway
import Latency
import LoadEngine
import Transport
package import Results
import TextFormatting

/// Polls ECS and the gateway, both at the same time, at a fixed interval. Only one task may use it.
struct PoolPoller {
  private typealias Benchmark = ExhaustionBenchmark
  private static let listTasks = Benchmark.catalogue.metric("ecs_list_tasks")
  private static let polls = Benchmark.catalogue.counter("polls")
  private static let throttledPolls = Benchmark.catalogue.counter("throttled_polls")
  private static let lostPolls = Benchmark.catalogue.counter("lost_polls")

  /// When the first poll was due.
  let startedAt = MonotonicClock.now()
  private(set) var recording = Recording(Benchmark.catalogue)
  private(set) var timeline: PoolTimeline
  private(set) var rate: PollRate
  /// The polls whose ListTasks was not answered. A poll is lost too where only its DescribeTasks or the gateway failed.
  private(set) var unlisted: UInt64 = 0
  /// The views that are polled, the strictest one last.
  let views: [RefillTracker.View]

  private let gateway: GatewayClient?
  private var ecs: ECSPoolView?
  private let bench: RunContext
  private var schedule: PollSchedule

  /// A poller of ECS, of the gateway, or of both; nil for the one that is not polled.
  init(gateway: GatewayClient?, ecs: ECSPoolView?, interval: Nanoseconds, bench: RunContext) {
    self.gateway = gateway
    self.ecs = ecs
    self.bench = bench
    views = (ecs == nil ? [] : [.listed, .running]) + (gateway == nil ? [] : [.warm])
    timeline = PoolTimeline(views: views)
    rate = PollRate(interval: interval)
    schedule = PollSchedule(interval: interval, from: MonotonicClock.now())
  }

  /// ECS's own times of tasks' starts.
  var startPhases: ECSStartPhases { ecs?.startPhases ?? ECSStartPhases() }

  /// Waits until the next poll is due, and polls; nil when the task is cancelled.
  ///
  /// Polls that were missed because one took longer than the interval are skipped.
  mutating func poll(retry: RetryPolicy = .never) async -> PoolPoll? {
    let now = MonotonicClock.now()
    if now < schedule.nextAt { try? await Task.sleep(for: schedule.nextAt - now) }
    guard !Task.isCancelled else { return nil }
    schedule.polls(at: MonotonicClock.now())
    var poll = PoolPoll()
    // A copy is given to the child task and returned with its changes.
    let view = ecs
    async let look = Self.look(view, retry: retry)
    if let gateway { poll.add(await gateway.status()) }
    if let (result, learnt) = await look {
      poll.add(result)
      ecs = learnt
      if !learnt.foreign.isEmpty {
        bench.note("ECS lists tasks that are not of this pool (by group, startedBy or family): they were left out")
      }
    }
    guard !Task.isCancelled else { return nil }
    record(poll)
    return poll
  }

  /// An error of ECS that every later poll would meet too; nil if there was none.
  private(set) var refusal: AWSError?

  /// Counts ECS's refusal as a failure of the run.
  mutating func refuse(_ error: AWSError) {
    refusal = error
    fail(error.resultKind, error.description)
  }

  /// Counts a failure of the run.
  mutating func fail(_ kind: String, _ message: String) {
    recording.fail(kind, message)
  }

  private static func look(
    _ view: ECSPoolView?, retry: RetryPolicy
  ) async -> (Result<ECSPoolView.Look, AWSError>, ECSPoolView)? {
    guard var view else { return nil }
    return (await view.look(retry: retry), view)
  }

  private mutating func record(_ poll: PoolPoll) {
    recording.count(Self.polls)
    if ecs != nil, poll.snapshots[.listed] == nil { unlisted += 1 }
    for latency in poll.listLatencies { recording.sample(Self.listTasks, latency) }
    if poll.isThrottled { recording.count(Self.throttledPolls) }
    if poll.gap == "lost" { recording.count(Self.lostPolls) }
    if poll.throttledTries > 0 {
      bench.note("the first look at ECS was throttled and tried again: it is no gap, as nothing was drained yet")
    }
    if poll.snapshots[.running]?.unknown.isEmpty == false {
      bench.note("ECS listed tasks that DescribeTasks did not know (MISSING): such a look says nothing of them")
    }
    for loss in poll.losses { bench.note("a poll was lost: \(loss)") }
    let answeredAt = poll.snapshots.values.map(\.answeredAt).max() ?? MonotonicClock.now()
    rate.add(isWhole: poll.gap == nil, at: answeredAt)
    var counts: [RefillTracker.View: Int] = [:]
    for view in poll.snapshots.keys { counts[view] = poll.count(view) }
    timeline.add(
      PoolTimeline.Point(
        seconds: answeredAt.elapsed(since: startedAt).seconds, counts: counts, gap: poll.gap))
  }
}

/// The result of one poll; a view that could not be read is nil.
struct PoolPoll: Sendable {
  var snapshots: [RefillTracker.View: TaskSnapshot] = [:]
  var listLatencies: [Nanoseconds] = []
  /// The number of tries that ECS throttled before it answered; not 0 only in a poll that is retried.
  var throttledTries = 0
  /// ECS throttled the poll, which is a gap.
  var isThrottled = false
  /// Why views are missing, in words.
  var losses: [String] = []
  /// An error of ECS that every later poll would meet too.
  var refusal: AWSError?
  /// The number of tasks that the gateway knows and that are neither warm nor assigned yet.
  var warmingCount = 0

  /// Why a view is missing, in one word; nil for a complete poll.
  var gap: String? { isThrottled ? "throttled" : losses.isEmpty && refusal == nil ? nil : "lost" }

  /// The number of tasks that a view shows; nil where it is missing.
  func count(_ view: RefillTracker.View) -> Int? { snapshots[view].map { $0.tasks.count + $0.unnamed } }

  /// Whether no task is starting, so that later changes are the drain's effect.
  var isSettled: Bool { warmingCount == 0 && count(.listed) == count(.running) }

  mutating func add(_ status: Result<(StatusAnswer, HTTPExchange), GatewayError>) {
    switch status {
    case .success(let (status, exchange)):
      let named = status.tasks?.filter { $0.state == "warm" || $0.state == "ready" }.map(\.taskId)
      warmingCount = status.tasks?.count { $0.state == "warming" } ?? 0
      snapshots[.warm] = TaskSnapshot(
        sentAt: exchange.firstByteWrittenAt, answeredAt: exchange.lastByteReadAt, tasks: Set(named ?? []),
        unnamed: named == nil ? max(0, status.warmCount) : 0)
    case .failure(let error) where error.isCancellation: break
    case .failure(let error): losses.append("the gateway's status: \(error)")
    }
  }

  mutating func add(_ look: Result<ECSPoolView.Look, AWSError>) {
    switch look {
    case .success(let look):
      snapshots[.listed] = look.listed
      snapshots[.running] = look.running
      listLatencies = look.listLatencies
      throttledTries = look.throttles
      if let error = look.failure { add(error) }
    case .failure(let error): add(error)
    }
  }

  private mutating func add(_ error: AWSError) {
    if error.transfer?.kind == .cancelled { return }
    if error.kind == .throttled {
      isThrottled = true
    } else if error.isFinal {
      refusal = error
    } else {
      losses.append("ECS: \(error)")
    }
  }
}

/// The pool by ECS: which tasks are listed, and which of them are RUNNING.
///
/// `ListTasks(desiredStatus=RUNNING)` lists tasks that are still PROVISIONING or PENDING too, so that each task is
/// described until it has been seen RUNNING. A task that is listed but not described (`MISSING`: ECS's answers lag) may
/// run or not: such a poll leaves its state unknown.
struct ECSPoolView: Sendable {
  /// The result of one poll of ECS.
  struct Look: Sendable {
    var listed: TaskSnapshot
    /// nil where the tasks were listed but could not be described.
    var running: TaskSnapshot?
    var failure: AWSError?
    /// The latency of each `ListTasks` call: of the try that was answered.
    var listLatencies: [Nanoseconds]
    /// The number of tries that ECS throttled before the calls were answered.
    var throttles = 0
  }

  let connection: ECSConnection
  /// ECS's own start times of all tasks that were seen RUNNING.
  private(set) var startPhases = ECSStartPhases()

  private var seenRunning: Set<String> = []
  /// Listed tasks that are not of the pool: not every endpoint filters its lists.
  private(set) var foreign: Set<String> = []

  init(_ connection: ECSConnection) {
    self.connection = connection
  }

  /// Polls ECS once. Only the first poll may be retried: a retry would blur a later poll's times, while a missed poll
  /// only leaves a gap.
  mutating func look(retry: RetryPolicy) async -> Result<Look, AWSError> {
    let (client, filter) = (connection.client, connection.filter)
    do throws(AWSError) {
      let list = try await client.listTasks(filter, retry: retry)
      let calls = list.calls.map(\.timings)
      guard let first = calls.first, let last = calls.last else {
        return .failure(AWSError(.malformedAnswer, message: "ecs:ListTasks was not called"))
      }
      seenRunning.formIntersection(list.value)
      foreign.formIntersection(list.value)
      let unknown = list.value.filter { !seenRunning.contains($0) && !foreign.contains($0) }
      var describedAt = last.answeredAt
      var throttles = list.calls.map(\.throttles).reduce(0, +)
      var missing = Self.names(unknown)
      var failure: AWSError?
      do throws(AWSError) {
        let description = try await client.describeTasks(unknown, cluster: filter.cluster, retry: retry)
        learn(description.value)
        missing.subtract(Self.names(description.value.map(\.taskArn)))
        throttles += description.calls.map(\.throttles).reduce(0, +)
        describedAt = description.calls.last?.timings.answeredAt ?? describedAt
      } catch {
        failure = error
      }
      // Denials count from the sending of the list request, which is before that of the description.
      return .success(
        Look(
          listed: TaskSnapshot(
            sentAt: first.sentAt, answeredAt: last.answeredAt,
            tasks: Self.names(list.value.filter { !foreign.contains($0) })),
          running: failure == nil
            ? TaskSnapshot(
              sentAt: first.sentAt, answeredAt: describedAt, tasks: Self.names(seenRunning),
              unknown: missing) : nil,
          failure: failure, listLatencies: calls.map { $0.answeredAt - $0.sentAt }, throttles: throttles))
    } catch {
      return .failure(error)
    }
  }

  private mutating func learn(_ tasks: [ECSTask]) {
    for task in tasks {
      if !connection.filter.admits(task) {
        foreign.insert(task.taskArn)
      } else if task.isRunning, task.desiredStatus != "STOPPED" {
        seenRunning.insert(task.taskArn)
        startPhases.note(task)
      }
    }
  }

  /// The last parts of ARNs, which are the gateway's names for the same tasks.
  private static func names(_ arns: some Sequence<String>) -> Set<String> {
    Set(arns.map { $0.split(separator: "/").last.map(String.init) ?? $0 })
  }
}

/// The real rate of polls, which limits the resolution of every time.
struct PollRate: Sendable, Equatable {
  /// The interval that was asked for.
  let interval: Nanoseconds
  private(set) var answered: UInt64 = 0
  private(set) var lost: UInt64 = 0
  /// The longest time between the answers to two complete polls in a row.
  private(set) var longestGap: Nanoseconds = .zero
  private var firstAnswer: Instant?
  private var lastAnswer: Instant?

  init(interval: Nanoseconds) { self.interval = interval }

  /// Notes a poll that ended at `instant`; `isWhole` if no view was missing.
  mutating func add(isWhole: Bool, at instant: Instant) {
    // A gap that lasts until the end of the run counts too.
    if let lastAnswer { longestGap = max(longestGap, instant.elapsed(since: lastAnswer)) }
    guard isWhole else { return lost += 1 }
    answered += 1
    firstAnswer = firstAnswer ?? instant
    lastAnswer = instant
  }

  /// Complete polls a second, without lost ones; nil before the second one.
  var effective: Double? {
    guard let firstAnswer, let lastAnswer, lastAnswer > firstAnswer else { return nil }
    return Double(answered - 1) / (lastAnswer - firstAnswer).seconds
  }

  /// `1.96/s of 2.00/s, longest gap 1.02 s, 3 polls lost`.
  var finding: String? {
    guard let effective else { return nil }
    let asked = interval > .zero ? " of \(NumberText.decimals(1 / interval.seconds, 2))/s" : ""
    let losses = lost == 0 ? "" : lost == 1 ? ", 1 poll lost" : ", \(lost) polls lost"
    return "\(NumberText.decimals(effective, 2))/s\(asked), longest gap \(RefillFinding.seconds(longestGap)) s\(losses)"
  }
}

/// The pool's counts over time, of bounded length: when it is full, every second point is removed.
package struct PoolTimeline: Sendable, Equatable {
  /// The counts of one poll; a count that could not be read is nil, which is a gap in the timeline.
  package struct Point: Sendable, Equatable {
    /// Seconds since the first poll was sent.
    package var seconds: Double
    package var counts: [RefillTracker.View: Int]
    /// Why a view is missing here, or was missing in a removed point next to it: `throttled` or `lost`; nil where none
    /// was.
    package var gap: String?

    package init(seconds: Double, counts: [RefillTracker.View: Int], gap: String? = nil) {
      self.seconds = seconds
      self.counts = counts
      self.gap = gap
    }
  }

  package private(set) var points: [Point] = []
  private let views: [RefillTracker.View]
  private let limit: Int
  private var stride = 1
  private var untilNext = 0
  /// The latest point, if it was skipped: the end of a run is always shown.
  private var passedOver: Point?

  /// A timeline of at most `limit` points (2 or more) for these views.
  package init(views: [RefillTracker.View], limit: Int = 1_200) {
    self.views = views
    self.limit = max(2, limit)
  }

  /// Adds the latest point.
  package mutating func add(_ point: Point) {
    var point = point
    // A gap is kept when the point that showed it is removed.
    point.gap = point.gap ?? passedOver?.gap
    passedOver = point
    guard untilNext == 0 else { return untilNext -= 1 }
    if points.count == limit { thinOut() }
    points.append(point)
    passedOver = nil
    untilNext = stride - 1
  }

  private mutating func thinOut() {
    points = points.indices.filter { $0.isMultiple(of: 2) }.map { index in
      var kept = points[index]
      if index + 1 < points.endIndex { kept.gap = kept.gap ?? points[index + 1].gap }
      return kept
    }
    stride *= 2
  }

  /// The timeline as results store it.
  package var document: ResultTimeline {
    let all = points + (passedOver.map { [$0] } ?? [])
    return ResultTimeline(
      all.map { point -> ResultTimeline.Row in
        var row: ResultTimeline.Row = [:]
        row[.t] = .double(point.seconds)
        for view in views { row[view.key] = point.counts[view].map { .int(Int64($0)) } ?? .null }
        row[.gap] = point.gap.map { .string($0) }
        return row
      })
  }
}
