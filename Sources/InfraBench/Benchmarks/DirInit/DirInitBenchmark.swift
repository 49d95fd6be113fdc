import FoundationEssentials
package import Latency
package import LoadEngine
import Statistics
import UserWorkspace
package import Results

/// Measures how long users' directories take on a file system, and when another mount sees them (tests 1.1 and 1.3 of
/// the test plan).
package struct DirInitBenchmark: Benchmark {
  package static let description = ToolDescription(
    "bench-dirinit", headlines: ["create"],
    metrics: [
      .init("create"), .init("mkdir"), .init("write_token"), .init("fsync"), .init("switch"), .init("read"),
      .init("visibility"), .init("remove"),
    ],
    counters: [.init(isolationViolations, .bad)],
    parameters: .load + [
      "writers", "fsync", .init("root", shapesLoad: false), .init("peerRoot", shapesLoad: false),
      .init("asUid", shapesLoad: false), .init("keep", shapesLoad: false),
    ],
    breakdowns: [.init(of: "create", [.metric("mkdir"), .metric("write_token"), .metric("fsync")])],
    references: [
      .init("EFS: nested mkdir", "14 ms (10–20)"), .init("EFS: write", "10 ms"), .init("EFS: read", "under 10 ms"),
      .init("EFS: whole user initialisation", "33 ms (30–40)"), .init("real image: mkdir", "21 ms"),
      .init("real image: write token", "19 ms"),
    ],
    defaultThresholds: ["create.max < 500ms", "switch.max < 100ms", "\(isolationViolations) == 0"])
  package static let catalogue = description.catalogue

  /// The metrics that are no part of another metric.
  static let wholeSteps: Set<String> = ["create", "switch", "read", "visibility", "remove"]
  private static let isolationViolations = "isolation_violations"

  package var settings: DirInitSettings

  package var timeouts: [String: Nanoseconds] { ["timeout": settings.load.timeout] }

  package var parameters: [String: JSONValue] { settings.parameters }

  /// Each writer has a path's directories open, each relative to the one above it.
  package var openFiles: Int { 8 * settings.load.concurrency }

  package func seeded(_ seed: UInt64) -> Self {
    var benchmark = self
    benchmark.settings.load.seed = seed
    return benchmark
  }

  package func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
    let place = try await MeasuredDirectory.open(settings)
    let result = await Result(catching: { () async throws(BenchmarkFailure) in try await measure(in: place, bench) })
    await place.close(keeps: settings.keeps, bench)
    return try result.get()
  }

  private func measure(in place: MeasuredDirectory, _ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
    for note in place.fileSystem.notes { bench.note(note) }
    let startedAt = Date()
    let peer = try await PeerMount.open(settings, place, bench)
    let progress = ProgressCounter()
    let monitor = GeneratorMonitor()
    var run = DirInitRun(settings: settings, place: place, progress: progress, monitor: monitor)
    let passage = try await ProgressReport.showing(progress, of: settings.load, console: bench.console) {
      await Result(catching: { () async throws(BenchmarkFailure) in
        try await run.perform()
        return run
      })
    }.get()
    var recording = passage.recording
    let isolation = await IsolationFinding.find(in: place.root, as: settings.isolationIDs, bench)
    recording.count(Self.catalogue.counter(Self.isolationViolations), by: UInt64(isolation.violations.count))
    if bench.console.showsIterations { bench.console.data(passage.lines.joined()) }

    var findings = isolation.findings.merging(peer.findings(passage)) { $1 }
    if settings.keeps { findings["kept"] = .string("\(place.users.count) directories in \(place.root)") }
    var measurement = Measurement(
      recording: recording,
      // No step has a due time, and a writer that waits for a file system is no bottleneck of the tool: only the CPU
      // quota is judged.
      generator: await monitor.finish(recording, judgesLateness: false),
      target: ResultDocument.Target(
        kind: "directory", gatewayUrl: nil, ecsEndpointUrl: nil, directory: place.root,
        fileSystem: place.fileSystem.document),
      startedAt: startedAt, duration: passage.duration, findings: findings)
    if !isolation.isTested { measurement.untested = [Self.isolationViolations] }
    var interim = measurement
    interim.pending = { place.pending(keeps: settings.keeps) }
    bench.beforeGivingBack(interim)
    return measurement
  }
}

/// Runs the warm-up, then rounds of users until the count or the duration is reached.
struct DirInitRun: Sendable {
  let settings: DirInitSettings
  let place: MeasuredDirectory
  let progress: ProgressCounter
  let monitor: GeneratorMonitor

  private(set) var recording = Recording(DirInitBenchmark.catalogue)
  /// One line for each user, in runs short enough for it; printed when no more is timed.
  private(set) var lines: [String] = []
  /// The number of users that were seen through the peer mount, and of those seen at the first look-up.
  private(set) var seen = (all: 0, atFirst: 0)
  /// The length of the measured part.
  private(set) var duration: Nanoseconds = .zero

  private var visits: SeededGenerator
  /// Random, so that a stale copy of an earlier run cannot pass for this one; about as long as a real token.
  private let token: [UInt8]

