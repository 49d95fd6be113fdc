import NIOCore

/// A whole answer that lies in the receive buffer of its loop. The bytes are valid until the task that got it suspends.
///
/// Only the plainest form is read in place, which nearly all answers have: one head, a `Content-Length`, no content
/// coding, and all of it in one read. ``HTTPResponseReader`` reads all other forms, and decides what is an error.
package struct AnswerInPlace {
  /// The status, 200–599.
  package let status: Int
  /// Whether there is a `Set-Cookie` field.
  package let setsCookies: Bool
  let keepsConnection: Bool
  /// The header lines as received, without the status line and the empty line.
  let headerLines: UnsafeRawBufferPointer
  package let body: UnsafeRawBufferPointer
  package let stamps: ExchangeStamps

  /// nil unless `bytes` are exactly one answer of the plainest form.
  init?(_ bytes: UnsafeRawBufferPointer, _ stamps: ExchangeStamps) {
    guard let head = try? ResponseHead.parse(bytes, limit: HTTPResponseReader.Limits().head), !head.isInterim,
      case .length(let length) = head.framing, head.coding == .identity, head.length + length == bytes.count,
      length <= HTTPResponseReader.Limits().body
    else { return nil }
    status = head.status
    setsCookies = head.setsCookies
    keepsConnection = head.keepsConnection
    headerLines = UnsafeRawBufferPointer(rebasing: bytes[head.statusLineLength..<head.length])
    body = UnsafeRawBufferPointer(rebasing: bytes[head.length...])
    self.stamps = stamps
  }

  /// A copy that outlives the loop's buffer.
  package var exchange: HTTPExchange {
    HTTPExchange(
      response: HTTPResponse(
        status: status, headerLines: ByteBuffer(bytes: headerLines), body: ByteBuffer(bytes: body),
        keepsConnection: keepsConnection, setsCookies: setsCookies),
      stamps)
  }
}
