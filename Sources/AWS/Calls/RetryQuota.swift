/// A bucket of tokens that retries cost, so that a service in trouble is not asked ever more often.
///
/// Source: "Retry behavior", AWS SDKs and Tools Reference Guide, standard mode.
struct RetryQuota: Sendable, Equatable {
  static let capacity = 500

  private(set) var tokens = capacity

  /// Takes a retry's price.
  ///
  /// - Returns: the price, `nil` where the bucket holds less; then nothing is taken.
  mutating func acquire(after error: AWSError) -> Int? {
    // An exchange that broke or timed out has cost both sides more than an answer that refuses.
    let price = error.kind == .transfer ? 10 : 5
    guard tokens >= price else { return nil }
    tokens -= price
    return price
  }

  /// Notes a success: the price of the retry that led to it comes back, one token for a success at the first try.
  mutating func succeed(havingPaid price: Int?) { tokens = min(RetryQuota.capacity, tokens + (price ?? 1)) }
}
