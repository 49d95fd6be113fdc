import Glibc
import Latency
import NIOCore

/// Connects without TLS on an ``EpollLoop`` to one of a host's addresses: to the first in the user's order, or to the
/// next one if that fails.
struct PlainDialer: Sendable {
  let endpoint: Endpoint
  let addresses: HostAddresses
  /// The user's place in the rotation.
  let turn: Int
  let loop: EpollLoop
  /// The longest time of all attempts together.
  let timeout: Nanoseconds
  let idleBounds: IdleBounds

  /// What is being waited for, which the time limit and a cancellation end. Confined to the loop.
  private final class Attempt: @unchecked Sendable {
    var connection: PlainConnection?
    /// Why no other address may be tried.
    var end: TransportError?

    func end(_ reason: TransportError) {
      end = end ?? reason
      connection?.close()
    }
  }

  /// The connection, or why none of the addresses gave one.
  func connect() async -> Result<HTTPConnection, TransportError> {
    guard loop.isCurrent else { return await withTaskExecutorPreference(loop) { await connect() } }
    let attempt = Attempt()
    let startedAt = MonotonicClock.now()
    return await withTaskCancellationHandler {
      var lookUp = Nanoseconds.zero
      var order = addresses.order(turn: turn, at: startedAt)
      if order == nil {
        switch await find(until: startedAt + timeout) {
        case .success(let found): order = found
        case .failure(let error): return .failure(error)
        }
        lookUp = MonotonicClock.now() - startedAt
      }
      return await dial(order ?? [], startedAt, lookUp: lookUp, attempt)
    } onCancel: {
      loop.execute { attempt.end(.cancelled) }
    }
  }

  /// Looks the host's name up.
  private func find(until deadline: Instant) async -> Result<[SocketAddress], TransportError> {
    let found = loop.eventLoop.makePromise(of: [SocketAddress].self)
    let bound = loop.eventLoop.scheduleTask(deadline: NIODeadline(deadline)) {
      found.fail(TransportError.connectTimeout(endpoint))
    }
    defer { bound.cancel() }
    return await withTaskCancellationHandler {
      addresses.lookUp(turn: turn, on: loop.eventLoop).cascade(to: found)
      do {
        return .success(try await found.futureResult.get())
      } catch {
        return .failure(.connecting(error, to: endpoint))
      }
    } onCancel: {
      found.fail(TransportError.cancelled)
    }
  }

  private func dial(
    _ order: [SocketAddress], _ startedAt: Instant, lookUp: Nanoseconds, _ attempt: Attempt
  ) async -> Result<HTTPConnection, TransportError> {
    let deadline = startedAt + timeout
    var errors: [any Error] = []
    for (index, address) in order.enumerated() {
      if Task.isCancelled { return .failure(.cancelled) }
      let dialedAt = MonotonicClock.now()
      guard dialedAt < deadline else { break }
      let bound = addresses.patience(with: address, isLast: index == order.count - 1, of: deadline - dialedAt)
      switch await dial(address, within: bound, attempt) {
      case .success(let connection):
        let connectedAt = MonotonicClock.now()
        connection.opened(in: connectedAt - dialedAt, at: connectedAt)
        addresses.connected(address)
        let phases = ConnectPhases(
          startedAt: startedAt, lookUp: lookUp, dialedAt: dialedAt, connectedAt: connectedAt, securedAt: nil)
        return .success(HTTPConnection(LoopBound(connection, on: loop), phases: phases))
      case .failure(let error):
        if let end = attempt.end { return .failure(end) }
        guard let reason = Dialer.reason(error, bound) else { return .failure(.connecting(error, to: endpoint)) }
        addresses.failed(address, reason)
        errors.append(error)
      }
    }
    return .failure(.connecting(DialFailure(errors: errors), to: endpoint))
  }

  /// One attempt at one address.
  private func dial(
    _ address: SocketAddress, within bound: Nanoseconds, _ attempt: Attempt
  ) async -> Result<PlainConnection, any Error> {
    let connection: PlainConnection
    switch PlainConnection.begin(to: address, on: loop, idleBounds: idleBounds) {
    case .success(let begun): connection = begun
    case .failure(let error): return .failure(error)
    }
    attempt.connection = connection
    defer { attempt.connection = nil }
    let timer = loop.makeTimer { connection.close() }
    timer.set(for: MonotonicClock.now() + bound)
    let error = await connection.connected()
    let isLate = timer.firesAt == nil
    timer.cancel()
    switch error {
    case 0 where attempt.end == nil: return .success(connection)
    case 0:
      connection.close()
      return .failure(TransportError.cancelled)
    case ECANCELED where isLate: return .failure(ChannelError.connectTimeout(TimeAmount(bound)))
    default: return .failure(IOError(errnoCode: error, reason: "connect"))
    }
  }
}
