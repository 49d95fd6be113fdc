package import Gateway
package import Transport

extension GatewaySession {
  /// Of a user's program, in bytes: a line comes whole, however many fragments it has.
  private static let longestLine = 16 << 20

  /// Opens a connection to the user's side.
  ///
  /// - Parameters:
  ///   - path: the role's own, or the one by which a session is gone back to.
  ///   - number: the user's whose token is sent.
  ///   - visitor: whose visit it is: its cookies are sent with the upgrade, those of the answer are kept for its further
  ///     calls, and it goes to the same of several addresses.
  ///   - timeout: in ns; the session's by default.
  package func openSession(
    _ role: GatewayProfile.Session, path: ProfileTemplate, _ values: ProfileValues, user number: Int = 0,
    visitor: GatewayClient? = nil, on executor: LoopExecutor, timeout: UInt64? = nil
  ) async throws(WebSocketError) -> WebSocketConnection {
    let path = path.text(values)
    let own = role.headers.map { ($0.name, $0.value.text(values)) }
    var fields = visitors.headers(ofUser: number).map { ($0.name, $0.value) }
    // The profile says how its gateway is spoken to: two fields of one name would be a mistake to many.
    fields.removeAll { field in own.contains { $0.0.lowercased() == field.0.lowercased() } }
    fields += own
    let plainPath = String(path.prefix { $0 != "?" })
    if let cookies = visitor?.cookieField(for: plainPath) {
      // They hold those that the user gave as a header, and none of the profile's.
      fields.removeAll { $0.0.lowercased() == "cookie" }
      let ofProfile = own.filter { $0.0.lowercased() == "cookie" }.map(\.1)
      fields.append(("Cookie", (ofProfile + [cookies]).joined(separator: "; ")))
    }
    let client = visitor ?? self.client(on: executor, user: number)
    do throws(WebSocketError) {
      let connection = try await client.openWebSocket(
        path: path, headers: fields, subprotocols: role.subprotocols, on: executor,
        limits: WebSocketLimits(maximumMessageSize: Self.longestLine), timeout: timeout ?? self.timeout)
      visitor?.keep(setCookies: connection.setCookies, from: plainPath)
      connection.isServed(by: executor)
      return connection
    } catch {
      throw explained(error, fields.map(\.0), client)
    }
  }

  /// What a proxy says to an upgrade is said as of any other call.
  private func explained(
    _ error: WebSocketError, _ headerNames: [String], _ client: GatewayClient
  ) -> WebSocketError {
    guard case .upgradeRefused(var refusal) = error else { return error }
    let reason = client.refusal(refusal.response, headerNames: headerNames)
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
    case .unresolved: "dns"
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
