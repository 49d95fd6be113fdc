import Glibc
import Latency

/// How much CPU this process uses in the parts of a run that are watched, for tools whose load is threads of their own too.
public struct ProcessCPU: Sendable {
  private struct Reading: Sendable {
    var at = MonotonicClock.now()
    var used = ProcessCPU.used()
  }

  private var begin: Reading? = Reading()
  private var elapsed = Nanoseconds.zero
  private var used = Nanoseconds.zero

  /// Starts at this moment.
  public init() {}

  /// User and system time of the watched parts over their length: 1 is one core.
  public var utilisation: Double {
    var sum = self
    sum.pause()
    return sum.used.seconds / max(1, sum.elapsed).seconds
  }

  /// Goes on watching; nothing where it is watched already.
  mutating func resume() { begin = begin ?? Reading() }

  /// Stops watching for the time being.
  mutating func pause() {
    guard let begin else { return }
    let now = Reading()
    elapsed += now.at - begin.at
    used += now.used - begin.used
    self.begin = nil
  }

  /// So far, by all threads.
  private static func used() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Nanoseconds(time)
  }
}
