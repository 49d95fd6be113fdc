import Glibc
import Latency

/// How much CPU this process uses in the watched parts of a run. It also serves tools whose load runs on threads of
/// their own.
public struct ProcessCPU: Sendable {
  private struct Reading: Sendable {
    var at = MonotonicClock.now()
    var used = ProcessCPU.used()
  }

  private var begin: Reading? = Reading()
  private var elapsed = Nanoseconds.zero
  private var used = Nanoseconds.zero

  /// Starts watching.
  public init() {}

  /// User and system time of the watched parts divided by their length: 1 is one core.
  public var utilisation: Double {
    var sum = self
    sum.pause()
    return sum.used.seconds / max(1, sum.elapsed).seconds
  }

  /// Continues watching; does nothing if it is watching.
  mutating func resume() { begin = begin ?? Reading() }

  /// Stops watching until ``resume()``.
  mutating func pause() {
    guard let begin else { return }
    let now = Reading()
    elapsed += now.at - begin.at
    used += now.used - begin.used
    self.begin = nil
  }

  /// CPU time of all threads so far.
  private static func used() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Nanoseconds(time)
  }
}
