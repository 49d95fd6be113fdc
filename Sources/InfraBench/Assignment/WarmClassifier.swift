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
  package static func classify(_ task: String, before: PoolLook?, after: PoolLook?) -> TaskOrigin {
    let origin = ConnectionTime.classify(task, before: before, after: after)
    // Without other evidence: there was nothing warm to be had.
    return origin == .unclassified && before?.status.warmCount == 0 ? .cold : origin
  }
}
