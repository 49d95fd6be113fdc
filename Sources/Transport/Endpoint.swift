import FoundationEssentials

/// The address of a server, from an `http`, `https`, `ws` or `wss` URL. Of the scheme it keeps only whether TLS is
/// used.
public struct Endpoint: Sendable, Hashable {
  /// Whether connections use TLS.
  public var isSecure: Bool
  /// A name or an address; IPv6 addresses have no brackets.
  public var host: String
  /// The port, 1–65535.
  public var port: Int
  /// The path before each request's path: empty, or a path that starts with `/` and does not end with it.
  public var basePath: String

  /// Makes an endpoint from its parts.
  public init(host: String, port: Int, isSecure: Bool = false, basePath: String = "") {
    self.isSecure = isSecure
    self.host = host
    self.port = port
    self.basePath = basePath
  }

  /// Parses a URL.
  ///
  /// - Throws: ``EndpointError`` for another scheme, user info, a query or fragment, no host, or a port out of range.
  public init(parsing text: String) throws(EndpointError) {
    let separator = text.firstRange(of: "://")
    let authority = text[(separator?.upperBound ?? text.startIndex)...].prefix { $0 != "?" && $0 != "#" }
      .drop { $0 == "/" }.prefix { $0 != "/" }
    // This is checked first, so that no later message repeats a password.
    guard !(separator == nil ? text[...] : authority).contains("@") else {
      throw EndpointError("a URL with user info is refused: give credentials with --header or --token-file")
    }
    guard separator != nil, !text.contains(":///"), let url = URL(string: text), let scheme = url.scheme?.lowercased()
    else {
      throw EndpointError("'\(text)' is no URL: write it as http://host:port or wss://host")
    }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw EndpointError("a URL has no spaces, control or non-ASCII characters")
    }
    switch scheme {
    case "http", "ws": isSecure = false
    case "https", "wss": isSecure = true
    default: throw EndpointError("'\(scheme)' is no scheme of a gateway: write http, https, ws or wss")
    }
    guard url.query == nil, url.fragment == nil else {
      throw EndpointError("a gateway's URL has no query and no fragment")
    }
    guard var host = url.host, !host.isEmpty, !authority.contains("%") else {
      throw EndpointError("'\(text)' names no proper host")
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    self.host = host
    let port = url.port ?? (isSecure ? 443 : 80)
    // `URL` gives no port for a number that overflows, so a written port is detected separately.
    let isPortWritten = authority.hasSuffix("]") ? false : authority.contains(":")
    guard (1...65535).contains(port), isPortWritten == (url.port != nil) else {
      throw EndpointError("the port of '\(text)' is not in 1–65535")
    }
    self.port = port
    var path = url.path(percentEncoded: true)
    while path.hasSuffix("/") { path.removeLast() }
    basePath = path
  }

  /// Whether traffic to this endpoint stays on this machine, judged by the host's text alone: `localhost`,
  /// `127.0.0.0/8`, `::1`.
  public var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// The value of a `Host` header: the port is left out where it is the scheme's own (RFC 9110, section 7.2).
  public var hostHeader: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
  }

  /// The endpoint as an http(s) URL, for reports.
  public var httpURL: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return "\(isSecure ? "https" : "http")://\(name):\(port)\(basePath)"
  }

  /// The endpoint as a ws(s) URL, for the environment of tasks.
  public var webSocketURL: String { "ws" + httpURL.dropFirst(4) }
}

/// Why a text is no endpoint; the message says what to write instead.
public struct EndpointError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The message for people.
  public let description: String

  init(_ description: String) { self.description = description }
}
