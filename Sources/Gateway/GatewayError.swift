import NIOCore
public import Transport

/// Why a call to the gateway did not do what it should: a kind for counting, and words for people.
public struct GatewayError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What results count errors by: a transport kind, `http_<status>`, `invalid_json`, `refused`.
  public var kind: String
  /// What happened, with the head of the answer where there was one.
  public var message: String

  /// Makes an error.
  public init(kind: String, message: String) {
    self.kind = kind
    self.message = message
  }

  /// A failure below HTTP.
  public init(_ error: TransportError) {
    kind = error.kind.rawValue
    message = error.message
  }

  /// The gateway's profile has no such role.
  static func absentRole(_ name: String) -> GatewayError {
    GatewayError(kind: "no_\(name)", message: "the gateway's profile has no role '\(name)'")
  }

  /// Whether the caller gave up, so that nothing failed.
  public var isCancellation: Bool { kind == TransportError.Kind.cancelled.rawValue }

  /// The kind and the message.
  public var description: String { "\(kind): \(message)" }
}

extension GatewayError {
  /// An answer with a status that no gateway gives when it has done what it was asked for: from the gateway, or from a proxy
  /// before it. Its kind is `http_<status>`; the message says what to do about it.
  static func unexpectedStatus(_ response: HTTPResponse) -> GatewayError {
    if let wanted = wantedCertificate(response) { return wanted }
    return GatewayError(
      kind: "http_\(response.status)", message: "status \(response.status)\(reason(of: response))")
  }

  /// A proxy that asks for a client certificate may say so only after the handshake: nginx with a page (400, and 495 or 496
  /// where a configuration shows its own numbers). nil for other answers.
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
      kind: TransportError.Kind.clientCertificate.rawValue,
      message: "status \(response.status)\(proxy(response)): \(advice) (\(title))")
  }

  private static func reason(of response: HTTPResponse) -> String {
    switch response.status {
    case 301, 302, 303, 307, 308:
      let target = response.header("Location").map(withoutSecrets)
      let place = target.map { "to '\(String.printable($0))'" } ?? "elsewhere"
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
      let text = response.isPage ? title(response) : .head(of: response.body)
      return text.isEmpty ? "" : ": \(text)"
    }
  }

  /// An address up to what may hold a token: its query, its fragment, its user information.
  private static func withoutSecrets(_ address: String) -> String {
    let place = address.prefix { $0 != "?" && $0 != "#" }
    guard let at = place.lastIndex(of: "@") else { return String(place) }
    let scheme = place.firstRange(of: "//").map { place[..<$0.upperBound] } ?? ""
    return scheme + String(place[place.index(after: at)...])
  }

  /// " from a proxy", with the name that it gives itself. A gateway may answer with a page of its own.
  private static func proxy(_ response: HTTPResponse) -> String {
    guard response.header("X-Powered-By") == nil, let server = response.header("Server") else {
      return " from the gateway or a proxy before it"
    }
    return " from a proxy (\(String.printable(server)))"
  }

  /// The title of a page, or its beginning without tags: haproxy's pages have none.
  private static func title(_ response: HTTPResponse) -> String {
    let text = String(decoding: response.body.readableBytesView.prefix(4096), as: UTF8.self)
    guard let opening = text.firstRange(of: "<title>"),
      let closing = text[opening.upperBound...].firstRange(of: "</title>")
    else { return PlainLine.of(text, limit: 120) }
    let title = text[opening.upperBound..<closing.lowerBound]
    // Express calls every page so, and says what happened below.
    guard title != "Error" else { return PlainLine.of(String(text[closing.upperBound...]), limit: 120) }
    return .printable(String(title))
  }

  /// The same error where a gateway asks who is there, with what was sent for that: the names of the header fields that
  /// the user gave, never their values.
  ///
  /// - Parameter askedForCertificate: the server asked for a client certificate, and there was none to show.
  func explained(withHeaders names: [String], askedForCertificate: Bool = false) -> GatewayError {
    guard kind == "http_401" || kind == "http_403" else { return self }
    let sent =
      names.isEmpty
      ? "no header of yours was sent: give one with --token-file or --header"
      : "sent with the header \(names.map { "'\($0)'" }.joined(separator: ", "))"
    let further = askedForCertificate ? "; \(TLSClient.furtherAdvice)" : ""
    return GatewayError(kind: kind, message: "\(message) (\(sent)\(further))")
  }

  /// An answer that is not what the protocol says; `what` is wrong with it.
  static func invalidAnswer(_ what: String, _ response: HTTPResponse) -> GatewayError {
    GatewayError(kind: "invalid_json", message: "\(what): \(String.head(of: response.body))")
  }
}

extension String {
  /// Text from outside is shown on terminals: at most 120 bytes, and everything but printable ASCII becomes a blank.
  static func printable(_ text: String) -> String { printable(text.utf8.prefix(120)) }

  /// The beginning of a body, as one printable line.
  fileprivate static func head(of body: ByteBuffer) -> String { printable(body.readableBytesView.prefix(120)) }

  private static func printable(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x20 }, as: UTF8.self)
  }
}

extension HTTPResponse {
  /// Whether the body is a page for people, as proxies answer with.
  package var isPage: Bool {
    if let type = header("Content-Type")?.lowercased() { return type.hasPrefix("text/html") }
    return isMarkup
  }

  /// Whether the body begins as markup does, whatever it is called: Node's ws calls its plain words a page.
  package var isMarkup: Bool { body.readableBytesView.first { $0 > 0x20 } == UInt8(ascii: "<") }
}
