package import SessionGateway
package import Transport

extension GatewaySession {
  /// Of a user's program, in bytes: a line comes whole, however many fragments it has.
  private static let longestLine = 16 << 20

  /// Opens a connection to the user's side.
  ///
  /// - Parameters:
  ///   - path: the role's own, or the one by which a session is gone back to.
  ///   - number: the user's whose token is sent.
  ///   - visitor: whose cookies are sent with the upgrade, and who keeps those that are set by its answer.
  ///   - timeout: in ns; the session's by default.
  package func openSession(
    _ role: GatewayProfile.Session, path: ProfileTemplate, _ values: ProfileValues, user number: Int = 0,
    visitor: GatewayClient? = nil, on executor: LoopExecutor, timeout: UInt64? = nil
  ) async throws(WebSocketError) -> WebSocketConnection {
    let path = path.text(values)
    var fields = visitors.headers(ofUser: number).map { (name: $0.name, value: $0.value) }
    fields += role.headers.map { (name: $0.name, value: $0.value.text(values)) }
    let plainPath = String(path.prefix { $0 != "?" })
    if let cookies = visitor?.cookieField(for: plainPath) {
      // They hold those that the user gave as a header.
      fields.removeAll { $0.name.lowercased() == "cookie" }
      fields.append((name: "Cookie", value: cookies))
    }
    let connection = try await WebSocketConnection.connect(
      to: endpoint, path: path, headers: fields.map { ($0.name, $0.value) }, subprotocols: role.subprotocols,
      tls: tls?.context, on: executor.eventLoop, limits: WebSocketLimits(maximumMessageSize: Self.longestLine),
      timeout: timeout ?? self.timeout)
    connection.isServed(by: executor)
    visitor?.keepCookies(connection.setCookies, from: plainPath)
    return connection
  }
}

extension WebSocketError {
  /// What results count errors by.
  var kind: String {
    switch self {
    case .invalidRequest: "invalid_request"
    case .refused: "connect_refused"
    case .unreachable: "connect_failed"
    case .timeout: "timeout"
    case .tls: "tls"
    case .upgradeRefused(let status, _): "http_\(status)"
    case .protocolViolation: "invalid_response"
    case .closed: "closed"
    case .cancelled: "cancelled"
    }
  }
}
