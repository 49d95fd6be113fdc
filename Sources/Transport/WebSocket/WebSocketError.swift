public import Latency
import NIOCore
import TextFormatting

/// Why a WebSocket could not be opened, or why it ended.
public enum WebSocketError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The caller's own request cannot be sent: a header, a path, or `wss` without a TLS context.
  case invalidRequest(String)
  /// Nobody listens there.
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
  /// The server answered with another status than 101.
  case upgradeRefused(UpgradeRefusal)
  /// The server broke RFC 6455 (or HTTP/1.1 before it); the connection has been closed.
  case protocolViolation(String)
  /// The connection ended: by the server's close frame, or with 1006 without one (RFC 6455, section 7.1.5).
  case closed(code: UInt16, reason: String)
  /// The waiting task was cancelled. The connection itself is unharmed, unless it was still being opened.
  case cancelled

  /// The close code of a connection that broke without a close frame.
  public static let abnormalClosure: UInt16 = 1006

  /// For people.
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

/// An answer to an upgrade that is no 101.
public struct UpgradeRefusal: Sendable, Equatable {
  /// The answer, with the beginning of its body.
  public let response: HTTPResponse
  /// What results count it by: `http_<status>`, unless somebody knows better.
  public var kind: String
  /// What it says, for people: `status 503: …` as a line of printable ASCII, unless somebody knows better. What the server
  /// itself says is at its end, and may repeat what it was sent.
  public var words: String

  /// The most bytes of `status 503: …`.
  private static let longest = 120

  /// Makes the refusal that an answer is.
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

/// Bounds of what a server may send. A server that goes beyond is disconnected with code 1009.
public struct WebSocketLimits: Sendable {
  /// The largest frame, in bytes.
  public var maximumFrameSize: Int
  /// The largest message after its fragments are joined, in bytes.
  public var maximumMessageSize: Int
  /// The most fragments of one message.
  public var maximumFragments: Int
  /// Messages held for a slow consumer; beyond it, nothing is read from the socket. What one read has brought may
  /// exceed it.
  public var maximumQueuedMessages: Int
  /// The most bytes of a refusal's body that are kept.
  public var maximumRefusalBody: Int

  /// Makes limits; frames and messages of 1 MiB, 1024 fragments, 64 queued messages, unless said otherwise.
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
  /// Before the name is resolved and the socket connects.
  public internal(set) var started: Instant
  /// How long it waited for the look-up of the name; zero where the addresses were known.
  public internal(set) var lookUp = Nanoseconds.zero
  /// The try at the address that took the connection begins.
  public internal(set) var dialed = Instant.distantPast
  /// The TCP connection is there.
  public internal(set) var connected = Instant.distantPast
  /// The TLS handshake is done; nil without TLS.
  public internal(set) var secured: Instant?
  /// The 101 has been read.
  public internal(set) var upgraded = Instant.distantPast

  /// The look-up of the name where this connection waited for one, and TCP with the address that took the connection.
  public var connect: Nanoseconds { lookUp + (connected - dialed) }
}

/// One text message of the server.
public struct WebSocketMessage: Sendable, Equatable {
  /// Its text, fragments joined, valid UTF-8.
  public let text: String
  /// When its first byte was read, taken on the event loop.
  public let begunAt: Instant
  /// The same for its last frame.
  public let receivedAt: Instant
}
