package import FoundationEssentials
package import Latency
package import LoadEngine
import Synchronization
package import Results

/// A tool's work: one measurement, which ``BenchmarkRunner`` judges and reports.
///
/// A tool is made of a description, its parameters and `measure`:
///
/// ```swift
/// struct PingBenchmark: Benchmark {
///   static let description = ToolDescription(
///     "bench-ping", headlines: ["ping"], metrics: [.init("ping")], counters: [], parameters: ["count"],
///     defaultThresholds: ["ping.p99 < 20ms"])
///   static let catalogue = description.catalogue
///
///   var count: Int
///   var parameters: [String: JSONValue] { ["count": .int(Int64(count))] }
///
///   func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
///     let (startedAt, begin, monitor) = (Date(), MonotonicClock.now(), GeneratorMonitor())
///     var recording = Recording(Self.catalogue)
///     for _ in 0..<count where !Task.isCancelled {
///       let start = MonotonicClock.now()
///       var iteration = IterationRecord()
///       await ping()
///       iteration.sample(Self.catalogue.metric("ping"), MonotonicClock.now() - start)
///       recording.add(iteration, dueAt: start)
///     }
///     return Measurement(
///       recording: recording, generator: await monitor.finish(recording, judgesLateness: false),
///       target: .init(kind: "remote"), startedAt: startedAt, duration: MonotonicClock.now() - begin)
///   }
/// }
/// ```
package protocol Benchmark: Sendable {
  /// What reports know of the tool: its metrics, counters and parameters, and their meanings.
  static var description: ToolDescription { get }
  /// The metrics and counters of the description, as the engine counts them.
  static var catalogue: Catalogue { get }
  /// The test plan's criteria for this run, beside those of all tools. By default they are the description's; a tool
  /// whose options change them has its own.
  var defaultThresholds: [String] { get }
  /// The run's time-outs, by parameter. A mean that is judged with its failures counts each at its time-out.
  var timeouts: [String: Nanoseconds] { get }
  /// The most iterations in flight at one time; nil in a closed loop.
  var maxInFlight: Int? { get }
  /// The parameters of the run, for the result.
  var parameters: [String: JSONValue] { get }

  /// The gateway whose warm tasks one run leaves to the next; nil where each run has tasks of its own, or no tasks.
  var sharedPool: TargetSettings? { get }

  /// The most files and sockets that a run has open at one time, beside those that every tool has.
  var openFiles: Int { get }

  /// Whether the run is certain to call AWS, or the embedded gateway's ECS endpoint.
  var callsAWS: Bool { get }

  /// This measurement with random choices from another seed.
  func seeded(_ seed: UInt64) -> Self

  /// Measures. When its task is cancelled, it ends early and returns what it has measured. Before it gives back what it
  /// holds, it passes the measurement to ``RunContext/beforeGivingBack``.
  ///
  /// - Throws: Where the run could not be done at all.
  func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement
}

extension Benchmark {
  /// The tool's name.
  package static var tool: String { description.name }

  package var defaultThresholds: [String] { Self.description.defaultThresholds }

  package var maxInFlight: Int? { nil }

  package var timeouts: [String: Nanoseconds] { [:] }

  package var sharedPool: TargetSettings? { nil }

  package var openFiles: Int { 0 }

  package var callsAWS: Bool { false }

  /// For a measurement that draws nothing from a seed.
  package func seeded(_ seed: UInt64) -> Self { self }
}

/// A benchmark that has a gateway for its target.
package protocol GatewayBenchmark: Benchmark {
  var target: TargetSettings { get set }
}

extension GatewayBenchmark {
  package var sharedPool: TargetSettings? {
    guard case .remote = target.gateway, target.agents == 0 else { return nil }
    return target
  }

  /// This measurement of the target's second gateway; nil where there is one target.
  package var ofSecondGateway: Self? {
    target.ofSecond.map { target in
      var benchmark = self
      benchmark.target = target
      return benchmark
    }
  }
}

