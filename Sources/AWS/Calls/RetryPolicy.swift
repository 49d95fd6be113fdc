/// When a failed call is tried again: the standard mode of the AWS SDKs. A quota over all calls of a client bounds it too.
///
/// Source: "Retry behavior", AWS SDKs and Tools Reference Guide.
public struct RetryPolicy: Sendable, Equatable {
  /// Tries in all, the first included; 1 and up.
  public var attempts: Int

  /// Three tries.
  public static let standard = RetryPolicy(attempts: 3)
  /// One try: a poller would rather show a gap than blur when it asked.
  public static let never = RetryPolicy(attempts: 1)

  /// Makes a policy.
  public init(attempts: Int) { self.attempts = max(1, attempts) }

  /// The wait before the next try, `nil` for no more tries.
  ///
  /// - Parameters:
  ///   - error: how the last try ended.
  ///   - failures: how many tries have failed, 1 and up.
  ///   - random: in 0…1 (full jitter).
  /// - Returns: nanoseconds: random · min(2^(failures − 1) s, 20 s).
  public func delay(after error: AWSError, failures: Int, random: Double) -> UInt64? {
    guard failures < attempts, error.isRetryable else { return nil }
    let ceiling = failures > 5 ? 20.0 : min(Double(1 << (failures - 1)), 20)
    return UInt64(min(max(random, 0), 1) * ceiling * 1_000_000_000)
  }
}
