package import NIOCore

/// Reads one HTTP/1.1 response after another from bytes that arrive in any pieces (RFC 9112). Pure: no I/O.
///
/// It accepts all that RFC 9112 lets a server send: repeated equal lengths, folded header lines, chunks with leading
/// zeros and extensions. It refuses a head or a body beyond its limit, `Content-Length` together with
/// `Transfer-Encoding`, conflicting lengths, bare line ends, NUL in a head, and malformed chunks. Interim responses (1xx except 101) are skipped. A
/// body that was encoded without being asked for is decoded.
package struct HTTPResponseReader {
  /// The outcome of reading some bytes.
  package enum Step {
    case needsMore
    case complete(HTTPResponse)
    case failed(TransportError)
  }

  /// The largest head and body that are accepted, in bytes.
  package struct Limits: Sendable {
    package var head = 64 << 10
    package var body = 4 << 20

    package init() {}
  }

  /// A complete head, and its header lines.
  private struct Opened {
    var head: ResponseHead
    var lines: ByteBuffer
  }

  private enum State {
    case head
    case fixed(Opened, length: Int)
    case chunked(Opened, HTTPChunkReader)
    case untilClose(Opened)
  }

  private let limits: Limits
  private var state = State.head
  private var pending = ByteBuffer()

  package init(limits: Limits = Limits()) {
    self.limits = limits
  }

  /// Whether a response has begun and is not complete.
  package var isInsideResponse: Bool {
    if case .head = state { return pending.readableBytes > 0 }
    return true
  }

  /// Takes the next bytes. After `complete` the reader is ready for the next response. Bytes beyond the completed
  /// response make its connection unusable, because they answer no request.
  package mutating func read(_ bytes: ByteBuffer) -> Step {
    do throws(TransportError) {
      if case .head = state, pending.readableBytes == 0 {
        if let response = try readWhole(bytes) { return .complete(response) }
        pending = bytes
      } else {
        pending.writeImmutableBuffer(bytes)
      }
      return try readPending()
    } catch {
      return .failed(error)
    }
  }

  /// The response in `bytes` if they are exactly one response with a length, as nearly all reads are.
  private func readWhole(_ bytes: ByteBuffer) throws(TransportError) -> HTTPResponse? {
    guard let head = try parseHead(bytes), case .length(let length) = head.framing, length <= limits.body,
      head.coding == .identity,
      head.length + length == bytes.readableBytes
    else { return nil }
    let start = bytes.readerIndex
    guard
      let lines = bytes.getSlice(at: start + head.statusLineLength, length: head.length - head.statusLineLength),
      let body = bytes.getSlice(at: start + head.length, length: length)
    else { return nil }
    return HTTPResponse(
      status: head.status, headerLines: lines, body: body, keepsConnection: head.keepsConnection,
      setsCookies: head.setsCookies)
  }

  private func parseHead(_ bytes: ByteBuffer) throws(TransportError) -> ResponseHead? {
    try bytes.withUnsafeReadableBytes { text in
      Result { () throws(TransportError) in try ResponseHead.parse(text, limit: limits.head) }
    }.get()
  }

  private mutating func readPending() throws(TransportError) -> Step {
    while true {
      switch state {
      case .head:
        guard let head = try parseHead(pending), var lines = pending.readSlice(length: head.length) else {
          return .needsMore
        }
        if head.isInterim { continue }
        lines.moveReaderIndex(forwardBy: head.statusLineLength)
        state = try next(after: Opened(head: head, lines: lines))
      case .fixed(let opened, let length):
        guard let body = pending.readSlice(length: length) else { return .needsMore }
        return .complete(try finish(opened, body))
      case .chunked(let opened, var chunks):
        state = .head  // so that the body has one owner and is not copied
        let isComplete = try chunks.read(&pending, limit: limits.body)
        guard isComplete else {
          state = .chunked(opened, chunks)
          return .needsMore
        }
        return .complete(try finish(opened, chunks.body))
      case .untilClose:
        guard pending.readableBytes <= limits.body else { throw Self.bodyTooLarge(limits.body) }
        return .needsMore
      }
    }
  }

  /// Takes the end of the peer's bytes: it completes a response that is delimited by the end of the connection.
  package mutating func readEnd() -> Step {
    guard case .untilClose(let opened) = state else { return .needsMore }
    do throws(TransportError) {
      return .complete(try finish(opened, pending))
    } catch {
      return .failed(error)
    }
  }

  private func next(after opened: Opened) throws(TransportError) -> State {
    switch opened.head.framing {
    case .none: return .fixed(opened, length: 0)
    case .length(let length):
      guard length <= limits.body else { throw Self.bodyTooLarge(limits.body) }
      return .fixed(opened, length: length)
    case .chunked: return .chunked(opened, HTTPChunkReader())
    case .untilClose: return .untilClose(opened)
    }
  }

  private mutating func finish(_ opened: Opened, _ body: ByteBuffer) throws(TransportError) -> HTTPResponse {
    var response = HTTPResponse(
      status: opened.head.status, headerLines: opened.lines,
      body: try decode(body, opened.head), keepsConnection: opened.head.keepsConnection,
      setsCookies: opened.head.setsCookies)
    if case .untilClose = opened.head.framing { response.keepsConnection = false }
    if pending.readableBytes > 0 { response.keepsConnection = false }
    state = .head
    pending = ByteBuffer()
    return response
  }

  private func decode(_ body: ByteBuffer, _ head: ResponseHead) throws(TransportError) -> ByteBuffer {
    do throws(TransportError) {
      return try head.coding.decode(body, limit: limits.body)
    } catch {
      // A refusal with an unreadable body is kept, because its status says more than its body.
      guard head.status >= 300 else { throw error }
      return ByteBuffer(string: "(\(error.message))")
    }
  }

  private static func bodyTooLarge(_ limit: Int) -> TransportError {
    TransportError(.tooLarge, "the response's body is larger than \(limit) bytes")
  }
}
