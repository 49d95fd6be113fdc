import NIOCore
import TextFormatting
public import Transport

/// Why a call to the gateway failed: a kind that results count by, and a message for the user.
public struct GatewayError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of error; results count errors under its ``rawValue``.
  public enum Kind: Sendable, Hashable, CustomStringConvertible {
    /// No answer came because the transport failed.
    case transport(TransportError.Kind)
    /// The answer has a status that no answer of the protocol has.
    case status(Int)
    /// The answer does not follow the protocol.
    case invalidAnswer
    /// The gateway gave no task, for a reason other than an empty pool.
    case refused
    /// The gateway does not know the task (any more).
    case releaseRefused
    /// The gateway has no release call.
    case releaseUnsupported
    /// The gateway's profile has no role of this name.
    case absentRole(String)

    /// The name in results: `timeout`, `http_503`, `invalid_json`, `refused`, `release_refused`, `no_status`.
    public var rawValue: String {
      switch self {
      case .transport(let kind): kind.rawValue
      case .status(let status): "http_\(status)"
      case .invalidAnswer: "invalid_json"
      case .refused: "refused"
      case .releaseRefused: "release_refused"
      case .releaseUnsupported: "release_unsupported"
      case .absentRole(let name): "no_\(name)"
      }
    }

    /// The name in results.
    public var description: String { rawValue }
  }

  /// The kind that results count the error under.
  public var kind: Kind
  /// What happened and how to correct it, with the head of the answer where there was one.
  public var message: String

  /// Makes an error.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// An error of the transport.
  public init(_ error: TransportError) {
    kind = .transport(error.kind)
    message = error.message
  }

  /// The gateway's profile has no such role.
  static func absentRole(_ name: String) -> GatewayError {
    GatewayError(.absentRole(name), "the gateway's profile has no role '\(name)'")
  }

  /// Whether the caller cancelled the call, which is not a failure.
  public var isCancellation: Bool { kind == .transport(.cancelled) }

  /// The kind and the message.
  public var description: String { "\(kind.rawValue): \(message)" }
}

extension GatewayError {
  /// The error for a status that no answer of the protocol has, from the gateway or a proxy before it. Its kind is
  /// `http_<status>`; the message says how to correct the cause.
  static func unexpectedStatus(_ response: HTTPResponse) -> GatewayError {
    if let wanted = wantedCertificate(response) { return wanted }
    return GatewayError(.status(response.status), "status \(response.status)\(reason(of: response))")
  }

  /// The error of a proxy that asks for a client certificate only after the handshake, as nginx does with a page (400,
  /// and 495 or 496 where its configuration shows its own numbers); nil for other answers.
  private static func wantedCertificate(_ response: HTTPResponse) -> GatewayError? {
    guard [400, 495, 496].contains(response.status), response.isPage else { return nil }
    let title = title(response)
    let isMissing = response.status == 496 || title.contains("No required SSL certificate was sent")
    guard isMissing || response.status == 495 || title.contains("SSL certificate error") else { return nil }
    let advice =
      isMissing
      ? "it asks for a client certificate and was shown none: give one with --cert and --key"
      : "it refused the client certificate: check --cert and --key"
    return GatewayError(
      .transport(.clientCertificate), "status \(response.status)\(proxy(response)): \(advice) (\(title))")
  }

  private static func reason(of response: HTTPResponse) -> String {
    switch response.status {
    case 301, 302, 303, 307, 308:
      let target = response.header("Location").map(withoutSecrets)
      let place = target.map { "to '\(PlainText.ascii($0))'" } ?? "elsewhere"
      return
        ": it sends the request \(place), and no redirect is followed: give the gateway's own address as --gateway-url"
    case 408 where response.body.readableBytes == 0 || response.isPage:
      return ": the server waited for a request on this connection and gave up"
    case 502 where response.isPage:
      return "\(proxy(response)), which got no proper answer from what is behind it: \(title(response))"
    case 503 where response.isPage:
      return "\(proxy(response)), which has nothing behind it that could be asked: \(title(response))"
    case 504 where response.isPage:
      return "\(proxy(response)), which did not wait any longer for what is behind it: \(title(response))"
    default:
      let text = response.isPage ? title(response) : PlainText.ascii(response.body.readableBytesView)
      return text.isEmpty ? "" : ": \(text)"
    }
  }

  /// An address without the parts that may hold a token: query, fragment and user information.
  private static func withoutSecrets(_ address: String) -> String {
    let place = address.prefix { $0 != "?" && $0 != "#" }
    guard let at = place.lastIndex(of: "@") else { return String(place) }
    let scheme = place.firstRange(of: "//").map { place[..<$0.upperBound] } ?? ""
    return scheme + String(place[place.index(after: at)...])
  }

  /// The sender of a page: " from a proxy" with the proxy's name, or " from the gateway or a proxy before it".
  private static func proxy(_ response: HTTPResponse) -> String {
    guard response.header("X-Powered-By") == nil, let server = response.header("Server") else {
      return " from the gateway or a proxy before it"
    }
    return " from a proxy (\(PlainText.ascii(server)))"
  }

  /// The title of a page, or the beginning of a page without a title, such as haproxy's, without tags.
  private static func title(_ response: HTTPResponse) -> String {
    let text = String(decoding: response.body.readableBytesView.prefix(4096), as: UTF8.self)
    guard let opening = text.firstRange(of: "<title>"),
      let closing = text[opening.upperBound...].firstRange(of: "</title>")
    else { return PlainText.withoutMarkup(text, limit: 120) }
    let title = text[opening.upperBound..<closing.lowerBound]
    // Express titles every error page "Error" and explains the error in the body.
    guard title != "Error" else { return PlainText.withoutMarkup(String(text[closing.upperBound...]), limit: 120) }
    return PlainText.ascii(String(title))
  }

  /// This error. With status 401 or 403 it gets a note on the identification that was sent: the names of the user's
  /// header fields, never their values.
  ///
  /// - Parameter askedForCertificate: the server asked for a client certificate, and the client had none.
  func explained(withHeaders names: [String], askedForCertificate: Bool = false) -> GatewayError {
    guard kind == .status(401) || kind == .status(403) else { return self }
    let sent =
      names.isEmpty
      ? "no header of yours was sent: give one with --token-file or --header"
      : "sent with the header \(names.map { "'\($0)'" }.joined(separator: ", "))"
    let further = askedForCertificate ? "; \(TLSClient.furtherAdvice)" : ""
    return GatewayError(kind, "\(message) (\(sent)\(further))")
  }

  /// The error for an answer that does not follow the protocol; `what` names the violation.
  static func invalidAnswer(_ what: String, _ response: HTTPResponse) -> GatewayError {
    GatewayError(.invalidAnswer, "\(what): \(PlainText.ascii(response.body.readableBytesView))")
  }
}

extension HTTPResponse {
  /// Whether the body is a page for people, as a proxy's error is.
  package var isPage: Bool {
    if let type = header("Content-Type")?.lowercased() { return type.hasPrefix("text/html") }
    return isMarkup
  }

  /// Whether the body begins as markup does. Its Content-Type does not count, because Node's ws labels plain text as a
  /// page.
  package var isMarkup: Bool { body.readableBytesView.first { $0 > 0x20 } == UInt8(ascii: "<") }
}
