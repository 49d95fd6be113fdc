import Glibc
import Latency
import NIOCore

/// How an exchange on an ``EpollLoop`` ended.
package enum InPlaceOutcome {
  /// The answer lies in the loop's buffer until the caller suspends again.
  case inPlace(AnswerInPlace)
  /// The answer came in pieces, or in a form that needs decoding.
  case exchange(HTTPExchange)
  case failure(TransportError)
}

/// One socket of an ``EpollLoop``, and the one exchange that is under way on it. Confined to its loop.
///
/// An answer that comes whole in one read stays in the loop's buffer until its user has looked at it; only one that
/// comes in pieces, or in a form that needs decoding, is copied. So an exchange allocates nothing.
final class PlainConnection {
  private enum Phase {
    case connecting(UnsafeContinuation<Int32, Never>)
    case open
    case closed
  }

  private struct Pending {
    var id: UInt64
    var continuation: UnsafeContinuation<Void, Never>
    var deadline: Instant
    var timeout: Nanoseconds
    var writtenAt: Instant
    /// How long the connection had been without a request.
    var idleFor: Nanoseconds
    var firstByteReadAt: Instant?
    /// Whether the caller runs on the loop, and looks at its answer before it suspends again.
    var readsInPlace: Bool
  }

  let descriptor: Int32
  let closing = ClosingFlag()
  private let loop: EpollLoop
  private var phase: Phase
  private var idle: IdleConnection
  private var pending: Pending?
  private var outcome: InPlaceOutcome?
  /// What the socket did not take at once.
  private var unsent: ByteBuffer?
  /// Reads an answer that comes in pieces; nil while none has begun.
  private var reader: HTTPResponseReader?
  private var timer: LoopTimer?
  private var lastStarted: UInt64 = 0
  /// The exchange that was cancelled before it was started.
  private var cancelledEarly: UInt64?

  private init(_ descriptor: Int32, on loop: EpollLoop, idleBounds: IdleBounds) {
    self.descriptor = descriptor
    self.loop = loop
    phase = .closed
    idle = IdleConnection(bounds: idleBounds)
  }

  // MARK: Connecting

  /// Begins to connect; the result is closed, with an error number, where that fails at once. Wait with
  /// ``connected()``.
  static func begin(
    to address: SocketAddress, on loop: EpollLoop, idleBounds: IdleBounds
  ) -> Result<PlainConnection, IOError> {
    let descriptor = socket(
      address.protocol.rawValue == PF_INET6 ? PF_INET6 : PF_INET,
      Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return .failure(IOError(errnoCode: errno, reason: "socket")) }
    var one: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    let result = address.withSockAddr { connect(descriptor, $0, socklen_t($1)) }
    let connection = PlainConnection(descriptor, on: loop, idleBounds: idleBounds)
    guard result == 0 || errno == EINPROGRESS, loop.watch(connection) else {
      let error = IOError(errnoCode: errno, reason: "connect")
      Glibc.close(descriptor)
      return .failure(error)
    }
    return .success(connection)
  }

  /// Waits until the connection is established; returns 0, or the number of the error. ECANCELED after ``close()``.
  func connected() async -> Int32 {
    await withUnsafeContinuation { phase = .connecting($0) }
  }

  /// Notes that the connection is established, and how long that took.
  func opened(in duration: Nanoseconds, at now: Instant) {
    idle.connected(in: duration)
    idle.began(at: now)
  }

  private func endConnecting(_ continuation: UnsafeContinuation<Int32, Never>) {
    var error: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    if getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0 { error = errno }
    phase = error == 0 ? .open : .closed
    if error != 0 { release() }
    continuation.resume(returning: error)
  }

  // MARK: Exchanges

  var isOpen: Bool { if case .open = phase { true } else { false } }

  /// Whether the peer has ended the connection. An end that has arrived but was not read yet counts.
  func hasEnded() -> Bool {
    guard isOpen else { return true }
    guard pending == nil, idle.isToBeLookedAt(at: MonotonicClock.now()) else { return false }
    var byte: UInt8 = 0
    let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
    guard count >= 0 || errno != EAGAIN && errno != EINTR else { return false }
    close()
    return true
  }

