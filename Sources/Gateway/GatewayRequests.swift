import FoundationEssentials
import NIOCore
public import Transport

/// The requests of one gateway as bytes. The constant parts are rendered once for all requests. A class, because all
/// users' clients share one instance.
public final class GatewayRequests: Sendable {
  /// The head of a request, cut into parts between which the cookies are inserted.
  private struct Head {
    var start: [UInt8]
    /// The rest of the head for a request without cookies of the gateway; it holds the user's own cookies.
    var plainRest: [UInt8]
    /// The rest of the head after cookies.
    var rest: [UInt8]
    /// The path without the endpoint's base path.
    var path: String
  }

  /// The names of the header fields that the user gave.
  let headerNames: [String]
  /// Removes from messages about an answer the user's tokens, and those values of header fields that are long enough
  /// not to be ordinary words.
  package let secrets: SecretRedactor
  /// How the calls are made.
  let callForms: GatewayCallForms
  /// Whether acquires and releases are the protocol's own. Kept apart from ``callForms``, whose values are large.
  let (acquireIsNative, releaseIsNative): (Bool, Bool)
  /// The caller's token, for profiles with a place for it; nil without one.
  let token: String?

  private let acquireHead: Head
  private let releaseHead: Head
  private let statusHead: Head
  private let sessionProbe: (prefix: String, fields: String)
  private let basePath: String
  /// For a call of a profile: the fields after the request line, and the fields of a body, which follow the user's
  /// cookies.
  private let profileFields: (before: String, after: String)
  private let sendsSecureCookies: Bool
  /// The user's own cookies, sent beside those that the gateway sets.
  private let ownCookies: String?

  /// Prepares requests to `endpoint`, each with `headers`, whose names and values have been checked.
  public convenience init(to endpoint: Endpoint, headers: [(name: String, value: String)] = []) {
    self.init(to: endpoint, headers: headers, callForms: GatewayCallForms(), token: nil)
  }

  /// Prepares requests whose calls are made as `callForms` says.
  ///
  /// - Parameter formerTokens: earlier tokens, which answers to running calls may still repeat.
  package init(
    to endpoint: Endpoint, headers: [(name: String, value: String)], callForms: GatewayCallForms, token: String?,
    formerTokens: SecretRedactor = SecretRedactor([])
  ) {
    self.callForms = callForms
    acquireIsNative = if case .native = callForms.acquire { true } else { false }
    releaseIsNative = if case .native = callForms.release { true } else { false }
    self.token = token
    headerNames = headers.map(\.name)
    // `Bearer` is not secret; the token after it is.
    let bare = headers.filter { $0.name.lowercased() == "authorization" }
      .compactMap { $0.value.split(separator: " ").last.map { String($0) } }
    let present = [token].compactMap { $0 } + bare + headers.map(\.value).filter { $0.utf8.count >= 8 }
    secrets = SecretRedactor(present).adding(formerTokens)
    basePath = endpoint.basePath
    // Traffic within this machine cannot be overheard, and browsers and curl send Secure cookies to it too.
    sendsSecureCookies = endpoint.isSecure || endpoint.isLoopback
    func isCookie(_ header: (name: String, value: String)) -> Bool { header.name.lowercased() == "cookie" }
    let own = headers.filter(isCookie).map(\.value)
    let userCookies = own.isEmpty ? nil : own.joined(separator: "; ")
    ownCookies = userCookies
    let extra = headers.filter { !isCookie($0) }.map { "\($0.name): \($0.value)\r\n" }.joined()
    func head(_ method: String, _ path: String, _ rest: String) -> Head {
      let start =
        "\(method) \(endpoint.basePath)\(path) HTTP/1.1\r\nHost: \(endpoint.hostHeader)\r\nAccept: application/json\r\n\(extra)"
      let cookies = userCookies.map { "Cookie: \($0)\r\n" } ?? ""
      return Head(
        start: Array(start.utf8), plainRest: Array((cookies + rest).utf8), rest: Array(rest.utf8), path: path)
    }
    sessionProbe = (
      "GET \(endpoint.basePath)/session/",
      " HTTP/1.1\r\nHost: \(endpoint.hostHeader)\r\n\(extra)" + (userCookies.map { "Cookie: \($0)\r\n" } ?? "")
        + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
    )
    profileFields = (
      " HTTP/1.1\r\nHost: \(endpoint.hostHeader)\r\nAccept: application/json\r\n\(extra)",
      userCookies.map { "Cookie: \($0)\r\n" } ?? ""
    )
    let json = "Content-Type: application/json\r\nContent-Length: "
    acquireHead = head("POST", "/api/acquire", json)
    releaseHead = head("POST", "/api/release", json)
    statusHead = head("GET", "/api/status", "\r\n")
  }

