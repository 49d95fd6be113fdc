/// How many samples of a metric one iteration gives: metrics of messages have one for each of a user's messages.
enum SamplesPerIteration {
  /// - Parameter parameters: a result's.
  /// - Returns: 1 of all metrics that have at most one, and of results that don't tell.
  static func of(_ metric: String, _ parameters: [String: JSONValue]) -> UInt64 {
    guard case .int(let messages)? = parameters["messages"], messages > 1 else { return 1 }
    if ofEachMessage.contains(metric) { return UInt64(messages) }
    return ofEachLaterMessage.contains(metric) ? UInt64(messages) - 1 : 1
  }

  private static let ofEachMessage: Set<String> = ["complete", "gap"]
  private static let ofEachLaterMessage: Set<String> = ["message_roundtrip"]
}

/// A product that stops at the largest number: the counts of a stored document may be anything.
func saturatingProduct(_ left: UInt64, _ right: UInt64) -> UInt64 {
  let (product, overflow) = left.multipliedReportingOverflow(by: right)
  return overflow ? .max : product
}