/// A run's surroundings: the console, the notes of its result, and the tasks that it has to give back.
package struct RunContext: Sendable {
  package let console: Console
  package let notes: RunNotes
  /// The tasks that the run was assigned.
  package let held: HeldTasks
  /// Where the file of a soak is made; nil where the run writes no files.
  package let soakPlace: SoakPlace?
  /// Takes the measurement before anything is given back, stopped or removed: the result of an interrupted run is
  /// written then.
  package let beforeGivingBack: @Sendable (Measurement) -> Void

  package init(
    console: Console, notes: RunNotes = RunNotes(), held: HeldTasks = HeldTasks(),
    soakPlace: SoakPlace? = nil, beforeGivingBack: @escaping @Sendable (Measurement) -> Void = { _ in }
  ) {
    self.console = console
    self.notes = notes
    self.held = held
    self.soakPlace = soakPlace
    self.beforeGivingBack = beforeGivingBack
  }

  /// Adds a note to the result, and prints it once.
  package func note(_ text: String) {
    if notes.add(text) { console.note("note: \(text)") }
  }
}

/// Why a run could not be done at all.
package struct BenchmarkFailure: Error, Sendable, CustomStringConvertible {
  /// A sentence that also says what to do about it.
  package var description: String

  package init(_ description: String) { self.description = description }
}

/// What a benchmark measured.
package struct Measurement: Sendable {
  package var recording: Recording
  package var generator: GeneratorReport
  package var target: ResultDocument.Target
  /// When the run began.
  package var startedAt: Date
  /// The length of the measured part.
  package var duration: Nanoseconds
  package var timeline: ResultTimeline?
  /// How long the target had answered nothing when the run ended, and how long it had answered before; see ``LoadRun``.
  package var silence: (length: Nanoseconds, since: Nanoseconds)?
  package var findings: [String: JSONValue]?
  /// What the run has checked; nil where it checked nothing.
  package var checks: [CheckRecord]?
  /// What a soak has watched; nil for another run.
  package var soak: SoakRun?
  /// Which part of a load this run was; nil for a whole load.
  var shard: ShardMeasurement?

  /// Takes what a run knows beside its recording.
  package mutating func take(silence: (length: Nanoseconds, since: Nanoseconds)?, failedSetUps: UInt64) {
    self.silence = silence
    guard failedSetUps > 0 else { return }
    findings = (findings ?? [:]).merging([ResultDocument.failedSetUpsFinding: .int(Int64(failedSetUps))]) { $1 }
  }
  /// Counters that this run has not tested: the result leaves them out, because 0 would be untrue.
  package var untested: Set<String> = []
  /// Why a metric that the run was to measure has no sample, by metric. A threshold on it has failed then, and is not
  /// just skipped.
  package var missing: [String: String] = [:]
  /// How much of what a metric is about failed, by metric; nil where all metrics are about the iterations.
  package var failures: [String: FailedPart]?
  /// How much shorter than its sample a polled time may have been at most, by metric.
  package var resolutions: [String: Nanoseconds] = [:]
  /// Why the run is worthless although it has samples: none of them is what was asked for. The verdict is `error` then,
  /// and this a note, unless the run was interrupted.
  package var worthless: String?
  /// Why there may be no sample, where the run knows the reason.
  package var reasonWithoutSample: String?
  /// A sentence on what this run has made, started or watched and not yet removed, stopped or polled again; nil where
  /// there is nothing to say. Called when the result is written before that is done.
  package var pending: @Sendable () -> String? = { nil }

  package init(
    recording: Recording, generator: GeneratorReport, target: ResultDocument.Target, startedAt: Date,
    duration: Nanoseconds,
    timeline: ResultTimeline? = nil, findings: [String: JSONValue]? = nil
  ) {
    self.recording = recording
    self.generator = generator
    self.target = target
    self.startedAt = startedAt
    self.duration = duration
    self.timeline = timeline
    self.findings = findings
  }
}

/// What a reader of the result must know. Each note is there once, in the order of first appearance.
package final class RunNotes: Sendable {
  private let notes = Mutex<[String]>([])
  private static let limit = 100

  package init() {}

  /// Adds a note unless it is there already; true if it is new.
  @discardableResult
  package func add(_ note: String) -> Bool {
    notes.withLock { notes in
      guard notes.count < Self.limit, !notes.contains(note) else { return false }
      notes.append(note)
      return true
    }
  }

  /// All notes.
  package var all: [String] { notes.withLock { $0 } }
}

extension ToolDescription {
  /// The metrics and counters in the load engine's form.
  package var catalogue: Catalogue { Catalogue(metrics: metrics.map(\.name), counters: counters.map(\.name)) }
}