  /// Stores the cookies that the answer to a request for `path` sets; `now` in s since 1970.
  func store(_ response: HTTPResponse, from path: String, in jar: inout CookieJar, now: Double) {
    store(response.headers("Set-Cookie"), from: path, in: &jar, now: now)
  }

  /// Stores the values of an answer's `Set-Cookie` fields; `now` in s since 1970.
  func store(_ fields: [String], from path: String, in jar: inout CookieJar, now: Double) {
    for field in fields { jar.store(field, from: basePath + path, now: now) }
  }

  /// The value of the `Cookie` field of a request for `path`: the user's own cookies and those of `jar`; nil without
  /// any.
  func cookies(for path: String, _ jar: CookieJar, now: Double) -> String? {
    let kept = jar.isEmpty ? nil : jar.field(for: basePath + path, isSecure: sendsSecureCookies, now: now)
    guard let ownCookies else { return kept }
    return kept.map { "\(ownCookies); \($0)" } ?? ownCookies
  }

  /// Replaces the bytes in `request` by `POST /api/acquire` for a valid user id, which needs no escaping in JSON.
  func acquire(userID: String, waitForReady: Bool, _ jar: CookieJar, into request: inout some RequestMemory) {
    let (opening, closing): (StaticString, StaticString) =
      ("{\"userId\":\"", waitForReady ? "\",\"waitFor\":\"ready\"}" : "\"}")
    let length = opening.utf8CodeUnitCount + userID.utf8.count + closing.utf8CodeUnitCount
    write(acquireHead, jar, bodyLength: length, into: &request) { writer in
      writer.write(opening)
      writer.write(userID)
      writer.write(closing)
    }
  }

  /// Replaces the bytes in `request` by `POST /api/release` of a task.
  func release(_ task: TaskID, _ jar: CookieJar, into request: inout some RequestMemory) {
    let opening: StaticString = "{\"taskId\":\""
    let closing: StaticString = "\"}"
    let around = opening.utf8CodeUnitCount + closing.utf8CodeUnitCount
    let escaped = task.form == .other && JSONText.needsEscapes(task.name) ? JSONText.escaped(task.name) : nil
    write(releaseHead, jar, bodyLength: around + (escaped?.utf8.count ?? task.byteCount), into: &request) { writer in
      writer.write(opening)
      if let escaped { writer.write(escaped) } else { writer.write(task) }
      writer.write(closing)
    }
  }

  /// A request to upgrade `/session/{userID}`, either without a `Sec-WebSocket-Key`, or with a key that has the right
  /// length but is invalid and a version that never existed. No server may grant either (RFC 6455, section 4.2.1).
  func sessionProbe(userID: String, hasKey: Bool) -> ByteBuffer {
    let rest = hasKey ? "12\r\nSec-WebSocket-Key: not-a-key-of-16-bytes-ok\r\n\r\n" : "13\r\n\r\n"
    return ByteBuffer(string: sessionProbe.prefix + userID + sessionProbe.fields + rest)
  }

  /// Replaces the bytes in `request` by `GET /api/status`.
  func status(_ jar: CookieJar, into request: inout some RequestMemory) { write(statusHead, jar, into: &request) }

