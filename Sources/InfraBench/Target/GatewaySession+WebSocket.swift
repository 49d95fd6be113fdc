package import SessionGateway
package import Transport

extension GatewaySession {
  /// Of a user's program, in bytes: a line comes whole, however many fragments it has.
  private static let longestLine = 16 << 20

  /// Opens the user's side, `/session/{userId}`; `timeout` in ns defaults to the session's.
  ///
  /// - Parameter visitor: whose visit it is: its cookies are sent with the upgrade, those of the answer are kept for its
  ///   further calls, and it goes to the same of several addresses.
  package func openSession(
    userID: String, visitor: GatewayClient? = nil, on executor: LoopExecutor, timeout: UInt64? = nil
  ) async throws(WebSocketError) -> WebSocketConnection {
    let path = "/session/\(userID)"
    var fields = headers.map { ($0.name, $0.value) }
    if let cookies = visitor?.cookieField(for: path) {
      // They hold those that the user gave as a header.
      fields.removeAll { $0.0.lowercased() == "cookie" }
      fields.append(("Cookie", cookies))
    }
    let client = visitor ?? self.client(on: executor)
    do throws(WebSocketError) {
      let connection = try await client.openWebSocket(
        path: path, headers: fields, on: executor, limits: WebSocketLimits(maximumMessageSize: Self.longestLine),
        timeout: timeout ?? self.timeout)
      visitor?.keep(setCookies: connection.setCookies, from: path)
      connection.isServed(by: executor)
      return connection
    } catch {
      throw explained(error)
    }
  }

  /// What a proxy says to an upgrade is said as of any other call.
  private func explained(_ error: WebSocketError) -> WebSocketError {
    guard case .upgradeRefused(var refusal) = error else { return error }
    let reason = GatewayError.refusal(refusal.response, headerNames: headers.map(\.name))
    (refusal.kind, refusal.words) = (reason.kind, reason.message)
    return .upgradeRefused(refusal)
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
    case .clientCertificate: "client_certificate"
    case .upgradeRefused(let refusal): refusal.kind
    case .protocolViolation: "invalid_response"
    case .closed: "closed"
    case .cancelled: "cancelled"
    }
  }
}
