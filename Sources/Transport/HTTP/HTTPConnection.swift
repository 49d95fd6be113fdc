public import Latency
public import NIOCore
import Synchronization

/// The instants of a connection's set-up.
public struct ConnectPhases: Sendable {
  /// When the attempt began: before the name lookup and before attempts at addresses that refused.
  public var startedAt: Instant
  /// How long it waited for the name lookup; zero if the addresses were known.
  public var lookUp: Nanoseconds
  /// When the attempt at the address that accepted the connection began.
  public var dialedAt: Instant
  /// When the TCP connection was established.
  public var connectedAt: Instant
  /// When the TLS handshake was done; nil without TLS.
  public var securedAt: Instant?

  /// The metric `connect`: the name lookup, if this connection waited for one, and TCP with the address that accepted
  /// the connection. Attempts at addresses before it do not count.
  public var connect: Nanoseconds { lookUp + (connectedAt - dialedAt) }
}

/// A persistent HTTP/1.1 connection for one request at a time. Its stamps are taken on the thread that carries it: the
/// caller's ``EpollLoop`` without TLS, and a loop of NIO otherwise.
public final class HTTPConnection: Sendable {
  private enum Carrier: Sendable {
    case plain(LoopBound<PlainConnection>)
    case channel(HTTPChannel)
  }

  /// The instants of the set-up.
  public let phases: ConnectPhases

  private let carrier: Carrier
  private let lastID = Atomic<UInt64>(0)

  init(_ channel: HTTPChannel, phases: ConnectPhases) {
    carrier = .channel(channel)
    self.phases = phases
  }

  init(_ connection: LoopBound<PlainConnection>, phases: ConnectPhases) {
    carrier = .plain(connection)
    self.phases = phases
  }

  deinit { close() }

  /// Connects to one of the host's addresses and, with `tls`, completes the handshake, all within `timeout`.
  ///
  /// - Parameters:
  ///   - addresses: the addresses of the endpoint's host, shared by the connections of a run; with nil the name is
  ///     looked up.
  ///   - turn: the user's place in the rotation, which decides the address that is tried first.
  ///   - idleBounds: when the end of the connection is counted as that of an idle one.
  public static func connect(
    to endpoint: Endpoint, addresses: HostAddresses? = nil, turn: Int = 0, tls: TLSClient?, on executor: LoopExecutor,
    timeout: Nanoseconds, idleBounds: IdleBounds = IdleBounds()
  ) async -> Result<HTTPConnection, TransportError> {
    let addresses = addresses ?? HostAddresses(of: endpoint)
    if tls == nil, let loop = executor as? EpollLoop {
      return await PlainDialer(
        endpoint: endpoint, addresses: addresses, turn: turn, loop: loop, timeout: timeout, idleBounds: idleBounds
      ).connect()
    }
    return await HTTPChannel.connect(
      to: endpoint, addresses: addresses, turn: turn, tls: tls, on: executor, timeout: timeout, idleBounds: idleBounds)
  }

  /// Whether a request can be sent. On the thread that carries the connection this also detects an end that has arrived
  /// but was not read yet.
  public var isUsable: Bool {
    switch carrier {
    case .plain(let connection):
      guard !connection.unbound.closing.hasBegun else { return false }
      return !connection.loop.isCurrent || !connection.value.hasEnded()
    case .channel(let channel): return channel.isUsable
    }
  }

  /// Sends `request`, which holds the whole message with its head, and waits for the response for at most `timeout`.
  ///
  /// When the task is cancelled, the exchange waits for the answer for `graceOnCancel` more, because the effect of a
  /// request would otherwise stay unknown. Then it ends with kind `cancelled`. The connection is closed after any
  /// failure.
  public func exchange(
    _ request: ByteBuffer, timeout: Nanoseconds, graceOnCancel: Nanoseconds = .zero
  ) async -> Result<HTTPExchange, TransportError> {
    let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
    return await withTaskCancellationHandler {
      switch carrier {
      case .channel(let channel): await channel.exchange(request, id: id, timeout: timeout)
      case .plain(let connection): await exchange(request, id: id, timeout: timeout, over: connection)
      }
    } onCancel: {
      cancel(id: id, after: graceOnCancel)
    }
  }

  /// Sends `request` like ``exchange(_:timeout:graceOnCancel:)``, but without watching for cancellation, which costs
  /// time in each exchange. It serves callers on the connection's loop that watch their task's cancellation once for
  /// many exchanges and then call ``cancelExchange(after:)``.
  public func exchangeUnwatched(
    _ request: ByteBuffer, timeout: Nanoseconds
  ) async -> Result<HTTPExchange, TransportError> {
    let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
    switch carrier {
    case .channel(let channel): return await channel.exchange(request, id: id, timeout: timeout)
    case .plain(let connection): return await exchange(request, id: id, timeout: timeout, over: connection)
    }
  }

  /// Sends `request` like ``exchangeUnwatched(_:timeout:)``, and leaves the answer in the loop's buffer. Call it on the
  /// connection's ``EpollLoop``, and look at the answer before anything else is awaited. nil where another kind of loop
  /// carries the connection: nothing was sent.
  package func exchangeInPlace(_ request: UnsafeRawBufferPointer, timeout: Nanoseconds) async -> InPlaceOutcome? {
    guard case .plain(let connection) = carrier else { return nil }
    let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
    return await connection.value.exchange(request, id: id, timeout: timeout, readsInPlace: true)
  }

  /// The exchange of a caller on any thread, whose answer is copied.
  private func exchange(
    _ request: ByteBuffer, id: UInt64, timeout: Nanoseconds, over connection: LoopBound<PlainConnection>
  ) async -> Result<HTTPExchange, TransportError> {
    guard connection.loop.isCurrent else {
      return await withTaskExecutorPreference(connection.loop) {
        await exchange(request, id: id, timeout: timeout, over: connection)
      }
    }
    // The socket takes the bytes, or a copy of them is made, before the caller is suspended.
    let bytes = request.withUnsafeReadableBytes { $0 }
    switch await connection.value.exchange(bytes, id: id, timeout: timeout, readsInPlace: false) {
    case .exchange(let exchange): return .success(exchange)
    case .inPlace(let answer): return .success(answer.exchange)
    case .failure(let error): return .failure(error)
    }
  }

  /// Ends the latest exchange with kind `cancelled`, unless it ends within `grace`. Call it on the loop.
  public func cancelExchange(after grace: Nanoseconds) {
    cancel(id: lastID.load(ordering: .relaxed), after: grace)
  }

  private func cancel(id: UInt64, after grace: Nanoseconds) {
    switch carrier {
    case .channel(let channel): channel.cancel(id: id, after: grace)
    case .plain(let connection): connection.loop.execute(after: grace) { connection.value.cancel(id: id) }
    }
  }

  /// Closes the connection; an exchange under way fails with `closed`.
  public func close() {
    switch carrier {
    case .channel(let channel): channel.close()
    case .plain(let connection):
      connection.unbound.closing.begin()
      if connection.loop.isCurrent {
        connection.value.close()
      } else {
        connection.loop.execute { connection.value.close() }
      }
    }
  }
}
