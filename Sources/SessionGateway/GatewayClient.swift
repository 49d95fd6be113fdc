import FoundationEssentials
public import GatewayProtocol
import Latency
import NIOCore
import Synchronization
public import Transport

/// What a task was asked for, and how it came.
public struct Acquisition: Sendable {
  /// The gateway's answer.
  public var answer: AcquireAnswer
  /// The stamps of the request and its response, in ns.
  public var exchange: HTTPExchange
}

/// The outcome of `POST /api/acquire`.
public enum AcquireOutcome: Sendable {
  /// A task was assigned.
  case assigned(Acquisition)
  /// The pool had none to give: no success, and no failure of the gateway either.
  case miss(HTTPExchange)
  /// Anything else.
  case failed(GatewayError, firstByteWrittenAt: UInt64?)
}

/// One user's kept connection to a gateway's REST side; it is opened again when the gateway has closed it.
public final class GatewayClient: Sendable {
  private let endpoint: Endpoint
  private let requests: GatewayRequests
  private let tls: TLSClient?
  private let executor: LoopExecutor
  private let timeout: UInt64
  private let state = Mutex(State())

  private struct State {
    var connection: HTTPConnection?
    /// The bytes of the last request. Their memory is used again: by the next request nobody else holds it.
    var request = ByteBuffer()

    /// The kept connection, if a request can be sent over it.
    var usable: HTTPConnection? {
      guard let connection, connection.isUsable else { return nil }
      return connection
    }
  }

  /// A cancelled acquire waits this long for its answer, in ns: a task that was assigned can only be released by its id.
  private static let acquireGrace: UInt64 = 1_500_000_000

  /// Makes a client whose operations, connecting among them, each take at most `timeout` ns.
  public init(
    to endpoint: Endpoint, requests: GatewayRequests, tls: TLSClient?, on executor: LoopExecutor, timeout: UInt64
  ) {
    self.endpoint = endpoint
    self.requests = requests
    self.tls = tls
    self.executor = executor
    self.timeout = timeout
  }

  /// Whether there is an open connection, so that ``connect()`` has nothing to do.
  public var isConnected: Bool { state.withLock { $0.usable != nil } }

  /// Makes sure that there is an open connection; the phases of a new one, nil where there was one already.
  public nonisolated(nonsending) func connect() async -> Result<ConnectPhases?, GatewayError> {
    if isConnected { return .success(nil) }
    return await open().map(\.phases)
  }

  /// Asks for a task for `userID`, a valid ``UserID``; with `waitForReady` the answer comes when the task has confirmed.
  public nonisolated(nonsending) func acquire(userID: String, waitForReady: Bool = false) async -> AcquireOutcome {
    let exchange: HTTPExchange
    let request = state.withLock { state in
      requests.acquire(userID: userID, waitForReady: waitForReady, into: &state.request)
      return state.request
    }
    switch await send(request, graceOnCancel: Self.acquireGrace) {
    case .failure(let error): return .failed(error, firstByteWrittenAt: nil)
    case .success(let done): exchange = done
    }
    let writtenAt = exchange.firstByteWrittenAt
    guard exchange.response.status == 200 else {
      return .failed(Self.unexpectedStatus(exchange.response), firstByteWrittenAt: writtenAt)
    }
    switch Self.decode(AcquireAnswer.self, exchange.response) {
    case .failure(let error):
      return .failed(error, firstByteWrittenAt: writtenAt)
    case .success(let answer) where answer.success == false:
      // The lab's miss: it names no task and says how many there are, or that there are none.
      let isEmpty = answer.warmCount == 0 || answer.error?.lowercased().contains("no warm task") ?? false
      // A code names a failure, such as TASK_START_FAILED, however empty the pool is.
      if isEmpty, (answer.code ?? "NO_WARM_TASK") == "NO_WARM_TASK" { return .miss(exchange) }
      let reason = answer.code ?? answer.error ?? "no reason given"
      return .failed(
        GatewayError(kind: "refused", message: Self.printable(reason.utf8.prefix(120))), firstByteWrittenAt: writtenAt)
    case .success(let answer) where answer.task == nil:
      return .failed(
        GatewayError(kind: "invalid_json", message: "the answer names no task: \(Self.head(of: exchange.response))"),
        firstByteWrittenAt: writtenAt)
    case .success(let answer):
      return .assigned(Acquisition(answer: answer, exchange: exchange))
    }
  }

