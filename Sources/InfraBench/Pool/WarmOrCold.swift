import FoundationEssentials
import Gateway

/// Whether a task that was assigned had been waiting (warm) or was started for this request (cold).
package enum TaskOrigin: String, Sendable {
  case warm, cold, unclassified
}

/// Tells a warm start from a cold one by the strongest evidence available: first the gateway's own word, then the
/// pool's status before the request, then the time at which the task connected.
package enum WarmClassifier {
  /// Judges by `source` and by the status before the request; nil where the status after the answer is needed too.
  ///
  /// - Parameter isCovered: that status showed a warm task for every request under way, this one included.
  package static func classify(source: String?, isCovered: Bool) -> TaskOrigin? {
    switch source {
    case "warm": .warm
    case "cold": .cold
    default: isCovered ? .warm : nil
    }
  }

  /// Judges by the statuses read just before the request and after its answer.
  package static func classify(_ task: String, before: PoolStatus?, after: PoolStatus?) -> TaskOrigin {
    let origin = ConnectionTime.classify(task, before: before, after: after)
    // There is no other evidence, but the pool had no warm task to give.
    return origin == .unclassified && before?.status.warmCount == 0 ? .cold : origin
  }
}

/// Compares the time at which a task connected with the time of the request, both by the gateway's clock.
enum ConnectionTime {
  /// - Parameters:
  ///   - before: the status read just before the request.
  ///   - after: the status read after its answer.
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

/// The two formats in which gateways write instants.
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
