import Latency
import Synchronization

/// The recording of one event loop. The lock is all but uncontended: only tasks of that loop take it for every
/// iteration, others a few times a second.
final class LoopRecorder: Sendable {
  private struct State {
    var recording: Recording
    var interval: IntervalRecording?
  }

  let catalogue: Catalogue
  private let headline: Metric
  private let state: Mutex<State>

  init(_ catalogue: Catalogue, headline: Metric, keepsIntervals: Bool) {
    self.catalogue = catalogue
    self.headline = headline
    state = Mutex(State(recording: Recording(catalogue), interval: keepsIntervals ? IntervalRecording() : nil))
  }

  func add(_ record: IterationRecord, dueAt: Instant, endedAt: Instant) {
    state.withLock { state in
      state.recording.add(record, dueAt: dueAt, endedAt: endedAt)
      state.interval?.add(record, headline: headline)
    }
  }

  func take() -> Recording { state.withLock { $0.recording } }

  /// Ends an interval; nil where none are kept.
  func takeInterval() -> IntervalRecording? {
    // Made before the lock is taken: emptying a histogram takes longer than recording.
    var next: IntervalRecording? = IntervalRecording()
    return state.withLock { state in
      guard state.interval != nil else { return nil }
      swap(&state.interval, &next)
      return next
    }
  }

  /// P50 and P99 of the headline so far, over all loops; nil without a sample.
  static func headline(of recorders: [LoopRecorder]) -> (p50: Nanoseconds, p99: Nanoseconds)? {
    // Made before a lock is taken, which the loop would wait for.
    var sum = LatencyHistogram()
    for recorder in recorders {
      recorder.state.withLock { state in
        // Read in place: whoever copies a histogram makes the loop's next record copy it back.
        guard let own = state.recording[recorder.headline] else { return }
        sum.merge(ofSameLayout: own)
      }
    }
    guard sum.totalCount > 0 else { return nil }
    let values = sum.values(atPercentiles: [50, 99])
    return (Nanoseconds(values[0]), Nanoseconds(values[1]))
  }
}