  /// Gives a task back; when the answer was read, in ns. Kind `release_unsupported` when the gateway has no such call
  /// (404 or 405).
  public nonisolated(nonsending) func release(taskID: String) async -> Result<UInt64, GatewayError> {
    let request = state.withLock { state in
      requests.release(taskID: taskID, into: &state.request)
      return state.request
    }
    switch await send(request) {
    case .failure(let error): return .failure(error)
    case .success(let exchange):
      let response = exchange.response
      switch (response.status, Self.decode(ReleaseAnswer.self, response)) {
      case (200, .success(let answer)) where answer.success: return .success(exchange.lastByteReadAt)
      // Anything else with such an answer, such as 401 or 503, leaves the task assigned.
      case (200, .success(let answer)), (400, .success(let answer)), (404, .success(let answer)),
        (409, .success(let answer)), (410, .success(let answer)):
        let reason = Self.printable((answer.error ?? "status \(response.status)").utf8.prefix(120))
        return .failure(GatewayError(kind: "release_refused", message: reason))
      case (200, .failure(let error)): return .failure(error)
      case (404, .failure), (405, _):
        return .failure(GatewayError(kind: "release_unsupported", message: "the gateway has no /api/release"))
      default: return .failure(Self.unexpectedStatus(response))
      }
    }
  }

  /// The pool as the gateway sees it, with the exchange's stamps.
  public nonisolated(nonsending) func status() async -> Result<(StatusAnswer, HTTPExchange), GatewayError> {
    switch await send(requests.status) {
    case .failure(let error): return .failure(error)
    case .success(let exchange):
      guard exchange.response.status == 200 else { return .failure(Self.unexpectedStatus(exchange.response)) }
      let body = exchange.response.body
      return Self.decode(exchange.response) {
        (try JSONDecoder().decode(StatusAnswer.self, from: Data(body.readableBytesView)), exchange)
      }
    }
  }

  /// Closes the connection.
  public func close() {
    state.withLock { $0.connection.take() }?.close()
  }

  private nonisolated(nonsending) func send(
    _ request: ByteBuffer, graceOnCancel: UInt64 = 0
  ) async -> Result<HTTPExchange, GatewayError> {
    if let usable = state.withLock({ $0.usable }) {
      return await usable.exchange(request, timeout: timeout, graceOnCancel: graceOnCancel)
        .mapError(GatewayError.init)
    }
    let begin = MonotonicClock.now()
    switch await open() {
    case .failure(let error): return .failure(error)
    case .success(let new):
      // One bound for the whole operation, connecting included.
      let elapsed = MonotonicClock.now() - begin
      return await new.exchange(request, timeout: timeout - min(elapsed, timeout), graceOnCancel: graceOnCancel)
        .mapError(GatewayError.init)
    }
  }

  private nonisolated(nonsending) func open() async -> Result<HTTPConnection, GatewayError> {
    switch await HTTPConnection.connect(to: endpoint, tls: tls, on: executor, timeout: timeout) {
    case .success(let new):
      state.withLock { $0.connection = new }
      return .success(new)
    case .failure(let error):
      return .failure(GatewayError(error))
    }
  }

  private static func decode<T: ScannableAnswer>(_ type: T.Type, _ response: HTTPResponse) -> Result<T, GatewayError> {
    decode(response) { try T.decode(response.body) }
  }

  private static func decode<T>(_ response: HTTPResponse, _ body: () throws -> T) -> Result<T, GatewayError> {
    do {
      return .success(try body())
    } catch {
      return .failure(GatewayError(kind: "invalid_json", message: "not the JSON expected: \(head(of: response))"))
    }
  }

  private static func unexpectedStatus(_ response: HTTPResponse) -> GatewayError {
    GatewayError(kind: "http_\(response.status)", message: "status \(response.status): \(head(of: response))")
  }

  /// The beginning of a body, as one printable line.
  private static func head(of response: HTTPResponse) -> String {
    printable(response.body.readableBytesView.prefix(120))
  }

  /// Text from outside is shown on terminals: everything but printable ASCII becomes a blank.
  private static func printable(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x20 }, as: UTF8.self)
  }
}
