import AWS
import FoundationEssentials
package import Latency
package import LoadEngine
package import Results

/// Measures the latency of ECS's ListTasks and DescribeTasks, which delays everything that watches a pool.
package struct APIBenchmark: Benchmark {
  package static let description = ToolDescription(
    "bench-api", headlines: ["list_tasks"],
    metrics: [
      .init("list_tasks"), .init("describe_tasks"), .init("first_call"), .init("list_tasks_new_connection"),
      .init("describe_tasks_new_connection"), .init("list_tasks_first_byte"), .init("describe_tasks_first_byte"),
      .init("name_lookup", .setUp), .init("connect", .setUp), .init("tls", .setUp),
    ],
    counters: [.init("reconnects", share: .none), .init("throttles", share: .none), .init("retries", share: .none)],
    parameters: ["iterations", "rate", "timeout"] + .ecs + .embeddedGateway,
    breakdowns: [
      .init(of: "first_call", [.metric("name_lookup"), .metric("connect"), .metric("tls")]),
      .init(of: "list_tasks", [.metric("list_tasks_first_byte")]),
      .init(of: "describe_tasks", [.metric("describe_tasks_first_byte")]),
    ],
    references: [
      .listTasks,
      .init("ECS API from a laptop: first call, then on a kept connection", "about 650 ms, then about 170 ms"),
      .init("ECS API from a laptop: describe_tasks", "155 ms (153–158)"),
    ])
  package static let catalogue = description.catalogue

  /// The ECS to call; nil: the embedded gateway's own.
  package var ecs: ECSSettings?
  package var embedded: EmbeddedGatewaySettings
  package var iterations: Int
  /// The highest rate of calls; nil: each call follows the answer to the one before.
  package var rate: ArrivalRate?
  /// The longest time of one call.
  package var timeout: Nanoseconds

  package var timeouts: [String: Nanoseconds] { ["timeout": timeout] }

  package var parameters: [String: JSONValue] {
    let own: [String: JSONValue] = [
      "iterations": .int(Int64(iterations)), "rate": rate.map { .string(RateText.write($0)) } ?? .null,
      "timeout": .string(DurationText.write(timeout)),
    ]
    return own.merging(ecs?.parameters ?? ["poolSize": .int(Int64(embedded.poolSize))]) { $1 }
  }

  /// One call at a time: to ECS, or to the source of its credentials.
  package var openFiles: Int { 2 }

  package var callsAWS: Bool { true }

  package func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    guard let ecs else { return try await measureEmbedded(bench, startedAt) }
    if ecs.isWholeCluster {
      bench.note("no --service, --family or --started-by: all tasks of the cluster are listed and described")
    }
    let connection = try ECSConnection.open(
      ecs, environment: ProcessInfo.processInfo.environment, bench: bench, timeout: timeout)
    let target = ResultDocument.Target(kind: "remote", gatewayUrl: nil, ecsEndpointUrl: connection.endpointURL)
    return try await measure(connection, target, bench, startedAt)
  }

  private func measureEmbedded(_ bench: RunContext, _ startedAt: Date) async throws(BenchmarkFailure) -> Measurement {
    let settings = TargetSettings(
      gateway: .embedded(embedded), headers: [], tls: nil, isInsecure: false, agents: 0, allowsAgentsBesideReal: false)
    // No user gets a task, so that the tasks need no processes.
    return try await GatewaySession.with(
      settings, timeout: timeout, bench: bench, gatewayArguments: ["--virtual-tasks"]
    ) { session async throws(BenchmarkFailure) in
      guard let access = session.embeddedECS else { throw BenchmarkFailure("the embedded gateway has no ECS endpoint") }
      await RefillWait.beforeLoad(on: settings, session)
      let connection = try ECSConnection.open(embedded: access, bench: bench, timeout: timeout)
      // The gateway itself is never called.
      var target = session.document
      target.gatewayUrl = nil
      target.profile = nil
      return try await measure(connection, target, bench, startedAt)
    }
  }

  private func measure(
    _ connection: ECSConnection, _ target: ResultDocument.Target, _ bench: RunContext, _ startedAt: Date
  ) async throws(BenchmarkFailure) -> Measurement {
    let progress = ProgressCounter()
    let begin = MonotonicClock.now()
    let monitor = GeneratorMonitor()
    let run = try await ProgressReport.showing(progress, of: load, console: bench.console) {
      await Result(catching: { () async throws(BenchmarkFailure) in
        var run = APIRun(settings: self, connection: connection, bench: bench, progress: progress)
        try await run.perform()
        return run
      })
    }.get()
    let duration = MonotonicClock.now() - begin
    for note in run.calls.notes { bench.note(note) }
    var measurement = Measurement(
      recording: run.calls.recording,
      // No call has a due time, and libcurl's thread takes the instants: only the CPU quota is judged.
      generator: await monitor.finish(run.calls.recording, judgesLateness: false), target: target,
      startedAt: startedAt, duration: duration, findings: run.calls.findings)
    if run.calls.isPoolEmpty { measurement.worthless = "no task was listed: \(Self.emptiness(of: connection.filter))" }
    return measurement
  }

  /// Why no task was listed, as far as the filter tells.
  private static func emptiness(of filter: TaskFilter) -> String {
    let flags = [
      ("--cluster", filter.cluster), ("--service", filter.serviceName), ("--family", filter.family),
      ("--started-by", filter.startedBy),
    ]
    let given = flags.compactMap { flag, value in value.map { "\(flag) \($0)" } }.joined(separator: " ")
    return "DescribeTasks had nothing to describe; check "
      + (given.isEmpty ? "--cluster, and --region" : "\(given), and --region") + ", or wait until the pool has tasks"
  }

  /// The load in other tools' terms: one virtual user in a closed loop.
  var load: LoadSettings {
    LoadSettings(
      count: iterations, duration: nil, concurrency: 1, warmup: .iterations(0), timeout: timeout, userIDPrefix: "",
      seed: 0)
  }
}

