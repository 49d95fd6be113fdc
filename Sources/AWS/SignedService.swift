import FoundationEssentials
public import Latency
import Synchronization

/// Sends the operations of one service over either of AWS's protocols (JSON, query): it signs, sends, retries within a
/// quota, reloads expired credentials, corrects the clock and classifies errors. The caller encodes requests and reads
/// answers.
///
/// ```swift
/// let request = ServiceRequest(operation: "ListTasks", headers: headers, body: Array("{}".utf8))
/// let (arns, record) = try await service.send(request, retry: .standard) { response in
///   try JSONDecoder().decode(Answer.self, from: Data(response.body)).taskArns
/// }
/// // record.attempts == 1, record.timings.total
/// ```
final class SignedService: Sendable {
  private struct State {
    var clockOffset: Int64 = 0
    /// The clock's offset in the last warning, in seconds.
    var toldOffset: Int64?
    var throttles = 0
    var quota = RetryQuota()
  }

  /// The state of one call between its tries.
  private struct Progress {
    var key: AWSCredentials?
    var attempts = 0
    var failures = 0
    var throttles = 0
    /// The quota that the last retry took.
    var price: Int?
    var hasReloaded = false
    var hasSetClock = false
  }

  /// The clock's offset from which the user is warned, in seconds; a change of it by `tellingChange` causes another
  /// warning.
  private static let tellingOffset: Int64 = 5
  private static let tellingChange: Int64 = 60

  let target: ServiceTarget
  private let credentials: (any CredentialsProvider)?
  private let transport: any HTTPTransport
  private let environment: CallEnvironment
  private let state = Mutex(State())

  /// - Parameter credentials: `nil` where no operation is signed.
  init(
    target: ServiceTarget, credentials: (any CredentialsProvider)?, transport: any HTTPTransport,
    environment: CallEnvironment
  ) {
    self.target = target
    self.credentials = credentials
    self.transport = transport
    self.environment = environment
  }

  /// The number of throttled answers since the start, retried ones included.
  var throttleCount: Int { state.withLock { $0.throttles } }

  /// Calls one operation.
  ///
  /// - Parameter read: reads an answer of status 200. An ``AWSError`` that it throws becomes the call's; any other
  ///   error means that the body is not the operation's answer. The call retries neither.
  func send<Output>(
    _ request: ServiceRequest, retry: RetryPolicy, read: (HTTPResponse) throws -> Output
  ) async throws(AWSError) -> (output: Output, record: CallRecord) {
    var progress = Progress()
    if request.isSigned { progress.key = try await credentials?.credentials(replacing: nil) }
    let begunAt = MonotonicClock.now()
    while true {
      progress.attempts += 1
      let context = CallContext(request, target: target, credentials: progress.key)
      var answer: HTTPResponse?
      do throws(AWSError) {
        let response = try await exchange(request, context)
        answer = response
        let output = try result(of: response, context, read)
        state.withLock { $0.quota.succeed(havingPaid: progress.price) }
        let record = CallRecord(
          response, request.operation, attempts: progress.attempts, throttles: progress.throttles,
          begunAt: begunAt)
        return (output, record)
      } catch {
        if error.kind == .throttled {
          progress.throttles += 1
          state.withLock { $0.throttles += 1 }
        }
        if try await reloadCredentials(after: error, &progress) { continue }
        if setClock(after: error, answer, &progress) { continue }
        try await waitForNextTry(after: error, retry, &progress, context)
      }
    }
  }

  private func exchange(_ request: ServiceRequest, _ context: CallContext) async throws(AWSError) -> HTTPResponse {
    var headers = request.headers
    if let key = context.credentials {
      let signable = SignableRequest(
        method: "POST", path: target.endpoint.path, headers: headers + [("Host", target.endpoint.hostHeader)],
        body: request.body)
      let date = SigningDate(epochSeconds: environment.wallClock() + state.withLock { $0.clockOffset })
      let signer = RequestSigner(credentials: key, region: target.region, service: target.signingName)
      headers += signer.sign(signable, at: date).addedHeaders
    }
    do throws(TransferError) {
      return try await transport.send(
        HTTPRequest(method: .post, url: target.endpoint.url, headers: headers, body: request.body))
    } catch {
      throw AWSError(error, context)
    }
  }

