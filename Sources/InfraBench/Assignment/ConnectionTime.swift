import FoundationEssentials

/// Tells warm from cold by when a task had connected, against the time of the request, both by the gateway's clock.
enum ConnectionTime {
  /// `before` was seen just before the request, `after` after its answer.
  static func classify(_ task: String, before: PoolLook?, after: PoolLook?) -> TaskOrigin {
    if before?.connectedAt(task) != nil { return .warm }
    guard let connectedAt = after?.connectedAt(task), let requestedAt = before?.gatewayTime else {
      return .unclassified
    }
    // A `Date` header of 12:00:05 was written between :05.0 and :06.0.
    if connectedAt < requestedAt { return .warm }
    return connectedAt >= requestedAt.addingTimeInterval(1) ? .cold : .unclassified
  }
}

/// The two ways in which gateways write instants.
enum GatewayTime {
  /// ISO 8601 with or without fractions of a second.
  static func parseISO8601(_ text: String) -> Date? {
    (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
      ?? (try? Date(text, strategy: Date.ISO8601FormatStyle()))
  }

  /// The fixed form of RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
  static func parseHTTPDate(_ text: String) -> Date? {
    let parts = text.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else { return nil }
    let number = String(month + 1)
    let padded = number.count == 1 ? "0" + number : number
    return parseISO8601("\(parts[3])-\(padded)-\(parts[1])T\(parts[4])Z")
  }
}
