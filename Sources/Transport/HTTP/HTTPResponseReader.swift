package import NIOCore

/// Reads one HTTP/1.1 response after another from bytes that arrive in any pieces (RFC 9112). Pure: no I/O.
///
/// Strict: a head or a body beyond its limit, both of `Content-Length` and `Transfer-Encoding`, conflicting lengths or
/// malformed chunks make the response invalid. Interim responses (1xx but 101) are passed over.
package struct HTTPResponseReader {
  /// What a piece of bytes led to.
  package enum Step {
    case needsMore
    case complete(HTTPResponse)
    case failed(TransportError)
  }

  /// Bounds of what is accepted, in bytes.
  package struct Limits: Sendable {
    package var head = 16 << 10
    package var body = 4 << 20

    package init() {}
  }

  private enum State {
    case head
    case fixed(ResponseHead, length: Int)
    case chunked(ResponseHead, HTTPChunkReader)
    case untilClose(ResponseHead)
  }

  private let limits: Limits
  private var state = State.head
  private var pending = ByteBuffer()

  package init(limits: Limits = Limits()) {
    self.limits = limits
  }

  /// Whether some bytes of an unfinished response are here.
  package var isInsideResponse: Bool {
    if case .head = state { return pending.readableBytes > 0 }
    return true
  }

  /// Takes the next bytes. After `complete` the reader is ready for the next response; bytes beyond the completed
  /// response make its connection unusable, as nobody asked for them.
  package mutating func read(_ bytes: ByteBuffer) -> Step {
    if pending.readableBytes == 0 { pending = bytes } else { pending.writeImmutableBuffer(bytes) }
    do throws(TransportError) {
      while true {
        switch state {
        case .head:
          guard let head = try ResponseHead.parse(&pending, limit: limits.head) else { return .needsMore }
          if (100..<200).contains(head.status), head.status != 101 { continue }
          state = try next(after: head)
        case .fixed(let head, let length):
          guard let body = pending.readSlice(length: length) else { return .needsMore }
          return .complete(finish(head, body))
        case .chunked(let head, var chunks):
          state = .head  // so that the body has one owner and is not copied
          let isComplete = try chunks.read(&pending, limit: limits.body)
          guard isComplete else {
            state = .chunked(head, chunks)
            return .needsMore
          }
          return .complete(finish(head, chunks.body))
        case .untilClose:
          guard pending.readableBytes <= limits.body else { throw Self.bodyTooLarge(limits.body) }
          return .needsMore
        }
      }
    } catch {
      return .failed(error)
    }
  }

  /// The peer will send nothing more: completes a response that ends with its connection, else nil.
  package mutating func readEnd() -> HTTPResponse? {
    guard case .untilClose(let head) = state else { return nil }
    return finish(head, pending)
  }

  private func next(after head: ResponseHead) throws(TransportError) -> State {
    switch head.framing {
    case .none: return .fixed(head, length: 0)
    case .length(let length):
      guard length <= limits.body else { throw Self.bodyTooLarge(limits.body) }
      return .fixed(head, length: length)
    case .chunked: return .chunked(head, HTTPChunkReader())
    case .untilClose: return .untilClose(head)
    }
  }

  private mutating func finish(_ head: ResponseHead, _ body: ByteBuffer) -> HTTPResponse {
    var response = HTTPResponse(
      status: head.status, headerLines: head.lines, body: body, keepsConnection: head.keepsConnection)
    if case .untilClose = head.framing { response.keepsConnection = false }
    if pending.readableBytes > 0 { response.keepsConnection = false }
    state = .head
    pending = ByteBuffer()
    return response
  }

  private static func bodyTooLarge(_ limit: Int) -> TransportError {
    TransportError(.tooLarge, "the response's body is larger than \(limit) bytes")
  }
}
