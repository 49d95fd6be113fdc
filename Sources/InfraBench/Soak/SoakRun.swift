import FoundationEssentials
import Glibc
import Latency
import LoadEngine
import ProcessControl
import Results
import Synchronization

/// Where a soak's file is made, and what its head says beside the benchmark's own facts.
package struct SoakPlace: Sendable {
  var label: String?
  var thresholds: [Threshold]
  var environment: [String: String]
  /// Makes the file of a run that began at the given time; returns its descriptor and path.
  var create: @Sendable (Date) -> Result<(descriptor: Int32, path: String), ResultWriteError>
}

/// A soak while it goes on: it writes each minute's line, and knows the series at the end.
package final class SoakRun: Sendable {
  /// What a soak watches beside its iterations.
  struct Subject: Sendable {
    /// The embedded gateway's process; nil for another gateway.
    var gatewayProcess: Int32?
    /// Nil where the gateway gives no status.
    var pool: PoolWatch?
    /// Counters that are kept outside of iterations, so far.
    var otherCounters: @Sendable () -> [String: UInt64] = { [:] }
  }

  private struct State: ~Copyable {
    var writer: SoakFileWriter
    var series: SoakSeries
    /// What was known at the last cut.
    var tool: ProcessFigures?
    var gateway: ProcessFigures?
    var counters: [String: UInt64] = [:]
  }

  let every: Nanoseconds
  /// The file's path.
  let path: String
  private let subject: Subject
  private let console: Console
  private let untested: Set<String>
  private let state: Mutex<State>

  /// Writes the file's head.
  ///
  /// - Parameter descriptor: Of the empty file; the soak closes it.
  init(
    _ settings: SoakSettings, _ head: SoakHead, descriptor: Int32, path: String, subject: Subject, console: Console
  ) {
    every = settings.every
    self.path = path
    self.subject = subject
    self.console = console
    untested = Set(head.untested)
    state = Mutex(
      State(
        writer: SoakFileWriter(descriptor: descriptor),
        series: SoakSeries(
          headlines: head.tool.headlines, everySeconds: head.everySeconds, named: head.namedSeries),
        tool: ProcessFigures.ofThisProcess(), gateway: subject.gatewayProcess.flatMap(ProcessFigures.init)))
    write(.head(head))
  }

  /// What the load engine passes each minute to.
  var parts: RecordingParts {
    var parts = RecordingParts(every: every, take: write)
    parts.begun = { self.beginMeasuring() }
    return parts
  }

  /// Runs `work`, the load, while the pool is watched.
  func watching<T: Sendable>(_ work: @Sendable () async -> T) async -> T {
    beginMeasuring()
    // The end of this scope cancels the watch and waits for its end: its connection is closed before the result is
    // written.
    async let _: Void? = subject.pool?.watch()
    return await work()
  }

  /// The time before the load, and then that of its warm-up, is no part of the first minute. Counters stay: what idle
  /// sessions counted before is a part of the run's sum.
  private func beginMeasuring() {
    let tool = ProcessFigures.ofThisProcess()
    let gateway = subject.gatewayProcess.flatMap(ProcessFigures.init)
    _ = subject.pool?.cut(at: MonotonicClock.now())
    state.withLock { state in (state.tool, state.gateway) = (tool, gateway) }
  }

  /// The series so far, as the result has them.
  var soak: Soak {
    state.withLock { $0.series.soak(file: path.split(separator: "/").last.map(String.init) ?? path) }
  }

  /// How many tasks the gateway still has for users of this run; nil where it does not tell.
  func leakedTasks() async -> Int? {
    await subject.pool?.leakedTasks(waiting: .seconds(5))
  }

  /// Writes the file's last line; returns a sentence where the file is not whole.
  func end(_ document: ResultDocument) -> String? {
    write(.end(SoakEnd(of: document)))
    return state.withLock { state in
      if state.writer.isWhole { return nil }
      let lost = state.writer.lost > 0 ? ", and \(state.writer.lost) lines are lost" : ""
      return "the soak's file '\(path)' is not whole: \(state.writer.failure ?? "a write failed")\(lost)"
    }
  }

  @Sendable private func write(_ part: RecordingParts.Part) {
    let now = MonotonicClock.now()
    let length = part.end - part.start
    let tool = ProcessFigures.ofThisProcess()
    let gateway = subject.gatewayProcess.flatMap(ProcessFigures.init)
    let pool = subject.pool?.cut(at: now)
    let others = subject.otherCounters()
    let minute = state.withLock { state in
      var minute = SoakMinute(part, untested: untested)
      for (name, count) in others { minute.counters[name] = count - min(count, state.counters[name] ?? 0) }
      minute.tool = tool?.minute(since: state.tool, length: length)
      minute.gateway = gateway?.minute(since: state.gateway, length: length)
      minute.pool = pool
      (state.tool, state.gateway, state.counters) = (tool, gateway, others)
      state.series.add(minute, part.recording.histograms)
      return minute
    }
    write(.minute(minute))
  }

  private func write(_ line: SoakLine) {
    // The form of these lines can always be encoded: their numbers are finite.
    guard let text = try? SoakCodec.encode(line) else { return }
    let (failure, isNew) = state.withLock { state in
      let before = state.writer.failure
      state.writer.append(text)
      return (state.writer.failure, before == nil)
    }
    if let failure, isNew {
      console.error(
        "the soak's file '\(path)' can't be written: \(failure). The run goes on; minutes wait for room, an hour of them at most"
      )
    }
  }
}

