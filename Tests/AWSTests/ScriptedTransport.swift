import AWS
import Latency
import Synchronization
import Testing
import TestSupport

/// A transport whose answers a test writes down beforehand; it keeps the requests.
final class ScriptedTransport: HTTPTransport {
  typealias Answer = Result<HTTPResponse, TransferError>

  private let state: Mutex<(answers: [Answer], requests: [HTTPRequest])>

  init(_ answers: [Answer]) { state = Mutex((answers, [])) }

  var requests: [HTTPRequest] { state.withLock { $0.requests } }

  func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
    let answer = state.withLock { state in
      state.requests.append(request)
      return state.answers.isEmpty ? nil : state.answers.removeFirst()
    }
    guard let answer else { throw TransferError(.other, "the script has no answer left") }
    return try answer.get()
  }
}

extension Result where Success == HTTPResponse, Failure == TransferError {
  static func json(_ status: Int, _ text: String, headers: [(name: String, value: String)] = []) -> Self {
    .success(
      HTTPResponse(
        status: status, headers: headers, body: Array(text.utf8), timings: TransferTimings(sentAt: 1, answeredAt: 2)))
  }
}

/// Records what a client asked of its environment; time passes only when it sleeps.
final class ManualEnvironment: Sendable {
  private let state = Mutex((now: Int64(1_770_000_000), sleeps: [Nanoseconds](), warnings: [String]()))

  var sleeps: [Nanoseconds] { state.withLock { $0.sleeps } }
  var warnings: [String] { state.withLock { $0.warnings } }

  func environment(random: Double = 1) -> CallEnvironment {
    CallEnvironment(
      wallClock: { self.state.withLock { $0.now } },
      sleep: { duration in
        try Task.checkCancellation()
        self.state.withLock {
          $0.sleeps.append(duration)
          $0.now += Int64(duration / .seconds(1))
        }
      },
      random: { random },
      warn: { text in self.state.withLock { $0.warnings.append(text) } })
  }
}

/// Credentials that are used up one after the other.
final class CredentialSequence: CredentialsProvider {
  private let values: Mutex<[AWSCredentials]>

  init(_ values: [AWSCredentials]) { self.values = Mutex(values) }

  func credentials(replacing rejected: AWSCredentials?) async throws(AWSError) -> AWSCredentials {
    let value = values.withLock { values in
      if rejected != nil, values.count > 1 { values.removeFirst() }
      return values.first
    }
    guard let value else { throw AWSError(.configuration, message: "none") }
    return value
  }
}

let testKey = AWSCredentials(
  accessKeyID: "AKIATEST", secretAccessKey: "sEcReT/value", sessionToken: "tOkEn-value", source: "the test")

func makeClient(
  _ transport: any HTTPTransport, endpoint: String = "http://127.0.0.1:9", environment: CallEnvironment,
  credentials: any CredentialsProvider = StaticCredentials(testKey)
) throws -> ECSClient {
  let configuration = AWSConfiguration(
    region: "eu-west-1", ecsEndpoint: try ServiceEndpoint(parsing: endpoint, source: "test"), credentials: credentials)
  return ECSClient(configuration: configuration, transport: transport, environment: environment)
}

/// The `AWSError` that `body` throws.
func awsError(_ body: () async throws -> Void) async -> AWSError? {
  do {
    try await body()
    return nil
  } catch { return error as? AWSError }
}
