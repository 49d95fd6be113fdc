import NIOCore
import NIOHTTP1

/// Collects the head and the beginning of the body of an answer to an upgrade that is not 101.
final class RefusalReader: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  private let maximumBody: Int
  private let done: (HTTPResponse?) -> Void
  private var head: HTTPResponseHead?
  private var body = ByteBuffer()

  /// - Parameter done: Called at least once, first with the answer, or with nil if the connection ended before the
  ///   answer.
  init(maximumBody: Int, done: @escaping (HTTPResponse?) -> Void) {
    self.maximumBody = maximumBody
    self.done = done
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body(var part):
      if let slice = part.readSlice(length: min(part.readableBytes, maximumBody - body.readableBytes)) {
        body.writeImmutableBuffer(slice)
      }
      if body.readableBytes >= maximumBody { finish() }
    case .end: finish()
    }
  }

  func channelInactive(context: ChannelHandlerContext) { finish() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { finish() }

  private func finish() {
    guard let head else { return done(nil) }
    var lines = ByteBuffer()
    for (name, value) in head.headers { lines.writeString("\(name): \(value)\r\n") }
    let codings = head.headers["Content-Encoding"].map { ContentCoding($0) }
    let coding = codings.reduce(ContentCoding.identity) { $0.followed(by: $1) }
    done(
      HTTPResponse(
        status: Int(head.status.code), headerLines: lines,
        body: coding.decode(beginning: body, limit: maximumBody) ?? ByteBuffer(string: "(encoded as \(coding.name))"),
        keepsConnection: false, setsCookies: head.headers.contains(name: "Set-Cookie")))
  }
}
