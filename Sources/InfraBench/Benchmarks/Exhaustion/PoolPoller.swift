import AWS
import Gateway
import Latency
import LoadEngine
import Transport
package import Results
import TextFormatting

/// Asks ECS and the gateway, both at the same time, on a fixed beat. One task owns it.
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
  /// Who is asked, the strictest word last.
  let views: [RefillTracker.View]

  private let gateway: GatewayClient?
  private var ecs: ECSPoolView?
  private let bench: RunContext
  private var nextAt = MonotonicClock.now()

  /// A poller of ECS, of the gateway, or of both.
  init(gateway: GatewayClient?, ecs: ECSPoolView?, interval: Nanoseconds, bench: RunContext) {
    self.gateway = gateway
    self.ecs = ecs
    self.bench = bench
    views = (ecs == nil ? [] : [.listed, .running]) + (gateway == nil ? [] : [.warm])
    timeline = PoolTimeline(views: views)
    rate = PollRate(interval: interval)
  }

  /// What ECS says of the starts of tasks.
  var startPhases: ECSStartPhases { ecs?.startPhases ?? ECSStartPhases() }

  /// Waits for the next beat and polls; nil when the task is cancelled.
  ///
  /// Beats that were missed, as a poll took longer than the interval, are left out.
  mutating func poll(retry: RetryPolicy = .never) async -> PoolPoll? {
    let now = MonotonicClock.now()
    if now < nextAt { try? await Task.sleep(for: nextAt - now) }
    guard !Task.isCancelled else { return nil }
    let late = MonotonicClock.now().elapsed(since: nextAt)
    nextAt += rate.interval * (late / max(.nanoseconds(1), rate.interval) + 1)
    var poll = PoolPoll()
    // The copy goes to the child task and comes back with what it has learnt.
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

  /// What ECS refused for good, if it did: no later poll would fare better.
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

/// What one poll brought: a view that could not be had is nil.
struct PoolPoll: Sendable {
  var snapshots: [RefillTracker.View: TaskSnapshot] = [:]
  var listLatencies: [Nanoseconds] = []
  /// Tries that ECS throttled before it answered: of a look that is tried again.
  var throttledTries = 0
  /// ECS asked for fewer calls: this poll is a gap.
  var isThrottled = false
  /// Why a view is missing, in words.
  var losses: [String] = []
  /// ECS refused in a way that no later poll changes.
  var refusal: AWSError?
  /// Tasks that the gateway knows and that are neither warm nor assigned yet.
  var warmingCount = 0

  /// Why a view is missing, in a word; nil for a whole look.
  var gap: String? { isThrottled ? "throttled" : losses.isEmpty && refusal == nil ? nil : "lost" }

  /// How many tasks a view shows; nil where it is missing.
  func count(_ view: RefillTracker.View) -> Int? { snapshots[view].map { $0.tasks.count + $0.unnamed } }

  /// Whether nothing is on its way: what comes after is the drain's doing.
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

/// The pool as ECS sees it: which tasks are listed, and which of them are RUNNING.
///
/// `ListTasks(desiredStatus=RUNNING)` lists tasks that are still PROVISIONING or PENDING too, so that each task is
/// described until it has been seen RUNNING. A task that is listed and not described (`MISSING`: ECS's answers lag) may run
/// or not: the look says nothing of it.
struct ECSPoolView: Sendable {
  /// What one poll showed.
  struct Look: Sendable {
    var listed: TaskSnapshot
    /// nil where the tasks could be listed and not described.
    var running: TaskSnapshot?
    var failure: AWSError?
    /// The latency of each `ListTasks` call: of the try that was answered.
    var listLatencies: [Nanoseconds]
    /// Tries that ECS throttled before the calls were answered.
    var throttles = 0
  }

  let connection: ECSConnection
  /// Of all tasks that were seen RUNNING.
  private(set) var startPhases = ECSStartPhases()

  private var seenRunning: Set<String> = []
  /// Listed, though they are not of the pool: not every endpoint filters its lists.
  private(set) var foreign: Set<String> = []

  init(_ connection: ECSConnection) {
    self.connection = connection
  }

  /// Looks once. The first look may be tried again; later ones may not: a gap is better than a time that is blurred.
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
      // Negative answers count from the sending of the list, which is earlier than that of the description.
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

  /// The last parts of ARNs, by which the gateway names the same tasks.
  private static func names(_ arns: some Sequence<String>) -> Set<String> {
    Set(arns.map { $0.split(separator: "/").last.map(String.init) ?? $0 })
  }
}

/// How often the pool was really looked at: what the resolution of every time rests on.
struct PollRate: Sendable, Equatable {
  /// As it was asked for.
  let interval: Nanoseconds
  private(set) var answered: UInt64 = 0
  private(set) var lost: UInt64 = 0
  /// Between the answers to two whole looks in a row.
  private(set) var longestGap: Nanoseconds = .zero
  private var firstAnswer: Instant?
  private var lastAnswer: Instant?

  init(interval: Nanoseconds) { self.interval = interval }

  /// A poll was over at `instant`; whole if no view was missing.
  mutating func add(isWhole: Bool, at instant: Instant) {
    // A gap that never ends is one too.
    if let lastAnswer { longestGap = max(longestGap, instant.elapsed(since: lastAnswer)) }
    guard isWhole else { return lost += 1 }
    answered += 1
    firstAnswer = firstAnswer ?? instant
    lastAnswer = instant
  }

  /// Whole looks a second, lost ones left out; nil before the second one.
  var effective: Double? {
    guard let firstAnswer, let lastAnswer, lastAnswer > firstAnswer else { return nil }
    return Double(answered - 1) / (lastAnswer - firstAnswer).seconds
  }

  /// `1.96/s of 2.00/s, longest gap 1.02 s, 3 polls lost`.
  var finding: String? {
    guard let effective else { return nil }
    let asked = interval > .zero ? " of \(NumberText.decimals(1 / interval.seconds, 2))/s" : ""
    let losses = lost == 0 ? "" : lost == 1 ? ", 1 poll lost" : ", \(lost) polls lost"
    return "\(NumberText.decimals(effective, 2))/s\(asked), longest gap \(RefillText.seconds(longestGap)) s\(losses)"
  }
}

/// The pool's counts over time, of bounded length: when it is full, every second point goes.
package struct PoolTimeline: Sendable, Equatable {
  /// What one poll showed; a count that could not be had is nil, and a gap in the timeline.
  package struct Point: Sendable, Equatable {
    /// Seconds since the first poll was sent.
    package var seconds: Double
    package var counts: [RefillTracker.View: Int]
    /// Why a view is missing here, or in a point that went: `throttled` or `lost`.
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
  /// The latest point, if it was passed over: the end of a run is always shown.
  private var passedOver: Point?

  /// A timeline of at most `limit` points, at least two, for these views.
  package init(views: [RefillTracker.View], limit: Int = 1_200) {
    self.views = views
    self.limit = max(2, limit)
  }

  /// Adds the latest point.
  package mutating func add(_ point: Point) {
    var point = point
    // A gap must not vanish with the point that showed it.
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

  /// As results hold it.
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
