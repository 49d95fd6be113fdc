import AWS
import Gateway
import Latency
import LoadEngine

/// Asks ECS and the gateway, both at the same time, on a fixed beat. One task owns it.
struct PoolPoller {
  private typealias Benchmark = ExhaustionBenchmark
  private static let listTasks = Benchmark.catalogue.metric("ecs_list_tasks")
  private static let polls = Benchmark.catalogue.counter("polls")
  private static let throttledPolls = Benchmark.catalogue.counter("throttled_polls")
  private static let lostPolls = Benchmark.catalogue.counter("lost_polls")

  /// When the first poll was due, in ns of `MonotonicClock`.
  let startedAt = MonotonicClock.now()
  private(set) var recording = Recording(Benchmark.catalogue)
  private(set) var timeline: PoolTimeline
  private(set) var rate: PollRate
  /// Who is asked, the strictest word last.
  let views: [RefillTracker.View]

  private let gateway: GatewayClient?
  private var ecs: ECSPoolView?
  private let bench: Bench
  private var nextAt = MonotonicClock.now()

  /// A poller of ECS, of the gateway, or of both; `interval` in ns.
  init(gateway: GatewayClient?, ecs: ECSPoolView?, interval: UInt64, bench: Bench) {
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
    if now < nextAt { try? await Task.sleep(nanoseconds: nextAt - now) }
    guard !Task.isCancelled else { return nil }
    let late = MonotonicClock.now() - min(nextAt, MonotonicClock.now())
    nextAt += rate.interval * (late / max(1, rate.interval) + 1)
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
    if poll.sightings[.running]?.unknown.isEmpty == false {
      bench.note("ECS listed tasks that DescribeTasks did not know (MISSING): such a look says nothing of them")
    }
    for loss in poll.losses { bench.note("a poll was lost: \(loss)") }
    let answeredAt = poll.sightings.values.map(\.answeredAt).max() ?? MonotonicClock.now()
    rate.add(isWhole: poll.gap == nil, at: answeredAt)
    var counts: [RefillTracker.View: Int] = [:]
    for view in poll.sightings.keys { counts[view] = poll.count(view) }
    timeline.add(
      PoolTimeline.Point(
        seconds: Double(answeredAt - min(startedAt, answeredAt)) / 1e9, counts: counts, gap: poll.gap))
  }
}
