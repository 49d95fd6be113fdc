import FoundationEssentials
import Latency
package import LoadEngine
import UserWorkspace

/// Tests 1.1 and 1.3: how long users' directories take on a file system, and when another mount sees them.
package struct DirInitBenchmark: Benchmark {
  package static let tool = "bench-dirinit"
  package static let catalogue = Catalogue(
    metrics: ["create", "mkdir", "write_token", "fsync", "switch", "read", "visibility", "remove"],
    counters: [isolationViolations])
  package static let defaultThresholds = [
    "create.max < 500ms", "switch.max < 100ms", "\(isolationViolations) == 0",
  ]

  /// Metrics that are no part of another.
  static let wholeSteps: Set<String> = ["create", "switch", "read", "visibility", "remove"]
  private static let isolationViolations = "isolation_violations"

  package var settings: DirInitSettings

  package var parameters: [String: JSONValue] { settings.parameters }

  /// A writer has a path's directories open, each relative to the one above it.
  package var openFiles: Int { 8 * settings.load.concurrency }

  package func seeded(_ seed: UInt64) -> Self {
    var benchmark = self
    benchmark.settings.load.seed = seed
    return benchmark
  }

  package func measure(_ bench: Bench) async throws(BenchmarkFailure) -> Measurement {
    let place = try await Workplace.open(settings)
    let result = await Result(catching: { () async throws(BenchmarkFailure) in try await measure(in: place, bench) })
    await place.close(keeps: settings.keeps, bench)
    return try result.get()
  }

  private func measure(in place: Workplace, _ bench: Bench) async throws(BenchmarkFailure) -> Measurement {
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
      // Nothing is due at an instant, and a writer that waits for a file system is no bottleneck of its own: what is
      // judged is the CPU quota.
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
