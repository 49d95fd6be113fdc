import AWSSignature
import FoundationEssentials
import Synchronization

/// Calls operations of one service that speaks AWS JSON 1.1: signs, sends, retries, classifies errors.
final class JSONService: Sendable {
  /// What differs between services.
  struct Dialect: Sendable {
    /// `ecs`: in signatures and in the names of permissions.
    var signingName: String
    /// `AmazonEC2ContainerServiceV20141113`.
    var targetPrefix: String
  }

  private struct State {
    var clockOffset: Int64 = 0
    var throttles = 0
  }

  private let dialect: Dialect
  private let endpoint: ServiceEndpoint
  private let region: String
  private let credentials: any CredentialsProvider
  private let transport: any HTTPTransport
  private let environment: CallEnvironment
  private let state = Mutex(State())

  init(
    dialect: Dialect, endpoint: ServiceEndpoint, region: String, credentials: any CredentialsProvider,
    transport: any HTTPTransport, environment: CallEnvironment
  ) {
    self.dialect = dialect
    self.endpoint = endpoint
    self.region = region
    self.credentials = credentials
    self.transport = transport
    self.environment = environment
  }

  /// Answers that asked for fewer calls, since the start; retried ones count too.
  var throttleCount: Int { state.withLock { $0.throttles } }

  /// Calls one operation.
  func call<Input: Encodable, Output: Decodable>(
    _ operation: String, _ input: Input, returning output: Output.Type, retry: RetryPolicy
  ) async throws(AWSError) -> (output: Output, record: CallRecord) {
    let body = try encode(input)
    let name = "\(dialect.signingName):\(operation)"
    var key = try await credentials.credentials(replacing: nil)
    var failures = 0
    var attempts = 0
    var hasReloaded = false
    var hasSetClock = false
    while true {
      attempts += 1
      var answer: HTTPResponse?
      do throws(AWSError) {
        let response = try await send(operation, body: body, key: key, name: name)
        answer = response
        return (try read(response, as: output, name: name, key: key), CallRecord(response, operation, attempts: attempts))
      } catch {
        if error.kind == .throttled { state.withLock { $0.throttles += 1 } }
        if error.kind == .expiredCredentials, !hasReloaded {
          hasReloaded = true
          let fresh = try await credentials.credentials(replacing: key)
          if fresh != key {
            key = fresh
            continue
          }
        }
        if error.kind == .clockSkew, !hasSetClock, let answer, setClock(by: answer) {
          hasSetClock = true
          continue
        }
        failures += 1
        guard let delay = retry.delay(after: error, failures: failures, random: environment.random()) else { throw error }
        do {
          try await environment.sleep(delay)
        } catch is CancellationError {
          throw AWSError(TransferError(.cancelled, "the request was cancelled"), operation: name, url: endpoint.url)
        } catch let sleepError {
          throw AWSError(TransferError(.other, "\(sleepError)"), operation: name, url: endpoint.url)
        }
      }
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

  private func send(
    _ operation: String, body: [UInt8], key: AWSCredentials, name: String
  ) async throws(AWSError) -> HTTPResponse {
    let date = SigningDate(epochSeconds: environment.wallClock() + state.withLock { $0.clockOffset })
    let headers: [(name: String, value: String)] = [
      ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "\(dialect.targetPrefix).\(operation)"),
    ]
    let signable = SignableRequest(
      method: "POST", path: endpoint.path, headers: headers + [("Host", endpoint.hostHeader)], body: body)
    let signed = RequestSigner(credentials: key, region: region, service: dialect.signingName).sign(signable, at: date)
    do throws(TransferError) {
      return try await transport.send(
        HTTPRequest(method: .post, url: endpoint.url, headers: headers + signed.addedHeaders, body: body))
    } catch {
      throw AWSError(error, operation: name, url: endpoint.url)
    }
  }

  /// The body must have the operation's own shape: gateways and test servers answer 200 with XML or HTML too.
  private func read<Output: Decodable>(
    _ response: HTTPResponse, as output: Output.Type, name: String, key: AWSCredentials
  ) throws(AWSError) -> Output {
    guard response.status == 200 else { throw AWSError(answer: response, operation: name, credentials: key) }
    do {
      return try JSONDecoder().decode(Output.self, from: Data(response.body))
    } catch {
      throw AWSError(malformed: response, operation: name, credentials: key)
    }
  }

  /// Takes the service's clock for requests from now on.
  private func setClock(by response: HTTPResponse) -> Bool {
    guard let theirs = response.header("date").flatMap(HTTPDate.epochSeconds) else { return false }
    let offset = theirs - environment.wallClock()
    state.withLock { $0.clockOffset = offset }
    environment.warn("this machine's clock differs from AWS's by \(-offset) s; requests are dated by AWS's clock")
    return true
  }
}
