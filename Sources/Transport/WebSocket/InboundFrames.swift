import NIOCore
import NIOWebSocket

/// The rules for a server's frames (RFC 6455, sections 5 and 7) and the joining of fragments. Pure: no I/O.
struct InboundFrames {
  /// The reaction to a frame.
  enum Action: Equatable {
    case none
    case message(String)
    case pong(ByteBuffer)
    /// The server closes; `code` is nil if it gave no code (1005).
    case closed(code: UInt16?, reason: String)
  }

  /// A broken rule, and the close code that is sent to the server.
  struct Violation: Error, Equatable {
    let code: UInt16
    let what: String
  }

  private let limits: WebSocketLimits
  private var fragments: ByteBuffer?
  private var fragmentCount = 0

  init(limits: WebSocketLimits) { self.limits = limits }

  /// Takes the next frame.
  mutating func receive(_ frame: WebSocketFrame) throws(Violation) -> Action {
    guard frame.maskKey == nil else { throw Violation(code: 1002, what: "a masked frame from a server") }
    guard frame.reservedBits.isEmpty else { throw Violation(code: 1002, what: "reserved bits without an extension") }
    switch frame.opcode {
    case .text:
      guard fragments == nil else { throw Violation(code: 1002, what: "a new message inside a fragmented one") }
      return try append(frame.data, isLast: frame.fin)
    case .continuation:
      guard fragments != nil else { throw Violation(code: 1002, what: "a continuation of nothing") }
      return try append(frame.data, isLast: frame.fin)
    case .ping: return .pong(frame.data)
    case .pong: return .none
    case .connectionClose: return try close(frame.data)
    case .binary: throw Violation(code: 1003, what: "a binary message; the gateway's protocol is text")
    default: throw Violation(code: 1002, what: "an unknown opcode")
    }
  }

  private mutating func append(_ data: ByteBuffer, isLast: Bool) throws(Violation) -> Action {
    fragmentCount += 1
    guard fragmentCount <= limits.maximumFragments else { throw Violation(code: 1009, what: "too many fragments") }
    guard (fragments?.readableBytes ?? 0) + data.readableBytes <= limits.maximumMessageSize else {
      throw Violation(code: 1009, what: "a message beyond \(limits.maximumMessageSize) bytes")
    }
    var whole = data
    if fragments != nil {
      fragments?.writeImmutableBuffer(data)
      if isLast, let joined = fragments { whole = joined }
    }
    guard isLast else {
      if fragments == nil { fragments = data }
      return .none
    }
    fragments = nil
    fragmentCount = 0
    return .message(try text(whole))
  }

  private func close(_ payload: ByteBuffer) throws(Violation) -> Action {
    var payload = payload
    guard payload.readableBytes > 0 else { return .closed(code: nil, reason: "") }
    guard let code = payload.readInteger(as: UInt16.self), Self.mayBeSent(code) else {
      throw Violation(code: 1002, what: "an invalid close code")
    }
    return .closed(code: code, reason: try text(payload))
  }

  /// RFC 6455, section 7.4: 1004–1006 and 1015 are never sent; 3000–4999 belong to libraries and applications.
  private static func mayBeSent(_ code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  private func text(_ bytes: ByteBuffer) throws(Violation) -> String {
    var bytes = bytes
    do {
      return try bytes.readUTF8ValidatedString(length: bytes.readableBytes) ?? ""
    } catch {
      throw Violation(code: 1007, what: "text that is not UTF-8")
    }
  }
}
