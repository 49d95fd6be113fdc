import AWS
import Latency
import LoadEngine

/// The iterations, one after another: each lists the tasks, then describes those that were listed.
struct APIRun: Sendable {
  let settings: APIBenchmark
  let connection: ECSConnection
  let bench: Bench
  let progress: ProgressCounter

  private(set) var calls = APICalls()
  /// The error that has ended the run.
  private var lastingError: String?
  private var pace: CallPace

  init(settings: APIBenchmark, connection: ECSConnection, bench: Bench, progress: ProgressCounter) {
    self.settings = settings
    self.connection = connection
    self.bench = bench
    self.progress = progress
    pace = CallPace(settings.rate)
  }

  /// Returns early when the task is cancelled, and after an error that no later call changes: what was measured before it is
  /// kept.
  ///
  /// - Throws: for such an error of the first iteration.
  mutating func perform() async throws(BenchmarkFailure) {
    for number in 1...settings.iterations {
      let now = MonotonicClock.now()
      if now < pace.nextAt { try? await Task.sleep(nanoseconds: pace.nextAt - now) }
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
      // Pages that were answered are samples, whatever became of the next one.
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
