public import Latency

/// The rule for retries: the standard mode of the AWS SDKs. A quota over all calls of a client limits them further.
///
/// Source: "Retry behavior", AWS SDKs and Tools Reference Guide.
public struct RetryPolicy: Sendable, Equatable {
  /// Tries in all, the first included; 1 and up.
  public var attempts: Int

  /// Three tries.
  public static let standard = RetryPolicy(attempts: 3)
  /// One try. A poller uses it: a gap in its record is better than a sample whose time is uncertain.
  public static let never = RetryPolicy(attempts: 1)

  /// Makes a policy.
  public init(attempts: Int) { self.attempts = max(1, attempts) }

  /// The wait before the next try, `nil` when there is no further try.
  ///
  /// - Parameters:
  ///   - error: the error of the last try.
  ///   - failures: the number of failed tries, 1 and up.
  ///   - random: in 0…1 (full jitter).
  /// - Returns: random · min(2^(failures − 1) s, 20 s).
  public func delay(after error: AWSError, failures: Int, random: Double) -> Nanoseconds? {
    guard failures < attempts, error.isRetryable else { return nil }
    let ceiling = failures > 5 ? 20.0 : min(Double(1 << (failures - 1)), 20)
    return .seconds(min(max(random, 0), 1) * ceiling)
  }
}

/// A bucket of tokens. Each retry takes some, so that clients do not add load to a service in trouble.
///
/// Source: "Retry behavior", AWS SDKs and Tools Reference Guide, standard mode.
struct RetryQuota: Sendable, Equatable {
  static let capacity = 500

  private(set) var tokens = capacity

  /// Takes a retry's price.
  ///
  /// - Returns: the price; `nil` where the bucket holds less, and then it keeps its tokens.
  mutating func acquire(after error: AWSError) -> Int? {
    // A broken or timed-out exchange has cost both sides more than an answer with an error.
    let price = error.kind == .transfer ? 10 : 5
    guard tokens >= price else { return nil }
    tokens -= price
    return price
  }

  /// Notes a success: it returns the price of the retry that led to it, or one token for a success at the first try.
  mutating func succeed(havingPaid price: Int?) { tokens = min(RetryQuota.capacity, tokens + (price ?? 1)) }
}
