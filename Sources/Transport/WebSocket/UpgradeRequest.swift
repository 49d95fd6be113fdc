import NIOHTTP1

/// A checked request for an upgrade. NIO would drop an invalid request silently, and the caller would wait for ever.
package struct UpgradeRequest: Sendable {
  let endpoint: Endpoint
  let head: HTTPRequestHead
  /// The subprotocols offered to the server.
  let subprotocols: [String]
  /// nil for a plain connection.
  let tls: TLSClient?

  private static let own: Set<String> = [
    "host", "upgrade", "connection", "content-length", "transfer-encoding", "sec-websocket-key",
    "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions",
  ]

  init(
    endpoint: Endpoint, path: String, headers: [(String, String)], subprotocols: [String] = [], tls: TLSClient?
  ) throws(WebSocketError) {
    guard !endpoint.isSecure || tls != nil else { throw .invalidRequest("wss needs TLS") }
    let target = endpoint.basePath + path
    guard path.hasPrefix("/"), target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }) else {
      throw .invalidRequest("'\(path)' is no path of a request: it starts with '/' and is percent-encoded")
    }
    var fields = HTTPHeaders([("Host", endpoint.hostHeader)])
    for (name, value) in headers {
      if let problem = Self.problem(ofHeader: name, value) { throw .invalidRequest(problem) }
      fields.add(name: name, value: value)
    }
    guard subprotocols.allSatisfy(Self.isToken) else {
      throw .invalidRequest("the name of a subprotocol has a character that no name has")
    }
    if !subprotocols.isEmpty { fields.add(name: "Sec-WebSocket-Protocol", value: subprotocols.joined(separator: ", ")) }
    head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target, headers: fields)
    self.endpoint = endpoint
    self.subprotocols = subprotocols
    self.tls = endpoint.isSecure ? tls : nil
  }

  /// Why a header cannot be sent with an upgrade, for people; nil if it can. The value may be a secret, so it is never
  /// repeated.
  package static func problem(ofHeader name: String, _ value: String) -> String? {
    guard isToken(name), !own.contains(name.lowercased()) else {
      return "the header name '\(name)' is invalid, or belongs to the WebSocket protocol itself"
    }
    guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else {
      return "the value of the header '\(name)' contains a control character"
    }
    return nil
  }

  /// Whether `name` is a token (RFC 9110, section 5.6.2).
  private static func isToken(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }
}
