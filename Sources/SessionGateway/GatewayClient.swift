public import GatewayProtocol
import Latency
import NIOCore
import Synchronization
public import Transport

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
  public func connect() async -> Result<ConnectPhases?, GatewayError> {
    if isConnected { return .success(nil) }
    return await open().map(\.phases).mapError(GatewayError.init)
  }

  /// Asks for a task for `userID`, a valid ``UserID``; with `waitForReady` the answer comes when the task has confirmed.
  public func acquire(userID: String, waitForReady: Bool = false) async -> AcquireOutcome {
    let (request, connection) = prepare {
      requests.acquire(userID: userID, waitForReady: waitForReady, into: &$0)
    }
    switch await send(request, over: connection, graceOnCancel: Self.acquireGrace) {
    case .success(let exchange): return AcquireOutcome(exchange)
    case .failure(let error): return .failed(GatewayError(error), firstByteWrittenAt: nil)
    }
  }

  /// Gives a task back; when the answer was read, in ns. Kind `release_unsupported` when the gateway has no such call
  /// (404 or 405).
  public func release(taskID: String) async -> Result<UInt64, GatewayError> {
    let (request, connection) = prepare { requests.release(taskID: taskID, into: &$0) }
    switch await send(request, over: connection) {
    case .success(let exchange): return ReleaseOutcome.read(exchange)
    case .failure(let error): return .failure(GatewayError(error))
    }
  }

  /// The pool as the gateway sees it, with the exchange's stamps.
  public func status() async -> Result<(StatusAnswer, HTTPExchange), GatewayError> {
    switch await send(requests.status, over: state.withLock { $0.usable }) {
    case .success(let exchange):
      guard exchange.response.status == 200 else { return .failure(.unexpectedStatus(exchange.response)) }
      return Result { () throws(GatewayError) in (try StatusAnswer.decode(exchange.response), exchange) }
    case .failure(let error): return .failure(GatewayError(error))
    }
  }

  /// Closes the connection.
  public func close() {
    state.withLock { $0.connection.take() }?.close()
  }

  /// The request that `write` has written, and the kept connection if it is usable.
  private func prepare(_ write: (inout ByteBuffer) -> Void) -> (ByteBuffer, HTTPConnection?) {
    state.withLock { state in
      write(&state.request)
      return (state.request, state.usable)
    }
  }

  /// One bound for the whole operation, connecting included.
  private func send(
    _ request: ByteBuffer, over connection: HTTPConnection?, graceOnCancel: UInt64 = 0
  ) async -> Result<HTTPExchange, TransportError> {
    if let connection { return await connection.exchange(request, timeout: timeout, graceOnCancel: graceOnCancel) }
    let begin = MonotonicClock.now()
    switch await open() {
    case .failure(let error): return .failure(error)
    case .success(let new):
      let elapsed = MonotonicClock.now() - begin
      return await new.exchange(request, timeout: timeout - min(elapsed, timeout), graceOnCancel: graceOnCancel)
    }
  }

  private func open() async -> Result<HTTPConnection, TransportError> {
    let result = await HTTPConnection.connect(to: endpoint, tls: tls, on: executor, timeout: timeout)
    if case .success(let new) = result { state.withLock { $0.connection = new } }
    return result
  }
}
