import Latency
import LoadEngine
import UserWorkspace

/// The warm-up, then rounds of users until the count or the duration is reached.
struct DirInitRun: Sendable {
  let settings: DirInitSettings
  let place: Workplace
  let progress: ProgressCounter
  let monitor: GeneratorMonitor

  private(set) var recording = Recording(DirInitBenchmark.catalogue)
  /// One line a user, for runs short enough to be read; to be shown when nothing is timed any more.
  private(set) var lines: [String] = []
  /// How many users were seen through the peer mount, and at the first look-up.
  private(set) var seen = (all: 0, atFirst: 0)
  /// Length of the measured part, in ns.
  private(set) var duration: UInt64 = 0

  private var visits: SeededGenerator
  /// Unlike any earlier run's, so that a stale copy can't pass for this one; about as long as a real token.
  private let token: [UInt8]

  init(settings: DirInitSettings, place: Workplace, progress: ProgressCounter, monitor: GeneratorMonitor) {
    self.settings = settings
    self.place = place
    self.progress = progress
    self.monitor = monitor
    visits = SeededGenerator(seed: settings.load.seed)
    let filling = String(repeating: "infrabench", count: 96)
    token = Array("{\"token\":\"\(String(UInt64.random(in: .min ... .max), radix: 36)).\(filling)\"}\n".utf8)
  }

  mutating func perform() async throws(BenchmarkFailure) {
    try await warmUp()
    let round = DirInitRound(
      settings: settings, tree: place.users, scratch: place.scratch, token: token,
      cleanupDeadline: place.cleanupDeadline)
    monitor.restart()
    let start = MonotonicClock.now()
    let deadline = settings.load.duration.map { start + $0 } ?? .max
    var given = 0
    while !Task.isCancelled, MonotonicClock.now() < deadline, given < settings.load.count ?? .max {
      let size = roundSize(settings.load.count.map { $0 - given })
      let users = try makeUsers(given + 1...given + size) { settings.load.userID($0, of: settings.load.count ?? .max) }
      given += size
      let begun = try await round.perform(users, until: deadline, visits: &visits)
      for user in begun { add(user, steps: round.steps) }
      // A file system that refuses at once must not be hammered.
      if begun.allSatisfy({ $0.failure != nil }) { try? await Task.sleep(for: .milliseconds(100)) }
    }
    duration = MonotonicClock.now() - start
    monitor.pause()
  }

  /// The same work under names of its own, recorded nowhere and removed at once.
  private mutating func warmUp() async throws(BenchmarkFailure) {
    var settings = settings
    settings.keeps = false
    settings.peerRoot = nil
    let round = DirInitRound(
      settings: settings, tree: place.scratch, scratch: place.scratch, token: token,
      cleanupDeadline: place.cleanupDeadline)
    let start = MonotonicClock.now()
    var (count, deadline): (Int?, UInt64) = (nil, .max)
    switch settings.load.warmup {
    case .iterations(let number): count = number
    case .duration(let nanoseconds): deadline = start + nanoseconds
    }
    var given = 0
    while !Task.isCancelled, MonotonicClock.now() < deadline, given < count ?? .max {
      let size = roundSize(count.map { $0 - given })
      let users = try makeUsers(given + 1...given + size) { "\(settings.load.userIDPrefix)-warmup-\($0)" }
      given += size
      let begun = try await round.perform(users, until: deadline, visits: &visits)
      if begun.allSatisfy({ $0.failure != nil }) { return }
    }
  }

  private func roundSize(_ left: Int?) -> Int {
    min(left ?? .max, DirInitRound.usersPerWriter * settings.load.concurrency)
  }

  /// Every writer has users of its own.
  private func makeUsers(
    _ numbers: ClosedRange<Int>, name: (Int) -> String
  ) throws(BenchmarkFailure) -> [[DirectoryUser]] {
    var users = Array(repeating: [DirectoryUser](), count: settings.load.concurrency)
    do throws(WorkspaceError) {
      for number in numbers {
        users[(number - 1) % users.count].append(try DirectoryUser(number: number, name: name(number)))
      }
    } catch {
      throw BenchmarkFailure(error.description)
    }
    return users
  }

  /// Steps that were done count as what they are even when a later one failed, or was left out by an interruption.
  private mutating func add(_ user: DirectoryUser, steps: Int) {
    for sample in user.samples { recording.sample(recording.catalogue.metric(sample.metric), sample.nanoseconds) }
    let record = user.record(steps: steps)
    recording.add(record, dueAt: 0)
    progress.add(record.ending)
    if let visibility = user.visibility {
      seen.all += 1
      if visibility.firstLookUpSucceeded { seen.atFirst += 1 }
    }
    if settings.load.showsIterations { lines.append(user.line) }
  }
}
