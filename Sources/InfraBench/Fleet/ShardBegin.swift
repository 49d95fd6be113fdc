import FoundationEssentials
import Glibc
import Latency
import LoadEngine
import Results
import Synchronization

/// How a shard begins with the others, and what its result says of that.
///
/// A begin is an instant, not an event: shards that waited for an event would begin as far apart as they look for it. So
/// each learns the instant beforehand, and one that learns it too late refuses to begin.
final class ShardBegin: Sendable {
  private let settings: ShardSettings
  private let folder: FleetFolder?
  private let held: HeldTasks
  private let note: @Sendable (String) -> Void

  private struct State {
    var begunAt: (instant: Instant, date: Date)?
    var failure: String?
    var clock: ResultDocument.ClockError?
  }

  private let state = Mutex(State())

  /// How often the folder is looked at.
  private static let pollInterval: Nanoseconds = .milliseconds(200)
  /// How long a shard waits for the others: a job may wait for its place in a queue.
  private static let longestWait: Nanoseconds = .seconds(3600)

  init(_ settings: ShardSettings, held: HeldTasks, note: @escaping @Sendable (String) -> Void) {
    self.settings = settings
    self.held = held
    self.note = note
    if case .folder(let path) = settings.begin { folder = FleetFolder(path: path) } else { folder = nil }
    held.keepLog()
  }

  /// Why the shard did not begin, for people; nil where it did, or was interrupted before.
  var failure: String? { state.withLock { $0.failure } }

  private var name: String { "shard \(settings.shard.index) of \(settings.shard.count)" }

  // MARK: - The begin

  /// Waits until the begin is known, and returns it; nil: the shard must not begin.
  func wait() async -> Instant? {
    do throws(BenchmarkFailure) {
      let date = try await date()
      guard let date else { return nil }
      let left = date.timeIntervalSinceNow
      guard left > 0 else {
        let late = Nanoseconds.seconds(-left)
        throw BenchmarkFailure(
          "\(name) came \(late) too late for the begin at \(Timestamp(ofWholeMilliseconds: date).iso8601): it makes no load, and the run of all "
            + "shards has failed; give the shards more time before the begin")
      }
      let instant = MonotonicClock.now() + .seconds(left)
      state.withLock { $0.begunAt = (instant, date) }
      return instant
    } catch {
      state.withLock { $0.failure = error.description }
      return nil
    }
  }

  /// The agreed begin; nil where the wait was interrupted.
  private func date() async throws(BenchmarkFailure) -> Date? {
    if case .instant(let date) = settings.begin {
      let clock = await ClockProbe.chrony() ?? ClockProbe.kernel()
      state.withLock { $0.clock = clock }
      return date
    }
    guard let folder else { return nil }
    do throws(ResultWriteError) {
      try folder.prepare()
      let clock = ClockProbe.folder("\(folder.path)/ready")
      state.withLock { $0.clock = clock }
      let facts = EnvironmentFacts.current(environment: [:])
      try folder.write(
        ShardReadiness(
          index: settings.shard.index, of: settings.shard.count, hostname: facts.hostname, pid: getpid(),
          version: SuiteVersion.version, clock: clock), to: "ready/\(settings.shard.index)")
    } catch {
      throw BenchmarkFailure("\(name) can't say that it is ready: \(error)")
    }
    return try await poll("begin", for: FleetFolder.start, missing: { "nobody told the begin" })
  }

  /// Waits for a file with an instant.
  private func poll(
    _ place: String, for file: String, missing: () -> String
  ) async throws(BenchmarkFailure) -> Date? {
    guard let folder else { return nil }
    let deadline = MonotonicClock.now() + Self.longestWait
    while MonotonicClock.now() < deadline {
      if folder.names(in: place).contains(file) {
        if let date = folder.instant(in: "\(place)/\(file)") { return date }
        throw BenchmarkFailure("'\(folder.path)/\(place)/\(file)' holds no instant")
      }
      guard (try? await Task.sleep(for: Self.pollInterval)) != nil else { return nil }
    }
    throw BenchmarkFailure("\(name) has waited an hour, and \(missing())")
  }

  // MARK: - Further bursts

  /// Waits for the begin of a burst, from 0: the first one's is that of the run.
  func begin(ofBurst number: Int) -> @Sendable () async -> Instant? {
    { number == 0 ? await self.wait() : await self.waitForBurst(number) }
  }