  /// Reads the answer. Its body must have the operation's form: gateways and test servers answer 200 with XML or HTML
  /// too.
  private func result<Output>(
    of response: HTTPResponse, _ context: CallContext, _ read: (HTTPResponse) throws -> Output
  ) throws(AWSError) -> Output {
    guard response.status == 200 else { throw AWSError(answer: response, context) }
    do {
      return try read(response)
    } catch let error as AWSError {
      throw error
    } catch {
      throw AWSError(malformed: response, context)
    }
  }

  /// - Returns: whether there are other credentials to try; at most once in a call.
  private func reloadCredentials(after error: AWSError, _ progress: inout Progress) async throws(AWSError) -> Bool {
    guard error.kind == .expiredCredentials, !progress.hasReloaded, let old = progress.key, let credentials else {
      return false
    }
    progress.hasReloaded = true
    let fresh = try await credentials.credentials(replacing: old)
    progress.key = fresh
    return fresh != old
  }

  /// Dates all later requests by the service's clock.
  ///
  /// - Returns: whether the answer told the clock's time, and this call has not corrected the clock before.
  private func setClock(after error: AWSError, _ answer: HTTPResponse?, _ progress: inout Progress) -> Bool {
    guard error.kind == .clockSkew, !progress.hasSetClock,
      let theirs = answer?.header("date").flatMap(HTTPDate.epochSeconds)
    else { return false }
    progress.hasSetClock = true
    let offset = theirs - environment.wallClock()
    let isNews = state.withLock { state in
      state.clockOffset = offset
      guard state.toldOffset.map({ abs($0 - offset) >= SignedService.tellingChange }) ?? true else { return false }
      state.toldOffset = offset
      return true
    }
    if isNews {
      environment.warn(
        abs(offset) < SignedService.tellingOffset
          ? "AWS found a request dated too far from its clock, though its clock and this machine's agree: the request was "
            + "held up on the way, or something between answers with a date of its own"
          : "this machine's clock differs from AWS's by \(-offset) s; requests are dated by AWS's clock")
    }
    return true
  }

  /// Waits for the next try, or throws `error` where there is no next try.
  private func waitForNextTry(
    after error: AWSError, _ retry: RetryPolicy, _ progress: inout Progress, _ context: CallContext
  ) async throws(AWSError) {
    progress.failures += 1
    var error = error
    error.attempts = progress.attempts
    error.throttles = progress.throttles
    guard let delay = retry.delay(after: error, failures: progress.failures, random: environment.random()) else {
      throw error
    }
    progress.price = state.withLock { $0.quota.acquire(after: error) }
    guard progress.price != nil else {
      error.isRetryQuotaUsedUp = true
      throw error
    }
    do {
      try await environment.sleep(delay)
    } catch is CancellationError {
      throw AWSError(TransferError(.cancelled, "the request was cancelled"), context)
    } catch let sleepError {
      throw AWSError(TransferError(.other, "\(sleepError)"), context)
    }
  }
}

/// Calls operations of one service that speaks AWS JSON 1.1.
struct JSONService: Sendable {
  /// The prefix of the `X-Amz-Target` header, `AmazonEC2ContainerServiceV20141113`.
  let targetPrefix: String
  let service: SignedService

  /// Calls one operation.
  func call<Input: Encodable, Output: Decodable>(
    _ operation: String, _ input: Input, returning output: Output.Type, retry: RetryPolicy
  ) async throws(AWSError) -> (output: Output, record: CallRecord) {
    let request = ServiceRequest(
      operation: operation,
      headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "\(targetPrefix).\(operation)")],
      body: try encode(input))
    return try await service.send(request, retry: retry) { response in
      try JSONDecoder().decode(Output.self, from: Data(response.body))
    }
  }

  private func encode(_ input: some Encodable) throws(AWSError) -> [UInt8] {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return Array(try encoder.encode(input))
    } catch {
      throw .configuration("the request cannot be written as JSON: \(error)")
    }
  }
}

/// A service, its endpoint, and its name in signatures.
struct ServiceTarget: Sendable {
  /// The name in signatures and in permissions, `ecs`.
  var signingName: String
  /// The region that signatures name.
  var region: String
  /// The endpoint that requests go to.
  var endpoint: ServiceEndpoint
  /// The setting to check when the endpoint is wrong, `--ecs-endpoint-url`.
  var endpointSetting: String
}

