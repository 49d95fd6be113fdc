import Glibc
import Latency

/// How much CPU this process has used since a moment, for tools whose load is threads of their own.
public struct ProcessCPU: Sendable {
  private let startedAt = MonotonicClock.now()
  private let usedAtStart = ProcessCPU.used()

  /// Starts at this moment.
  public init() {}

  /// User and system time since then over the time that has passed: 1 is one core.
  public var utilisation: Double {
    let elapsed = max(1, MonotonicClock.now() - startedAt)
    return Double(Self.used() - usedAtStart) / Double(elapsed)
  }

  /// In ns.
  private static func used() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
