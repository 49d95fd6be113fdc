/// How long a place in the pool stays empty before its next task starts. A healthy life is replaced at once; failures
/// in a row wait ever longer, so that a broken gateway is asked a few times a minute and not a thousand times a second.
struct ReplacementBackoff {
  /// In nanoseconds.
  static let first: UInt64 = 250_000_000
  /// In nanoseconds.
  static let longest: UInt64 = 15_000_000_000
  /// A task that waited this long, in nanoseconds, and was then retired was well, even if no user ever came.
  static let healthyWait: UInt64 = 5_000_000_000

  private var failures = 0

  /// The pause after a life, in nanoseconds.
  ///
  /// - Parameters:
  ///   - lived: In nanoseconds.
  ///   - jitter: 0…1; the pause is between half of its full length and the whole.
  mutating func pause(after outcome: TaskOutcome, lived: UInt64, jitter: Double) -> UInt64 {
    guard !Self.isHealthy(outcome, lived: lived) else {
      failures = 0
      return 0
    }
    let full = min(Self.longest, Self.first << min(failures, 16))
    failures += 1
    return full / 2 + UInt64(Double(full / 2) * min(1, max(0, jitter)))
  }

  private static func isHealthy(_ outcome: TaskOutcome, lived: UInt64) -> Bool {
    switch outcome {
    case .released, .processEnded, .stopped: true
    case .retired, .connectionLost: lived >= healthyWait
    case .notConnected, .initFailed: false
    }
  }
}
