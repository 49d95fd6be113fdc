import AWS
import Latency
import LoadEngine
import Results
import TextFormatting

/// Records the latency of answered calls, separated by the kind of connection that they used.
struct APICalls: Sendable {
  /// The API operation of a call.
  enum Operation: String, Sendable {
    case listTasks = "list_tasks"
    case describeTasks = "describe_tasks"
  }

  /// The kind of a call's connection, which decides what its latency includes.
  enum Connection: Sendable, Equatable {
    /// The run's very first call: its latency includes name look-up, TCP and TLS, and no cache was warm.
    case first
    /// Opened by a later call, as the connection before was closed.
    case new
    /// Kept from the call before: the latency is the network round trip and the service's time.
    case kept
  }

  private typealias Benchmark = APIBenchmark
  private static let reconnects = Benchmark.catalogue.counter("reconnects")
  private static let throttles = Benchmark.catalogue.counter("throttles")
  private static let retries = Benchmark.catalogue.counter("retries")

  private(set) var recording = Recording(Benchmark.catalogue)
  /// The number of calls that were answered with a result.
  private(set) var count = 0
  /// Whether the endpoint has answered so far, with a result or an error.
  private(set) var isAnyAnswered = false

  private var hasFailed = false
  /// The number of answered calls that used a kept connection.
  private var keptCount = 0
  private var fewestTasks: Int?
  private var mostTasks = 0

  /// Adds the calls of one operation, one for each page or batch; returns their latencies in words.
  mutating func add(_ records: [CallRecord], of operation: Operation) -> String {
    var sum: Nanoseconds = .zero
    var remarks = records.count > 1 ? ["\(records.count) calls"] : []
    for record in records {
      switch add(record.timings, of: operation, attempts: record.attempts) {
      case .first: remarks.append("first call")
      case .new where !remarks.contains("new connection"): remarks.append("new connection")
      case .new, .kept: break
      }
      sum += record.timings.latency
    }
    let remark = remarks.isEmpty ? "" : " (\(remarks.joined(separator: ", ")))"
    return "\(operation.rawValue)=\(NumberText.time(milliseconds: sum.milliseconds))\(remark)"
  }

  /// Adds one answered call; `timings` are those of the last of its `attempts`.
  @discardableResult
  mutating func add(_ timings: TransferTimings, of operation: Operation, attempts: Int) -> Connection {
    // A retried call is no first call: its first try has already used the network and the caches.
    let isFirst = count == 0 && !hasFailed && attempts == 1
    let connection: Connection = timings.reusedConnection ? .kept : isFirst ? .first : .new
    count += 1
    isAnyAnswered = true
    recording.count(Self.retries, by: UInt64(max(0, attempts - 1)))
    switch connection {
    case .first: sample("first_call", timings.latency)
    case .new:
      recording.count(Self.reconnects)
      sample("\(operation.rawValue)_new_connection", timings.latency)
    case .kept:
      keptCount += 1
      sample(operation.rawValue, timings.latency)
      sample("\(operation.rawValue)_first_byte", timings.firstByte)
    }
    for (metric, phase) in [("name_lookup", timings.nameLookup), ("connect", timings.connect), ("tls", timings.tls)] {
      if let phase { sample(metric, phase) }
    }
    return connection
  }

  /// Notes the number of tasks that a listing returned.
  mutating func listed(_ tasks: Int) {
    fewestTasks = min(fewestTasks ?? tasks, tasks)
    mostTasks = max(mostTasks, tasks)
  }

  /// Counts a failed call, without a sample: neither a quick refusal nor a time-out is a latency.
  mutating func failed(_ error: AWSError) {
    hasFailed = true
    if error.httpStatus != nil { isAnyAnswered = true }
    if error.kind == .throttled { recording.count(Self.throttles) }
    recording.count(Self.retries, by: UInt64(max(0, error.attempts - 1)))
  }

  /// Counts an iteration, whose samples are here already: an answered call counts even if the next one failed.
  mutating func add(_ iteration: IterationRecord) { recording.add(iteration, dueAt: .distantPast) }

  /// Whether every listing was empty, so that DescribeTasks was never called.
  var isPoolEmpty: Bool { fewestTasks != nil && mostTasks == 0 }

  /// The result's findings: the numbers of calls and of listed tasks.
  var findings: [String: JSONValue] {
    var findings: [String: JSONValue] = ["calls": .int(Int64(count))]
    if let fewestTasks {
      findings["tasks_listed"] =
        fewestTasks == mostTasks ? .int(Int64(mostTasks)) : .string("\(fewestTasks)–\(mostTasks)")
    }
    return findings
  }