  init(settings: DirInitSettings, place: MeasuredDirectory, progress: ProgressCounter, monitor: GeneratorMonitor) {
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
    let deadline = settings.load.duration.map { start + $0 } ?? .distantFuture
    var given = 0
    while !Task.isCancelled, MonotonicClock.now() < deadline, given < settings.load.count ?? .max {
      let size = roundSize(settings.load.count.map { $0 - given })
      let users = try makeUsers(given + 1...given + size) { settings.load.userID($0, of: settings.load.count ?? .max) }
      given += size
      let begun = try await round.perform(users, until: deadline, visits: &visits)
      for user in begun { add(user, steps: round.steps) }
      // Pauses, so that a file system that refuses at once is not called thousands of times a second.
      if begun.allSatisfy({ $0.failure != nil }) { try? await Task.sleep(for: .milliseconds(100)) }
    }
    duration = MonotonicClock.now() - start
    monitor.pause()
  }

  /// Does the work of a round under names of its own, without recording it, and removes the directories at once.
  private mutating func warmUp() async throws(BenchmarkFailure) {
    var settings = settings
    settings.keeps = false
    settings.peerRoot = nil
    let round = DirInitRound(
      settings: settings, tree: place.scratch, scratch: place.scratch, token: token,
      cleanupDeadline: place.cleanupDeadline)
    let start = MonotonicClock.now()
    var (count, deadline): (Int?, Instant) = (nil, .distantFuture)
    switch settings.load.warmup {
    case .iterations(let number): count = number
    case .duration(let length): deadline = start + length
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

  /// The users of the next round; each writer has its own.
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

  /// Records a user. Steps that were done give samples even when a later one failed, or was left out by an
  /// interruption.
  private mutating func add(_ user: DirectoryUser, steps: Int) {
    for sample in user.samples { recording.sample(recording.catalogue.metric(sample.metric), sample.length) }
    let record = user.record(steps: steps)
    recording.add(record, dueAt: .distantPast)
    progress.add(record.ending)
    if let visibility = user.visibility {
      seen.all += 1
      if visibility.firstLookUpSucceeded { seen.atFirst += 1 }
    }
    if settings.load.showsIterations { lines.append(user.line) }
  }
}

/// Whether one user's files are closed to another, for the result.
struct IsolationFinding: Sendable {
  let text: String
  /// The violations, one sentence each.
  let violations: [String]
  /// Whether two user ids were really used.
  let isTested: Bool

  /// Tests isolation below `root`. Without user ids, or when the run is over, it only gives the reason why nothing was
  /// tested.
  static func find(
    in root: String, as ids: DirInitSettings.UserIDs?, _ bench: RunContext
  ) async -> IsolationFinding {
    guard let ids else { return notTested("needs two user ids: --as-uid A,B, as root") }
    guard !Task.isCancelled else { return notTested("the run was interrupted") }
    let report: IsolationReport
    do throws(WorkspaceError) {
      report = try await IsolationProbe(root: root, owner: ids.owner, intruder: ids.intruder).run()
    } catch {
      return notTested(error.description)
    }
    for leftover in report.leftovers { bench.note("the isolation test could not remove '\(leftover)' in \(root)") }
    switch report.result {
    case .notTested(let reason): return notTested(reason)
    case .tested(let violations):
      bench.note(
        "isolation was tested between user ids: tasks that run under one and the same are not isolated by modes")
      return IsolationFinding(
        text: "tested as user ids \(ids.owner) and \(ids.intruder): "
          + (violations.isEmpty ? "no violation" : "\(violations.count) violations"),
        violations: violations.map(\.description), isTested: true)
    }
  }

  private static func notTested(_ reason: String) -> IsolationFinding {
    IsolationFinding(text: "not tested (\(reason))", violations: [], isTested: false)
  }

  /// The result's findings about isolation.
  var findings: [String: JSONValue] {
    var findings: [String: JSONValue] = ["isolation": .string(text)]
    if !violations.isEmpty { findings["isolationViolations"] = .array(violations.map { .string($0) }) }
    return findings
  }
}

extension FileSystemInfo {
  /// The file system that was measured, for results.
  var document: JSONValue {
    var facts: [String: JSONValue] = [
      "type": .string(type), "source": source.map { .string($0) } ?? .null,
      "mountPoint": mountPoint.map { .string($0) } ?? .null, "options": .string(options.joined(separator: ",")),
      "network": .bool(isNetwork),
    ]
    if isNFS {
      facts["lookupCache"] = .string(lookupCache ?? "all (default)")
      facts["attributeCache"] =
        attributeCache.isEmpty ? "3 s to 60 s (default)" : .string(attributeCache.joined(separator: ","))
    }
    return .object(facts)
  }

  /// The notes about the file system for the reader of the times.
  var notes: [String] {
    var notes = note.map { [$0] } ?? []
    if isNetwork {
      notes.append(
        "switch and read are done by the client that made the directories, whose caches know them: a task on another "
          + "host starts with cold ones")
    }
    return notes
  }
}
