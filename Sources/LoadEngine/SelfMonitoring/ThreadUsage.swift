import Glibc
import Latency

/// A thread's CPU time so far, and the time in which it was runnable but waited for a CPU.
struct ThreadUsage: Sendable, Equatable {
  var cpu: Nanoseconds
  var waiting: Nanoseconds

  /// Reads the calling thread's figures: `schedstat` of procfs, or only the thread's CPU clock where `schedstat` is
  /// missing.
  static func ofCallingThread() -> ThreadUsage {
    if let load = readSchedstat() { return load }
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return ThreadUsage(cpu: Nanoseconds(time), waiting: .zero)
  }

  /// CPU time used and waited for since `earlier`.
  func used(since earlier: ThreadUsage) -> Nanoseconds { (cpu - earlier.cpu) + (waiting - earlier.waiting) }

  private static func readSchedstat() -> ThreadUsage? {
    let file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer in
      let count = read(file, buffer.baseAddress, buffer.count)
      guard count > 0 else { return nil }
      return parse(String(decoding: buffer[..<count], as: UTF8.self))
    }
  }

  /// `"<ns on a CPU> <ns waiting> <time slices>"` (Documentation/scheduler/sched-stats.rst of Linux).
  static func parse(_ text: String) -> ThreadUsage? {
    let numbers = text.split(whereSeparator: \.isWhitespace).map { UInt64($0) }
    guard numbers.count >= 2, let cpu = numbers[0], let waiting = numbers[1] else { return nil }
    return ThreadUsage(cpu: Nanoseconds(cpu), waiting: Nanoseconds(waiting))
  }
}