  /// The notes for the reader of the figures.
  var notes: [String] {
    var notes: [String] = []
    let reconnects = recording[Self.reconnects]
    if reconnects > 0 {
      notes.append(
        "\(reconnects) of \(count) calls opened a connection anew, as the one before was closed: they are in "
          + "list_tasks_new_connection and describe_tasks_new_connection, and not in list_tasks and describe_tasks")
    }
    if count > 0, keptCount == 0 {
      notes.append("no call found a kept connection: list_tasks and describe_tasks have no samples")
    }
    if count > 0, recording[Benchmark.catalogue.metric("first_call")] == nil {
      notes.append(
        "first_call has no sample: the very first call got no result, or found a connection that was there already")
    }
    if fewestTasks == 0, !isPoolEmpty {
      notes.append("not every listing had tasks: where it had none DescribeTasks was not called")
    }
    let retries = recording[Self.retries]
    if retries > 0 {
      notes.append(
        "\(retries) tries were made again with fresh credentials or another clock: the latency is the last try's")
    }
    return notes
  }

  private mutating func sample(_ metric: String, _ length: Nanoseconds) {
    // libcurl counts phases in whole µs, so that 0 means less than 1 µs.
    recording.sample(Benchmark.catalogue.metric(metric), max(.nanoseconds(1), length))
  }
}

extension TransferTimings {
  /// The time from handing the request to libcurl to the whole answer.
  fileprivate var latency: Nanoseconds { answeredAt.elapsed(since: sentAt) }
}

/// The consequence of a failed call for the run.
enum APIFailure: Equatable {
  /// The run is being interrupted.
  case interrupted
  /// The next call may succeed: the failure is counted by `kind`, and the run goes on.
  case passing(kind: String, example: String)
  /// Every later call would fail too, for this reason.
  case lasting(String)

  /// Judges `error`; `isAnyAnswered` tells whether that endpoint has answered so far.
  init(_ error: AWSError, of operation: APICalls.Operation, isAnyAnswered: Bool) {
    var error = error
    if error.kind == .throttled { error.hint = "call less often (--rate)" }
    if error.transfer?.kind == .cancelled {
      self = .interrupted
    } else if !error.isRetryable || !isAnyAnswered && Self.isUnreachable(error) {
      self = .lasting(error.description)
    } else {
      self = .passing(kind: "\(operation.rawValue): \(Self.kind(of: error))", example: error.description)
    }
  }

  /// Whether the endpoint cannot be reached. Any endpoint may lose a connection; an endpoint to which none can be made
  /// is most likely a wrong one.
  private static func isUnreachable(_ error: AWSError) -> Bool {
    error.kind == .transfer && error.transfer?.kind != .connectionLost
  }

  private static func kind(of error: AWSError) -> String {
    switch error.kind {
    case .throttled: return "throttled"
    case .server: return error.httpStatus.map { "http_\($0)" } ?? "server"
    default: break
    }
    return switch error.transfer?.kind {
    case .nameLookup: "dns"
    case .connect: "connect_failed"
    case .timeout: "timeout"
    case .connectionLost: "connection_lost"
    case .malformedAnswer: "invalid_response"
    default: error.kind.rawValue
    }
  }
}

/// When the next calls may be made, so that they never exceed a rate. Pure.
///
/// The calls of one iteration follow one another at once; the next iteration waits until the rate allows as many calls.
struct CallRateLimit: Sendable {
  private let rate: ArrivalRate?
  private var lastCount = 1
  private(set) var nextAt: Instant = .distantPast

  /// A limit of `rate` calls; nil: no limit.
  init(_ rate: ArrivalRate?) { self.rate = rate }

  /// Notes calls that began at `begin`. Unused time is lost: there is no catching up.
  ///
  /// An iteration that failed does not tell how many calls it made: it counts as many as the iteration before.
  mutating func made(_ calls: Int, from begin: Instant, isComplete: Bool) {
    let count = max(1, isComplete ? calls : max(calls + 1, lastCount))
    if isComplete { lastCount = count }
    guard let rate, rate.starts > 0 else { return }
    let rest = UInt128(count) * UInt128(rate.period.nanoseconds) / UInt128(rate.starts)
    nextAt = begin + .nanoseconds(rest)
  }
}
