import Latency
import Synchronization

/// The recording of one event loop. Its lock is almost uncontended: the loop's own tasks take it once per iteration,
/// other threads a few times a second.
final class LoopRecorder: Sendable {
  private struct State {
    var recording: Recording
    var interval: IntervalRecording?
  }

  let catalogue: Catalogue
  private let headline: Metric
  private let state: Mutex<State>
  private struct Cuts {
    /// What was recorded before the last cut.
    var earlier: Recording?
    /// An empty recording for the next part.
    var spare: Recording?
  }

  /// Its lock is never taken by the loop's tasks.
  private let cuts = Mutex(Cuts())

  /// - Parameter isCut: Whether the recording is taken in parts. A soak's memory is taken before it begins: the first
  ///   samples of a rare metric would else come late, once in each set of histograms, and look like a leak.
  init(_ catalogue: Catalogue, headline: Metric, keepsIntervals: Bool, isCut: Bool = false) {
    self.catalogue = catalogue
    self.headline = headline
    if isCut {
      cuts.withLock { cuts in
        cuts.earlier = Recording(catalogue, isReserved: true)
        cuts.spare = Recording(catalogue, isReserved: true)
      }
    }
    state = Mutex(
      State(recording: Recording(catalogue, isReserved: isCut), interval: keepsIntervals ? IntervalRecording() : nil))
  }

  func add(_ record: IterationRecord, dueAt: Instant, endedAt: Instant) {
    state.withLock { state in
      state.recording.add(record, dueAt: dueAt, endedAt: endedAt)
      state.interval?.add(record, headline: headline)
    }
  }

  /// Everything recorded, before and after cuts.
  func take() -> Recording {
    cuts.withLock { cuts in
      var sum = state.withLock { $0.recording }
      if let earlier = cuts.earlier { sum.merge(earlier) }
      return sum
    }
  }

  /// Ends a part of the recording and returns it: what was recorded since the last cut. ``take()`` still has it.
  ///
  /// Give it back with ``reuse(_:)`` when it is no longer needed. Problem: the histograms of a part are some MB. They
  /// were made anew for each part, and freed by another thread than the loop's. That left gaps in the heap, and a soak's
  /// memory grew for half an hour. So two sets of histograms take turns.
  func cut() -> Recording {
    cuts.withLock { cuts in
      // It is made before the loop's lock is taken: making a histogram takes longer than recording.
      var part = cuts.spare.take() ?? Recording(catalogue)
      state.withLock { swap(&$0.recording, &part) }
      if cuts.earlier == nil { cuts.earlier = Recording(catalogue) }
      cuts.earlier?.merge(part)
      return part
    }
  }

  /// Takes a part back; nobody else may still hold it.
  func reuse(_ part: consuming Recording) {
    part.reset()
    let part = part
    cuts.withLock { $0.spare = part }
  }

  /// Ends an interval; nil where none are kept.
  func takeInterval() -> IntervalRecording? {
    // The new interval is made before the lock is taken: making a histogram takes longer than recording.
    var next: IntervalRecording? = IntervalRecording()
    return state.withLock { state in
      guard state.interval != nil else { return nil }
      swap(&state.interval, &next)
      return next
    }
  }

  /// P50 and P99 of the headline so far, over all loops; nil without a sample.
  static func headline(of recorders: [LoopRecorder]) -> (p50: Nanoseconds, p99: Nanoseconds)? {
    // The histogram is made before the lock is taken, so that the loop does not wait for it.
    var sum = LatencyHistogram()
    for recorder in recorders {
      recorder.cuts.withLock { cuts in
        if let histogram = cuts.earlier?[recorder.headline] { sum.merge(ofSameLayout: histogram) }
      }
      recorder.state.withLock { state in
        // The histogram is read in place: a copy would share its counts, and the loop's next record would have to
        // duplicate them.
        guard let own = state.recording[recorder.headline] else { return }
        sum.merge(ofSameLayout: own)
      }
    }
    guard sum.totalCount > 0 else { return nil }
    let values = sum.values(atPercentiles: [50, 99])
    return (Nanoseconds(values[0]), Nanoseconds(values[1]))
  }
}