extension SoakMinute {
  init(_ part: RecordingParts.Part, untested: Set<String>) {
    let recording = part.recording
    var counters: [String: UInt64] = [
      "iterations": recording.iterations, "errors": recording.errors.total, "timeouts": recording.errors.timeouts,
      "dropped": recording.dropped, "censored": recording.censored,
    ]
    for name in recording.catalogue.counters where !untested.contains(name) {
      counters[name] = recording[recording.catalogue.counter(name)]
    }
    let histograms = recording.histograms
    let clamped = histograms.mapValues(\.clampedCount).filter { $0.value > 0 }
    self.init(
      t: part.start.seconds, seconds: (part.end - part.start).seconds, counters: counters,
      errors: recording.errors.entries.map { .init(kind: $0.kind, count: $0.count, example: $0.example) },
      histograms: histograms.mapValues(HistogramV2Codec.encodeCompressedBase64),
      clamped: clamped.isEmpty ? nil : clamped)
  }
}

extension Recording {
  /// The histograms of the metrics that have samples, by name.
  var histograms: [String: LatencyHistogram] {
    var histograms: [String: LatencyHistogram] = [:]
    for name in catalogue.metrics { histograms[name] = self[catalogue.metric(name)] }
    return histograms
  }
}

extension ErrorTally {
  /// Time-outs of all steps: bench-e2e counts errors as `<step>: <kind>`.
  var timeouts: UInt64 {
    entries.reduce(0) { sum, entry in
      let kind = entry.kind.split(separator: " ").last
      return kind == "timeout" || kind == "connect_timeout" ? sum + entry.count : sum
    }
  }
}

extension SoakRun {
  /// Opens the soak of a benchmark; nil where it is none.
  ///
  /// - Throws: Where its file can't be made.
  static func open<B: Benchmark>(
    _ settings: SoakSettings?, of benchmark: B, _ session: GatewaySession, target: ResultDocument.Target,
    startedAt: Date, untested: Set<String>, seed: UInt64, givesStatus: Bool,
    otherCounters: @escaping @Sendable () -> [String: UInt64] = { [:] }
  ) throws(BenchmarkFailure) -> SoakRun? {
    guard let settings, let place = session.bench.soakPlace else { return nil }
    let file: (descriptor: Int32, path: String)
    do throws(ResultWriteError) { file = try place.create(startedAt).get() } catch {
      throw BenchmarkFailure("the soak's file can't be made: \(error)")
    }
    let head = SoakHead(
      tool: B.description, version: SuiteVersion.version, build: SuiteVersion.build, label: place.label,
      startedAt: Timestamp(startedAt).iso8601, everySeconds: settings.every.seconds, parameters: benchmark.parameters,
      target: target, environment: .current(environment: place.environment),
      thresholds: place.thresholds.map { .init(expression: $0.expression, isDefault: $0.isDefault) },
      untested: untested.sorted(), notes: session.bench.notes.all)
    Heap.keepSmall()
    session.bench.console.note("soak: each minute is written to \(file.path)")
    let pool =
      givesStatus || session.embeddedECS != nil ? PoolWatch(session, every: settings.every, seed: seed) : nil
    return SoakRun(
      settings, head, descriptor: file.descriptor, path: file.path,
      subject: Subject(gatewayProcess: session.gatewayProcess, pool: pool, otherCounters: otherCounters),
      console: session.bench.console)
  }
}
