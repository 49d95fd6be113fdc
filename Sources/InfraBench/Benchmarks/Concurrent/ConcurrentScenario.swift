import Gateway
import Latency
import LoadEngine
import Synchronization
import Transport

/// One iteration: an acquire, whose task is kept until the burst is over, or released at once in a loop.
///
/// A class, because each virtual user's suspended functions would hold copies of a structure.
final class ConcurrentScenario: Scenario {
  /// An assignment that only the pool's status can tell warm or cold.
  struct Undecided: Sendable {
    var iteration: Iteration
    var task: String
    var latency: Nanoseconds
  }

  private typealias Benchmark = ConcurrentBenchmark
  private static let all = Benchmark.catalogue.operation("all")
  private static let warm = (Benchmark.catalogue.operation("warm"), Benchmark.catalogue.counter("warm"))
  private static let cold = (Benchmark.catalogue.operation("cold"), Benchmark.catalogue.counter("cold"))
  private static let firstByte = Benchmark.catalogue.metric("first_byte")
  private static let connect = ConnectMetrics(Benchmark.catalogue)
  private static let unclassified = Benchmark.catalogue.counter("unclassified")
  private static let misses = Benchmark.catalogue.counter("misses")
  static let taskStarts = ColdStarts(Benchmark.catalogue, measured: "cold")
  private static let duplicates = Benchmark.catalogue.counter("duplicate_assignments")

  let session: GatewaySession
  let load: LoadSettings
  let waitFor: AllocationBenchmark.WaitFor
  let releasesAtOnce: Bool
  /// Whether the iterations are a burst. After a burst one status tells its tasks apart; a loop has no such moment.
  let isBurst: Bool
  let firstUser: Int
  /// Whether the pool's status before the burst showed a warm task for every user.
  let isCovered: Bool
  /// Starts a task for each user; nil where this tool does not cause the burst's cold starts.
  let starter: TaskStarter?
  let undecided = LockedArray<Undecided>()

  init(
    session: GatewaySession, load: LoadSettings, waitFor: AllocationBenchmark.WaitFor, releasesAtOnce: Bool,
    isBurst: Bool, firstUser: Int = 0, isCovered: Bool, starter: TaskStarter? = nil
  ) {
    self.session = session
    self.load = load
    self.waitFor = waitFor
    self.releasesAtOnce = releasesAtOnce
    self.isBurst = isBurst
    self.firstUser = firstUser
    self.isCovered = isCovered
    self.starter = starter
  }

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> PoolUser {
    // Several user ids, even for bursts of one: the users of all bursts are different people.
    let id = load.userID(firstUser + number, of: Int.max)
    session.userIDs.insert(id)
    return PoolUser(
      number: firstUser + number, id: id,
      client: session.client(on: executor, user: firstUser + number, watchesTask: false, isVisitor: true))
  }

  func open(_ user: PoolUser, into record: inout IterationRecord) async {
    if let error = await user.connection.open() { record.fail(error) }
  }

  func failed(_ iteration: Iteration, _ record: IterationRecord) {
    session.showFailure(numbered(iteration), of: load, record)
  }

  func prepare(_ user: PoolUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    user.client.beginVisit()
    if let error = await user.connection.connect(Self.connect, into: &record) { record.fail(error) }
  }

  func perform(
    _ user: PoolUser, _ iteration: Iteration, into record: inout IterationRecord
  ) async {
    if let starter {
      return await performColdStart(of: starter, user, iteration, into: &record)
    }
    let outcome = await user.client.acquire(userID: user.id, waitForReady: waitFor == .ready)
    ended(outcome, nil, user, iteration, into: &record)
  }

  /// The same with a task that is started for the user.
  @inline(never)
  private func performColdStart(
    of starter: TaskStarter, _ user: PoolUser, _ iteration: Iteration, into record: inout IterationRecord
  ) async {
    guard let started = await startTask(starter, into: &record) else {
      return session.showFailure(numbered(iteration), of: load, record)
    }
    let outcome = await user.client.acquire(userID: user.id, waitForReady: waitFor == .ready)
    ended(outcome, started, user, iteration, into: &record)
  }

