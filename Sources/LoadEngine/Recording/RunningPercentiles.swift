import Latency
import Synchronization

/// The headline's percentiles while a run goes on, over all loops, for the progress line.
///
/// Problem: the line is drawn on changing threads, and a histogram that is made for each line (270 kB) took memory once
/// for each thread, which looked like a leak in a long run. So one histogram serves all lines.
final class RunningPercentiles: Sendable {
  private let recorders: [LoopRecorder]
  private let sum = Mutex(LatencyHistogram())

  init(_ recorders: [LoopRecorder]) {
    self.recorders = recorders
  }

  /// P50 and P99 so far; nil without a sample.
  func read() -> ProgressCounter.Percentiles? {
    sum.withLock { sum in
      sum.reset()
      for recorder in recorders { recorder.addHeadline(to: &sum) }
      guard !sum.isEmpty else { return nil }
      let values = sum.values(atPercentiles: [50, 99])
      return (Nanoseconds(values[0]), Nanoseconds(values[1]))
    }
  }
}
