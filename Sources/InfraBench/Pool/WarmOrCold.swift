import FoundationEssentials
import Gateway

/// Whether a task that was assigned had been waiting (warm) or was started for this request (cold).
package enum TaskOrigin: String, Sendable {
  case warm, cold, unclassified
}

/// Tells warm from cold by what there is, strongest first: the gateway's word, the pool's status before the request,
/// when the task had connected.
package enum WarmClassifier {
  /// What `source` and the look before the request tell; nil when only a look after the answer can.
  ///
  /// `isCovered`: that look showed a warm task for every request that was under way, this one among them.
  package static func classify(source: String?, isCovered: Bool) -> TaskOrigin? {
    switch source {
    case "warm": .warm
    case "cold": .cold
    default: isCovered ? .warm : nil
    }
  }

  /// What the looks just before the request and after its answer tell.
  package static func classify(_ task: String, before: PoolStatus?, after: PoolStatus?) -> TaskOrigin {
    let origin = ConnectionTime.classify(task, before: before, after: after)
    // Without other evidence: there was nothing warm to be had.
    return origin == .unclassified && before?.status.warmCount == 0 ? .cold : origin
  }
}

/// Tells warm from cold by when a task had connected, against the time of the request, both by the gateway's clock.
enum ConnectionTime {
  /// `before` was seen just before the request, `after` after its answer.
  static func classify(_ task: String, before: PoolStatus?, after: PoolStatus?) -> TaskOrigin {
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