  /// Agrees with the other shards on the begin of another burst, the `number`-th from 1. Shard 0 tells it.
  private func waitForBurst(_ number: Int) async -> Instant? {
    guard let folder else { return nil }
    let place = "bursts/\(number)"
    do throws(BenchmarkFailure) {
      do throws(ResultWriteError) {
        try ResultWriter.makeDirectories("\(folder.path)/\(place)")
        try folder.write("\n", to: "\(place)/ready-\(settings.shard.index)")
        if settings.shard.index == 0, try await areAllReady(in: place) {
          let begin = Date(timeIntervalSinceNow: Self.burstLead)
          try folder.write(Timestamp(begin).iso8601 + "\n", to: "\(place)/\(FleetFolder.start)")
        }
      } catch {
        throw BenchmarkFailure("\(name) can't agree on burst \(number): \(error)")
      }
      let missing = { "burst \(number) was not begun: a shard has ended" }
      guard let date = try await poll(place, for: FleetFolder.start, missing: missing) else { return nil }
      let left = date.timeIntervalSinceNow
      guard left > 0 else { throw BenchmarkFailure("\(name) came too late for burst \(number)") }
      return MonotonicClock.now() + .seconds(left)
    } catch {
      state.withLock { $0.failure = error.description }
      return nil
    }
  }

  /// In s: several looks at the folder, and the answer of a slow file server.
  private static let burstLead = 1.0

  private func areAllReady(in place: String) async throws(ResultWriteError) -> Bool {
    let deadline = MonotonicClock.now() + Self.longestWait
    while MonotonicClock.now() < deadline {
      if folder?.names(in: place).count ?? 0 >= settings.shard.count { return true }
      guard (try? await Task.sleep(for: Self.pollInterval)) != nil else { return false }
    }
    return false
  }

  // MARK: - The run

  private static let progressInterval: Nanoseconds = .milliseconds(500)

  /// Runs `work`, tells the coordinator how far it is, and ends it when the coordinator says so.
  func accompany<T: Sendable>(_ progress: ProgressCounter, _ work: () async -> T) async -> T {
    guard let folder else { return await work() }
    let companion = Task {
      while (try? await Task.sleep(for: Self.progressInterval)) != nil {
        if folder.names(in: "begin").contains(FleetFolder.stop) {
          note("the coordinator ends the run")
          kill(getpid(), SIGINT)
          return
        }
        // A lost line is not worth a run: the next one has all that it had.
        try? folder.write(ShardProgress(progress), to: "progress/\(settings.shard.index)")
      }
    }
    let result = await work()
    companion.cancel()
    await companion.value
    try? folder.write(ShardProgress(progress), to: "progress/\(settings.shard.index)")
    return result
  }

  /// What the result says of this shard.
  ///
  /// - Parameter measuredAt: when the measured part began.
  func measurement(_ recording: Recording, measuredAt: Instant) -> ShardMeasurement? {
    let (begunAt, clock) = state.withLock { ($0.begunAt, $0.clock) }
    guard let begunAt else { return nil }
    let first = recording.firstStart
    return ShardMeasurement(
      shard: .init(
        index: settings.shard.index, of: settings.shard.count,
        startAt: Timestamp(ofWholeMilliseconds: begunAt.date).iso8601,
        measuredFrom: measuredAt.elapsed(since: begunAt.instant).seconds,
        lastAnswerAt: recording.lastEndAt.map { $0.elapsed(since: begunAt.instant).seconds },
        firstStartLatenessMs: first.map { start in
          start.writtenAt.elapsed(since: start.intendedAt ?? measuredAt).milliseconds
        }, clock: clock, lateness: recording.lateness),
      begin: begunAt.instant)
  }
}

extension LoadSettings {
  /// The begin that this run shares with other shards; nil where it makes the whole load.
  func begin(_ bench: RunContext) -> ShardBegin? {
    shard.map { ShardBegin($0, held: bench.held, note: bench.console.note) }
  }
}

extension ShardBegin? {
  /// Runs `work`; a shard tells meanwhile how far it is.
  func accompany<T: Sendable>(_ progress: ProgressCounter, _ work: () async -> T) async -> T {
    if let self { await self.accompany(progress, work) } else { await work() }
  }

  /// - Throws: Why the shard did not begin with the others.
  func checkBegun() throws(BenchmarkFailure) {
    if let failure = self?.failure { throw BenchmarkFailure(failure) }
  }
}

/// What a run knows of its part in a load.
struct ShardMeasurement: Sendable {
  private let shard: ResultDocument.Shard
  /// The begin that all shards share.
  private let begin: Instant

  init(shard: ResultDocument.Shard, begin: Instant) {
    self.shard = shard
    self.begin = begin
  }

  /// The document's part.
  func record(_ held: HeldTasks) -> ResultDocument.Shard {
    var shard = shard
    shard.assignments = held.log?.count
    return shard
  }

  /// The text of the file of assignments.
  func assignments(of held: HeldTasks) -> String? {
    held.log.map { AssignmentFile.text($0.lines(since: begin)) }
  }
}

extension ShardProgress {
  init(_ progress: ProgressCounter) {
    self.init(
      done: progress.done, failed: progress.failed, dropped: progress.dropped, waiting: progress.waiting,
      inFlight: progress.inFlight, p99: progress.percentiles?.p99.nanoseconds)
  }
}