  /// Replaces the bytes in `request` by a call of a profile; `body` is nil where the call has none.
  func call(
    _ method: String, _ path: String, body: String?, _ jar: CookieJar, into request: inout ByteBuffer
  ) {
    let cookies = jar.isEmpty ? nil : cookies(for: Self.withoutQuery(path), jar, now: wallClock())
    request.clear()
    request.writeString("\(method) \(basePath)\(path)\(profileFields.before)")
    request.writeString(cookies.map { "Cookie: \($0)\r\n" } ?? profileFields.after)
    if let body {
      request.writeString("Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    } else if method == "GET" || method == "DELETE" {
      request.writeStaticString("\r\n")
    } else {
      request.writeStaticString("Content-Length: 0\r\n\r\n")
    }
  }

  /// The path of a request's target, which is the part that cookies apply to.
  static func withoutQuery(_ path: String) -> String { String(path.prefix { $0 != "?" }) }

  /// Writes a head, and with a body also its length, the end of the head, and the body.
  private func write(
    _ head: Head, _ jar: CookieJar, bodyLength: Int? = nil, into request: inout some RequestMemory,
    _ body: (inout RequestWriter) -> Void = { _ in }
  ) {
    let field = jar.isEmpty ? nil : cookies(for: head.path, jar, now: wallClock())
    let room =
      head.start.count + head.plainRest.count + (field?.utf8.count ?? 0) + Self.lengthDigits + (bodyLength ?? 0)
    request.replace(atMost: room) { writer in
      writer.write(head.start)
      if let field {
        writer.write("Cookie: ")
        writer.write(field)
        writer.write("\r\n")
        writer.write(head.rest)
      } else {
        writer.write(head.plainRest)
      }
      guard let bodyLength else { return }
      writer.write(decimal: bodyLength)
      writer.write("\r\n\r\n")
      body(&writer)
    }
  }

  /// Room for the name of the field of cookies and its line end, the digits of any length, and the end of the head.
  private static let lengthDigits = 48
}

/// The wall clock, in s since 1970, because cookies expire at calendar times.
func wallClock() -> Double { Date().timeIntervalSince1970 }

extension GatewayRequests {
  /// A command that releases a task by hand: the release's request as curl sends it. It names the user's header fields
  /// but not their values, and says `TOKEN` where a profile places the token. nil where the profile has no release, and
  /// for a task whose name, which comes from outside, is not a plain word and must not reach a shell.
  public func releaseCommand(taskID: String, at endpoint: Endpoint) -> String? {
    guard !taskID.isEmpty, taskID.utf8.count <= 200, taskID.utf8.allSatisfy(Self.isPlain) else { return nil }
    var request = ByteBuffer()
    switch callForms.release {
    case .native: release(TaskID(taskID), CookieJar(), into: &request)
    case .by(let role):
      let values = ProfileValues([.task: taskID, .token: "TOKEN"])
      call(
        role.call.method, role.call.path.text(values), body: role.call.body?.text(values), CookieJar(), into: &request)
    case .absent: return nil
    }
    let text = String(buffer: request)
    guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
    let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
    let body = text[end.upperBound...]
    guard words.count == 3, !words[1].contains("'"), !body.contains("'") else { return nil }
    let root = endpoint.httpURL.dropLast(endpoint.basePath.count)
    let headers = headerNames.map { " -H '\($0): …'" }.joined()
    let data = body.isEmpty ? "" : " -H 'Content-Type: application/json' -d '\(body)'"
    let command = "curl -X \(words[0])\(headers)\(data) '\(root)\(words[1])'"
    return secrets.removed(from: command)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "._-:/".utf8.contains(byte)
    }
  }
}

/// JSON string literals (RFC 8259, section 7).
package enum JSONText {
  /// Whether a literal of `text` holds more than `text` between quotation marks.
  static func needsEscapes(_ text: some StringProtocol) -> Bool {
    !text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }

  /// `text` in quotation marks, escaped.
  package static func quoted(_ text: some StringProtocol) -> String { "\"\(escaped(text))\"" }

  /// The text between the quotation marks of a literal of `text`.
  package static func escaped(_ text: some StringProtocol) -> String {
    guard needsEscapes(text) else { return String(text) }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..."\u{1f}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
