package import Transport

extension GatewaySession {
  /// Of a user's program, in bytes: a line comes whole, however many fragments it has.
  private static let longestLine = 16 << 20

  /// Opens the user's side, `/session/{userId}`; `timeout` in ns defaults to the session's.
  package func openSession(
    userID: String, on executor: LoopExecutor, timeout: UInt64? = nil
  ) async throws(WebSocketError) -> WebSocketConnection {
    let connection = try await WebSocketConnection.connect(
      to: endpoint, path: "/session/\(userID)", headers: headers.map { ($0.name, $0.value) }, tls: tls?.context,
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