  /// Writes the request and suspends the caller until the answer has been read. Call it on the loop.
  ///
  /// - Parameter readsInPlace: the caller's task runs on this loop, and looks at the answer before it suspends again.
  func exchange(
    _ request: UnsafeRawBufferPointer, id: UInt64, timeout: Nanoseconds, readsInPlace: Bool
  ) async -> InPlaceOutcome {
    await withUnsafeContinuation { start(request, id: id, timeout: timeout, readsInPlace: readsInPlace, $0) }
    return outcome.take() ?? .failure(TransportError(.closed, "the connection is in use"))
  }

  private func start(
    _ request: UnsafeRawBufferPointer, id: UInt64, timeout: Nanoseconds, readsInPlace: Bool,
    _ continuation: UnsafeContinuation<Void, Never>
  ) {
    lastStarted = max(lastStarted, id)
    guard cancelledEarly != id else {
      outcome = .failure(.cancelled)
      return continuation.resume()
    }
    guard isOpen, pending == nil else {
      outcome = .failure(TransportError(.closed, "the connection is closed or in use"))
      return continuation.resume()
    }
    let now = MonotonicClock.now()
    let deadline = now + timeout
    pending = Pending(
      id: id, continuation: continuation, deadline: deadline, timeout: timeout, writtenAt: now,
      idleFor: idle.length(at: now), readsInPlace: readsInPlace)
    if deadline < timer?.firesAt ?? .distantFuture { arm(deadline) }
    send(request)
  }

