package import GatewayProtocol

/// Whether a task that was assigned had been waiting (warm) or was started for this request (cold).
package enum TaskOrigin: String, Sendable {
  case warm, cold, unclassified
}

/// Tells warm from cold by what there is, strongest first: the gateway's word, the pool's status before the request.
package enum WarmClassifier {
  /// Classifies an answer; `warmCountBefore` is from a status read before the request was sent, nil if there was none.
  package static func classify(_ answer: AcquireAnswer, warmCountBefore: Int?) -> TaskOrigin {
    switch answer.source {
    case "warm": return .warm
    case "cold": return .cold
    default: break
    }
    if let warmCountBefore, warmCountBefore > 0 { return .warm }
    return .unclassified
  }
}
