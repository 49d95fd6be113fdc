package import FoundationEssentials
package import Latency
package import LoadEngine
import Synchronization
package import Results

/// A tool's work: one measurement, to be judged and reported by ``BenchmarkRunner``.
package protocol Benchmark: Sendable {
  /// What reports know of the tool: its metrics, counters and parameters, and what they mean.
  static var description: ToolDescription { get }
  /// The description's metrics and counters, as the engine counts them.
  static var catalogue: Catalogue { get }
  /// The test plan's criteria for this run, beside those of all tools: the description's, where its options make no difference.
  var defaultThresholds: [String] { get }
  /// The run's time-outs, by parameter: what a failure counts in a mean.
  var timeouts: [String: Nanoseconds] { get }
  /// The most starts in flight at one time; nil in a closed loop.
  var maxInFlight: Int? { get }
  /// What shapes the load, for the result.
  var parameters: [String: JSONValue] { get }

  /// The gateway whose warm tasks one run leaves to the next; nil where each run has tasks of its own, or none.
  var sharedPool: TargetSettings? { get }

  /// The most files and sockets that a run has open at one time, beside what every tool has.
  var openFiles: Int { get }

  /// The same measurement with other random choices.
  func seeded(_ seed: UInt64) -> Self

  /// Measures. When its task is cancelled it ends early and returns what it has. What it measured goes to
  /// ``RunContext/beforeGivingBack`` first, then it gives back whatever it holds.
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

  /// Where nothing is drawn from a seed.
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

  /// The same measurement of the target's second gateway; nil where it has none.
  package var ofSecondGateway: Self? {
    target.ofSecond.map { target in
      var benchmark = self
      benchmark.target = target
      return benchmark
    }
  }
}

/// What a benchmark speaks through: the console and the notes of its result; and what it has to give back.
package struct RunContext: Sendable {
  package let console: Console
  package let notes: RunNotes
  /// The tasks that the run was given.
  package let held: HeldTasks
  /// Takes what was measured before anything is given back, stopped or removed: an interrupted run's result is written then.
  package let beforeGivingBack: @Sendable (Measurement) -> Void

  package init(
    console: Console, notes: RunNotes = RunNotes(), held: HeldTasks = HeldTasks(),
    beforeGivingBack: @escaping @Sendable (Measurement) -> Void = { _ in }
  ) {
    self.console = console
    self.notes = notes
    self.held = held
    self.beforeGivingBack = beforeGivingBack
  }

  /// Notes something for the result and says it once.
  package func note(_ text: String) {
    if notes.add(text) { console.note("note: \(text)") }
  }
}

/// Why a run could not be done at all.
package struct BenchmarkFailure: Error, Sendable, CustomStringConvertible {
  /// What to do about it.
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
  /// Length of the measured part.
  package var duration: Nanoseconds
  package var timeline: ResultTimeline?
  /// How long the target had answered nothing at the end, and how long it had answered before; see ``LoadRun``.
  package var silence: (length: Nanoseconds, since: Nanoseconds)?
  package var findings: [String: JSONValue]?

  /// Takes what a run tells beside its recording.
  package mutating func take(silence: (length: Nanoseconds, since: Nanoseconds)?, failedSetUps: UInt64) {
    self.silence = silence
    guard failedSetUps > 0 else { return }
    findings = (findings ?? [:]).merging([ResultDocument.failedSetUpsFinding: .int(Int64(failedSetUps))]) { $1 }
  }
  /// Counters on which this run has no word: they are not in the result, rather than 0 in it.
  package var untested: Set<String> = []
  /// Why a metric that the run was there for has no sample: a threshold on it has failed, and was not just left out.
  package var missing: [String: String] = [:]
  /// By metric, how much of what it is about failed; nil where all metrics are about the iterations.
  package var failures: [String: FailedPart]?
  /// How far below its sample a polled time may have been, at most, by metric.
  package var resolutions: [String: Nanoseconds] = [:]
  /// Why the run is worthless although it has samples: nothing of what was asked for is among them. The verdict is
  /// `error` then, and this a note, unless the run was interrupted.
  package var worthless: String?
  /// Why there may be no sample, where the run knows more than that there is none.
  package var reasonWithoutSample: String?
  /// What is to be said of what this run has made, started or watched, where the result is written before that is removed,
  /// stopped or looked at again. Called then.
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

/// What a reader of the result must know, each said once, in the order of its first appearance.
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
