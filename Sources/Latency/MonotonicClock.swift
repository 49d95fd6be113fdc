public import Glibc

/// The one clock of every measurement: `CLOCK_MONOTONIC`, in nanoseconds.
///
/// Instants of different processes on one machine are comparable; instants of this clock and of any other are not.
public enum MonotonicClock {
  /// The present instant, in nanoseconds since an arbitrary but fixed moment.
  @inlinable
  public static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
