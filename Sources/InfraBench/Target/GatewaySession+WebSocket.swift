package import SessionGateway
package import Transport

extension GatewaySession {
  /// Of a user's program, in bytes: a line comes whole, however many fragments it has.
  private static let longestLine = 16 << 20

  /// Opens the user's side, `/session/{userId}`; `timeout` in ns defaults to the session's.
  ///
  /// - Parameter visitor: whose cookies are sent with the upgrade.
  package func openSession(
    userID: String, visitor: GatewayClient? = nil, on executor: LoopExecutor, timeout: UInt64? = nil
  ) async throws(WebSocketError) -> WebSocketConnection {
    let path = "/session/\(userID)"
    var fields = headers.map { (name: $0.name, value: $0.value) }
    if let cookies = visitor?.cookieField(for: path) {
      // They hold those that the user gave as a header.
      fields.removeAll { $0.name.lowercased() == "cookie" }
      fields.append((name: "Cookie", value: cookies))
    }
    let connection = try await WebSocketConnection.connect(
      to: endpoint, path: path, headers: fields.map { ($0.name, $0.value) }, tls: tls?.context,
      on: executor.eventLoop, limits: WebSocketLimits(maximumMessageSize: Self.longestLine),
      timeout: timeout ?? self.timeout)
    connection.isServed(by: executor)
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