/// One `POST` of an operation, without its signature.
struct ServiceRequest: Sendable {
  /// The operation's name, `ListTasks`.
  var operation: String
  /// The headers of the protocol; they are signed too.
  var headers: [(name: String, value: String)]
  /// The body, equal in every try, so that a client token in it stops the service from doing the operation twice.
  var body: [UInt8]
  /// Whether the request is signed; `AssumeRoleWithWebIdentity` is not.
  var isSigned = true
  /// Secrets beside the credentials that no error may show, such as a web identity token.
  var secrets: [String] = []
  /// Whether a successful answer holds secrets; an error then shows nothing of a malformed one.
  var answerIsSecret = false
}

/// The facts that an error must name (the operation, the endpoint, the key's source), and the secrets that it must not
/// show.
struct CallContext: Sendable {
  var target: ServiceTarget
  /// The operation's name, `ListTasks`.
  var operation: String
  /// The credentials that signed the request, `nil` for an unsigned one.
  var credentials: AWSCredentials?
  var redaction: Redaction
  var answerIsSecret: Bool

  init(_ request: ServiceRequest, target: ServiceTarget, credentials: AWSCredentials?) {
    self.target = target
    self.credentials = credentials
    operation = request.operation
    answerIsSecret = request.answerIsSecret
    redaction = Redaction(
      [credentials?.secretAccessKey, credentials?.sessionToken].compactMap { $0 } + request.secrets,
      accessKeyID: credentials?.accessKeyID)
  }

  /// `ecs:ListTasks`, also the name of the permission.
  var action: String { "\(target.signingName):\(operation)" }

  /// `ecs:ListTasks at https://ecs.eu-west-1.amazonaws.com/`.
  var place: String { "\(action) at \(target.endpoint.url)" }

  /// The source of the credentials.
  var source: String { credentials?.source ?? "nowhere: the request is not signed" }
}

/// The tries and the times of one successful call.
public struct CallRecord: Sendable, Equatable {
  /// `ListTasks`.
  public var operation: String
  /// The tries it took, 1 and up.
  public var attempts: Int
  /// How many of those tries the service refused because there were too many calls.
  public var throttles: Int
  /// The phases of the last try, which was answered.
  public var timings: TransferTimings
  /// The time before the last try: failed tries and the waits after them; zero where the first try was answered.
  public var pauses: Nanoseconds
  /// `x-amzn-requestid`.
  public var requestID: String?

  init(_ response: HTTPResponse, _ operation: String, attempts: Int, throttles: Int, begunAt: Instant) {
    self.operation = operation
    self.attempts = attempts
    self.throttles = throttles
    timings = response.timings
    pauses = attempts > 1 ? response.timings.sentAt.elapsed(since: begunAt) : .zero
    requestID = response.requestID
  }
}

/// The clock, the sleep and the randomness of calls; tests replace them.
public struct CallEnvironment: Sendable {
  /// The wall clock, in seconds since 1970; it gives requests their date.
  public var wallClock: @Sendable () -> Int64
  /// Waits for a duration; throws when the task is cancelled.
  public var sleep: @Sendable (Nanoseconds) async throws -> Void
  /// Uniform in 0…1.
  public var random: @Sendable () -> Double
  /// Takes a warning, one line, about a problem that does not make the call fail.
  public var warn: @Sendable (String) -> Void

  /// Makes an environment.
  public init(
    wallClock: @escaping @Sendable () -> Int64, sleep: @escaping @Sendable (Nanoseconds) async throws -> Void,
    random: @escaping @Sendable () -> Double, warn: @escaping @Sendable (String) -> Void
  ) {
    self.wallClock = wallClock
    self.sleep = sleep
    self.random = random
    self.warn = warn
  }

  /// The environment of this machine: its clock, sleep and randomness.
  public static func system(warn: @escaping @Sendable (String) -> Void) -> CallEnvironment {
    CallEnvironment(
      wallClock: { Int64(Date().timeIntervalSince1970.rounded(.down)) },
      sleep: { try await Task.sleep(for: $0) },
      random: { Double.random(in: 0...1) },
      warn: warn)
  }
}
