import Latency
import Transport

/// How late the timer of a loop fires: what a loop must spin for to start on time.
///
/// It is measured before a run, because it differs between machines and between days: 27 to 50 µs and more where a
/// hypervisor has to wake the processor first.
struct TimerLateness {
  private static let waits = 200
  private static let wait: Nanoseconds = .microseconds(300)
  /// Shorter than a timer's lateness on any known machine, and longer than a start may be worth to spin for.
  private static let bounds: ClosedRange<Nanoseconds> = .microseconds(20)...(.microseconds(200))

  /// The 99th percentile of the lateness of 200 waits, which take about 70 ms, within 20 to 200 µs. Call it before any
  /// user runs on the loop.
  static func percentile99(on executor: LoopExecutor) async -> Nanoseconds {
    await withTaskExecutorPreference(executor) {
      var late: [Nanoseconds] = []
      for _ in 0..<waits {
        let due = MonotonicClock.now() + wait
        await executor.sleep(for: wait)
        late.append(executor.readySince.elapsed(since: due))
      }
      return percentile99(of: late)
    }
  }

  /// The 99th percentile of `late` within the bounds; the lower bound without any.
  static func percentile99(of late: [Nanoseconds]) -> Nanoseconds {
    guard !late.isEmpty else { return bounds.lowerBound }
    let sorted = late.sorted()
    let rank = (sorted.count * 99 + 99) / 100
    return min(max(sorted[rank - 1], bounds.lowerBound), bounds.upperBound)
  }
}