/// Runs the iterations, one after another: each lists the tasks, then describes those that were listed.
struct APIRun: Sendable {
  let settings: APIBenchmark
  let connection: ECSConnection
  let bench: RunContext
  let progress: ProgressCounter

  private(set) var calls = APICalls()
  /// The error that has ended the run; nil if there was none.
  private var lastingError: String?
  private var pace: CallRateLimit

  init(settings: APIBenchmark, connection: ECSConnection, bench: RunContext, progress: ProgressCounter) {
    self.settings = settings
    self.connection = connection
    self.bench = bench
    self.progress = progress
    pace = CallRateLimit(settings.rate)
  }

  /// Returns early when the task is cancelled, and after an error that every later call would meet too; earlier samples
  /// are kept.
  ///
  /// - Throws: such an error, if it occurs in the first iteration.
  mutating func perform() async throws(BenchmarkFailure) {
    for number in 1...settings.iterations {
      let now = MonotonicClock.now()
      if now < pace.nextAt { try? await Task.sleep(for: pace.nextAt - now) }
      guard !Task.isCancelled else { return }
      let begin = MonotonicClock.now()
      let callsBefore = calls.count
      let line = try await iterate()
      pace.made(calls.count - callsBefore, from: begin, isComplete: line.ending == .success)
      progress.add(line.ending)
      if settings.load.showsIterations, bench.console.showsIterations {
        bench.console.data("Run \(number): \(line.text)\n")
      }
      if let lastingError { return bench.note("the run was ended early: \(lastingError)") }
    }
  }

  private mutating func iterate() async throws(BenchmarkFailure) -> (ending: IterationRecord.Ending, text: String) {
    var record = IterationRecord()
    var parts: [String] = []
    var operation = APICalls.Operation.listTasks
    do throws(AWSError) {
      let list = try await connection.client.listTasks(connection.filter, retry: .never)
      parts.append(calls.add(list.calls, of: .listTasks))
      calls.listed(list.value.count)
      operation = .describeTasks
      if !list.value.isEmpty {
        let description = try await connection.client.describeTasks(
          list.value, cluster: connection.filter.cluster, retry: .never)
        parts.append(calls.add(description.calls, of: .describeTasks))
      }
    } catch {
      // The pages that were answered are samples, even if a later page failed.
      if !error.answeredCalls.isEmpty { parts.append(calls.add(error.answeredCalls, of: operation)) }
      let failure = APIFailure(error, of: operation, isAnyAnswered: calls.isAnyAnswered)
      switch Task.isCancelled ? .interrupted : failure {
      case .interrupted: record.censor()
      case .passing(let kind, let example):
        record.fail(kind, example)
        calls.failed(error)
        parts.append("failed (\(kind))")
      case .lasting(let message):
        guard calls.recording.iterations > 0 else { throw BenchmarkFailure("ECS cannot be measured: \(message)") }
        let kind = "\(operation.rawValue): \(error.resultKind)"
        record.fail(kind, message)
        calls.failed(error)
        parts.append("failed (\(kind))")
        lastingError = message
      }
    }
    calls.add(record)
    return (record.ending, record.ending == .censored ? "interrupted" : parts.joined(separator: ", "))
  }
}
