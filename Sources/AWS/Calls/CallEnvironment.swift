import FoundationEssentials
import Latency

/// The clock, the sleep and the randomness of calls; tests put their own in their place.
public struct CallEnvironment: Sendable {
  /// Wall clock, seconds since 1970: requests are dated by it.
  public var wallClock: @Sendable () -> Int64
  /// Waits for nanoseconds; throws when the task is cancelled.
  public var sleep: @Sendable (UInt64) async throws -> Void
  /// Uniform in 0…1.
  public var random: @Sendable () -> Double
  /// Told what a user should know though the call goes on, one line each.
  public var warn: @Sendable (String) -> Void

  /// Makes an environment.
  public init(
    wallClock: @escaping @Sendable () -> Int64, sleep: @escaping @Sendable (UInt64) async throws -> Void,
    random: @escaping @Sendable () -> Double, warn: @escaping @Sendable (String) -> Void
  ) {
    self.wallClock = wallClock
    self.sleep = sleep
    self.random = random
    self.warn = warn
  }

  /// The machine's own.
  public static func system(warn: @escaping @Sendable (String) -> Void) -> CallEnvironment {
    CallEnvironment(
      wallClock: { Int64(Date().timeIntervalSince1970.rounded(.down)) },
      sleep: { try await Task.sleep(nanoseconds: $0) },
      random: { Double.random(in: 0...1) },
      warn: warn)
  }
}