  private func send(_ bytes: UnsafeRawBufferPointer) {
    // An answer may have come before its request was sent whole: what is left of that goes first.
    guard unsent == nil else {
      unsent?.writeBytes(bytes)
      return
    }
    var count: Int
    repeat {
      count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    } while count < 0 && errno == EINTR
    if count == bytes.count { return }
    guard count >= 0 || errno == EAGAIN else { return failed(errno) }
    unsent = ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: bytes[max(0, count)...]))
  }

  /// Ends exchange `id` with kind `cancelled`, also before it has been started.
  func cancel(id: UInt64) {
    if pending?.id == id {
      fail(.cancelled)
    } else if id > lastStarted {
      cancelledEarly = id
    }
  }

  /// Closes the connection; an exchange under way fails with `closed`.
  func close() {
    guard case .closed = phase else {
      let last = phase
      phase = .closed
      release()
      if case .connecting(let continuation) = last { continuation.resume(returning: ECANCELED) }
      return end(.failure(TransportError(.closed, "the connection was closed")))
    }
  }

  private func release() {
    phase = .closed
    closing.begin()
    Glibc.close(descriptor)
    timer?.cancel()
    timer = nil
    unsent = nil
    loop.forget(self)
  }

  // MARK: Events

  /// Something has happened on the socket.
  func ready(canRead: Bool, hasEnded: Bool, canWrite: Bool) {
    switch phase {
    case .closed: return
    case .connecting(let continuation):
      guard canWrite || hasEnded else { return }
      endConnecting(continuation)
    case .open: break
    }
    if canWrite, let rest = unsent.take() { rest.withUnsafeReadableBytes { send($0) } }
    guard canRead else { return }
    // The socket is edge-triggered: a read shorter than asked for is the proof that it is empty, but after the peer's
    // end only the end itself is.
    while isOpen {
      let room = loop.makeRoom()
      guard isOpen else { return }
      let count = recv(descriptor, room.baseAddress, room.count, 0)
      switch count {
      case 1...:
        received(UnsafeRawBufferPointer(rebasing: room[..<count]))
        if count < room.count, !hasEnded { return }
      case 0: return ended()
      case _ where errno == EINTR: continue
      case _ where errno == EAGAIN: return
      default: return failed(errno)
      }
    }
  }

  private func received(_ bytes: UnsafeRawBufferPointer) {
    let now = MonotonicClock.now()
    loop.didRead(at: now)
    guard pending != nil else { return close() }  // these bytes answer no request
    if pending?.firstByteReadAt == nil { pending?.firstByteReadAt = now }
    if reader == nil, let done = pending,
      let answer = AnswerInPlace(
        bytes,
        ExchangeStamps(
          firstByteWrittenAt: done.writtenAt, firstByteReadAt: done.firstByteReadAt ?? now, lastByteReadAt: now))
    {
      if done.readsInPlace {
        loop.keepRead(bytes.count)
        complete(.inPlace(answer), at: now, keepsConnection: answer.keepsConnection)
      } else {
        complete(.exchange(answer.exchange), at: now, keepsConnection: answer.keepsConnection)
      }
      return
    }
    switch read(bytes) {
    case .needsMore: break
    case .complete(let response): complete(response, at: now)
    case .failed(let error): fail(error)
    }
  }

  private func read(_ bytes: UnsafeRawBufferPointer) -> HTTPResponseReader.Step {
    var own = reader.take() ?? HTTPResponseReader()
    let step = own.read(ByteBuffer(bytes: bytes))
    if case .needsMore = step { reader = own }
    return step
  }

  private func complete(_ response: HTTPResponse, at now: Instant) {
    guard let done = pending else { return }
    let exchange = HTTPExchange(
      response: response,
      ExchangeStamps(
        firstByteWrittenAt: done.writtenAt, firstByteReadAt: done.firstByteReadAt ?? now, lastByteReadAt: now))
    complete(.exchange(exchange), at: now, keepsConnection: response.keepsConnection)
  }

  private func complete(_ answer: InPlaceOutcome, at now: Instant, keepsConnection: Bool) {
    idle.served(at: now)
    if !keepsConnection { release() }
    end(answer)
  }

  /// The peer has ended its side.
  private func ended() {
    let now = MonotonicClock.now()
    loop.didRead(at: now)
    let isInside = reader?.isInsideResponse ?? false
    switch reader?.readEnd() {
    case .complete(let response)?: return complete(response, at: now)
    case .failed(let error)?: return fail(error)
    case .needsMore?, nil: break
    }
    fail(
      explained(
        TransportError(
          .closed,
          isInside
            ? "the peer closed the connection inside its answer" : "the peer closed the connection without an answer"),
        at: now))
  }

  private func failed(_ error: Int32) {
    let now = MonotonicClock.now()
    loop.didRead(at: now)
    fail(explained(.established(IOError(errnoCode: error, reason: "recv")), at: now))
  }

  /// Gives the end of a connection a more precise error, according to the events before it.
  private func explained(_ error: TransportError, at now: Instant) -> TransportError {
    guard error.kind == .closed || error.kind == .reset, let pending, pending.firstByteReadAt == nil,
      let race = idle.race(idleFor: pending.idleFor, writtenAt: pending.writtenAt, endedAt: now)
    else { return error }
    return race
  }

  private func fail(_ error: TransportError) {
    if isOpen { release() }
    end(.failure(error))
  }

  /// Resumes the caller, if one waits.
  private func end(_ result: InPlaceOutcome) {
    reader = nil
    guard let done = pending.take() else { return }
    if case .failure(var error) = result {
      error.firstByteWrittenAt = done.writtenAt
      outcome = .failure(error)
    } else {
      outcome = result
    }
    done.continuation.resume()
  }

  // MARK: The time-out

  /// There is one timer per connection, not per request. If it fires too early for the present request, it is set
  /// again.
  private func arm(_ deadline: Instant) {
    let timer = timer ?? loop.makeTimer { [unowned self] in timerFired() }
    self.timer = timer
    timer.set(for: deadline)
  }

  private func timerFired() {
    guard let pending else { return }
    guard MonotonicClock.now() >= pending.deadline else { return arm(pending.deadline) }
    fail(TransportError(.timeout, "no complete answer within \(pending.timeout / .milliseconds(1)) ms"))
  }
}