  /// Records how the iteration ended. Never a part of ``perform(_:_:into:)``: a suspended function keeps room for all
  /// of its values.
  @inline(never)
  private func ended(
    _ outcome: AcquireOutcome, _ started: TaskStarter.Started?, _ user: PoolUser, _ iteration: Iteration,
    into record: inout IterationRecord
  ) {
    switch outcome {
    case .assigned(let acquisition):
      record.wrote(at: acquisition.stamps.firstByteWrittenAt)
      assigned(acquisition, started, user, iteration, into: &record)
    case .miss(let stamps):
      record.wrote(at: stamps.firstByteWrittenAt)
      record.count(Self.misses)
      session.showLine(numbered(iteration), of: load, "miss")
    case .failed(let error, let writtenAt):
      session.held.acquireFailed(error, writtenAt: writtenAt)
      if let writtenAt { record.wrote(at: writtenAt) }
      record.fail(error)
      session.showFailure(numbered(iteration), of: load, record)
    }
  }

  /// Starts a task for the user; nil if that failed.
  private func startTask(_ starter: TaskStarter, into record: inout IterationRecord) async -> TaskStarter.Started? {
    // The work before RunTask is sent, such as its signature, belongs to RunTask and is no lateness.
    record.wrote(at: MonotonicClock.now())
    switch await starter.start() {
    case .success(let started):
      Self.taskStarts.add(started.phases, to: &record)
      return started
    case .failure(let failure) where failure.isCancellation: record.censor()
    case .failure(let failure): record.fail("\(failure.step.rawValue): \(failure.kind)", failure.message)
    }
    return nil
  }

  func conclude(_ user: PoolUser, _ iteration: Iteration) async {
    guard let task = user.assigned.take(), releasesAtOnce, !Task.isCancelled else { return }
    await session.held.release(task, through: user.client, byItsUser: true, bench: session.bench)
  }

  func cancel(_ user: PoolUser) { user.client.cancel() }

  func retire(_ user: PoolUser) async {
    user.client.close()
  }

  private func assigned(
    _ acquisition: AssignedTask, _ started: TaskStarter.Started?, _ user: PoolUser, _ iteration: Iteration,
    into record: inout IterationRecord
  ) {
    let task = acquisition.task
    if let started { starter?.userWasGiven(task.name, insteadOf: started) }
    let place = session.place(of: user.client)
    if session.held.assign(task, cookies: user.client.cookies, user: user.number, place: place) {
      record.count(Self.duplicates)
    } else {
      user.assigned.put(task)
    }
    let stamps = acquisition.stamps
    record.sample(Self.firstByte, stamps.timeToFirstByte)
    if let started {
      guard starter?.tasks.contains(task.name) != true else {
        // The user's cold start begins with the task's start.
        for operation in [Self.all, Self.cold.0] {
          record.sample(operation, from: started.phases.sentAt, to: stamps.lastByteReadAt)
        }
        record.count(Self.cold.1)
        return showLine(numbered(iteration), stamps.lastByteReadAt - started.phases.sentAt, .cold)
      }
      Self.taskStarts.countOther(in: &record)
    }
    func sample(_ operation: LoadEngine.Operation, into record: inout IterationRecord) {
      record.sample(operation, from: stamps.firstByteWrittenAt, to: stamps.lastByteReadAt)
    }
    let latency = stamps.serviceTime
    sample(Self.all, into: &record)
    let origin = WarmClassifier.classify(source: acquisition.source, isCovered: isCovered)
    switch origin {
    case .warm?:
      sample(Self.warm.0, into: &record)
      record.count(Self.warm.1)
    case .cold?:
      sample(Self.cold.0, into: &record)
      record.count(Self.cold.1)
    case nil where isBurst:
      return undecided.add(Undecided(iteration: numbered(iteration), task: task.name, latency: latency))
    case .unclassified?, nil: record.count(Self.unclassified)
    }
    showLine(numbered(iteration), latency, origin ?? .unclassified)
  }

  /// The iteration with its number counted over all bursts.
  private func numbered(_ iteration: Iteration) -> Iteration {
    Iteration(number: firstUser + iteration.number, isWarmup: iteration.isWarmup)
  }

  func showLine(_ iteration: Iteration, _ latency: Nanoseconds, _ origin: TaskOrigin) {
    session.showLine(iteration, of: load, "allocation_time=\(latency) (\(origin.rawValue))")
  }

  /// Adds an assignment whose origin was found later.
  static func record(_ origin: TaskOrigin, _ latency: Nanoseconds, into recording: inout Recording) {
    switch origin {
    case .warm:
      recording.sample(warm.0.response, latency)
      recording.count(warm.1)
    case .cold:
      recording.sample(cold.0.response, latency)
      recording.count(cold.1)
    case .unclassified: recording.count(unclassified)
    }
  }
}

/// An array that several tasks append to, and one task takes.
final class LockedArray<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])

  func add(_ value: Value) { values.withLock { $0.append(value) } }

  func take() -> [Value] {
    values.withLock { values in
      defer { values = [] }
      return values
    }
  }
}
