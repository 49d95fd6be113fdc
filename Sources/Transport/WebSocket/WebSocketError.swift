public import Latency
import NIOCore
import TextFormatting

/// Why a WebSocket could not be opened, or why it ended.
public enum WebSocketError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The caller's own request cannot be sent: a header, a path, or `wss` without a TLS context.
  case invalidRequest(String)
  /// No server listens there.
  case refused(String)
  /// The host's name has no address.
  case unresolved(String)
  /// No route, or the connection broke before the upgrade.
  case unreachable(String)
  /// The upgrade was not done within the bound.
  case timeout(Nanoseconds)
  /// The TLS handshake failed, or its certificate.
  case tls(String)
  /// The server asks for a client certificate, and was shown none, or none that it accepts.
  case clientCertificate(String)
  /// The server answered with a status other than 101.
  case upgradeRefused(UpgradeRefusal)
  /// The server broke RFC 6455 (or HTTP/1.1 before it); the connection has been closed.
  case protocolViolation(String)
  /// The connection ended: by the server's close frame, or with 1006 without one (RFC 6455, section 7.1.5).
  case closed(code: UInt16, reason: String)
  /// The waiting task was cancelled. The connection itself is unharmed, unless it was still being opened.
  case cancelled

  /// The close code of a connection that broke without a close frame.
  public static let abnormalClosure: UInt16 = 1006

  /// The message for people.
  public var description: String {
    switch self {
    case .invalidRequest(let what): what
    case .refused(let target): "\(target) refused the connection: is the gateway running there?"
    case .unresolved(let why), .unreachable(let why): "cannot reach the gateway: \(why)"
    case .timeout(let bound): "no WebSocket within \(bound / .milliseconds(1)) ms"
    case .tls(let why), .clientCertificate(let why): "TLS failed: \(why)"
    case .upgradeRefused(let refusal): "the upgrade to WebSocket was refused with \(refusal.words)"
    case .protocolViolation(let what): "the server broke the WebSocket protocol: \(what)"
    case .closed(let code, let reason):
      "the connection was closed with code \(code)" + (reason.isEmpty ? "" : " (\(PlainText.withoutMarkup(reason)))")
    case .cancelled: "cancelled"
    }
  }
}

/// An answer to an upgrade that is not 101.
public struct UpgradeRefusal: Sendable, Equatable {
  /// The answer, with the beginning of its body.
  public let response: HTTPResponse
  /// The kind by which results count it: `http_<status>`, unless the caller sets a more precise one.
  public var kind: String
  /// The message for people: `status 503: …` as a line of printable ASCII, unless the caller sets a more precise one.
  /// It ends with the server's own text, which may repeat parts of the request.
  public var words: String

  /// The most bytes of `status 503: …`.
  private static let longest = 120

  /// Makes the refusal of an answer.
  ///
  /// - Parameter askedForCertificate: the server asked for a client certificate, and there was none to show.
  public init(_ response: HTTPResponse, askedForCertificate: Bool = false) {
    self.response = response
    kind = "http_\(response.status)"
    let status = "status \(response.status)"
    let said = PlainText.withoutMarkup(String(buffer: response.body), limit: Self.longest - status.utf8.count - 2)
    let isOfIdentity = response.status == 401 || response.status == 403
    let advice = askedForCertificate && isOfIdentity ? " (\(TLSClient.furtherAdvice))" : ""
    words = status + advice + (said.isEmpty ? "" : ": \(said)")
  }
}

/// Bounds of a server's messages. A server that exceeds them is disconnected with code 1009.
public struct WebSocketLimits: Sendable {
  /// The largest frame, in bytes.
  public var maximumFrameSize: Int
  /// The largest message after its fragments are joined, in bytes.
  public var maximumMessageSize: Int
  /// The most fragments of one message.
  public var maximumFragments: Int
  /// The number of queued messages at which the socket is no longer read until the consumer catches up. The messages of
  /// one read may exceed it.
  public var maximumQueuedMessages: Int
  /// The most bytes of a refusal's body that are kept.
  public var maximumRefusalBody: Int

  /// Makes limits. By default frames and messages have at most 1 MiB, a message 1024 fragments, and 64 messages are
  /// queued.
  public init(
    maximumFrameSize: Int = 1 << 20, maximumMessageSize: Int = 1 << 20, maximumFragments: Int = 1024,
    maximumQueuedMessages: Int = 64, maximumRefusalBody: Int = 1024
  ) {
    self.maximumFrameSize = maximumFrameSize
    self.maximumMessageSize = maximumMessageSize
    self.maximumFragments = maximumFragments
    self.maximumQueuedMessages = maximumQueuedMessages
    self.maximumRefusalBody = maximumRefusalBody
  }
}

/// The instants of opening a WebSocket, each taken on the event loop.
public struct WebSocketPhases: Sendable, Equatable {
  /// When the opening began, before the name lookup.
  public internal(set) var started: Instant
  /// How long it waited for the name lookup; zero if the addresses were known.
  public internal(set) var lookUp = Nanoseconds.zero
  /// When the attempt at the address that accepted the connection began.
  public internal(set) var dialed = Instant.distantPast
  /// When the TCP connection was established.
  public internal(set) var connected = Instant.distantPast
  /// When the TLS handshake was done; nil without TLS.
  public internal(set) var secured: Instant?
  /// When the 101 had been read.
  public internal(set) var upgraded = Instant.distantPast

  /// The name lookup, if this connection waited for one, and TCP with the address that accepted the connection.
  public var connect: Nanoseconds { lookUp + (connected - dialed) }
}

/// One text message of the server.
public struct WebSocketMessage: Sendable, Equatable {
  /// Its text, with fragments joined; valid UTF-8.
  public let text: String
  /// When its first byte was read, taken on the event loop.
  public let begunAt: Instant
  /// When its last frame had been read, taken on the event loop.
  public let receivedAt: Instant
}
