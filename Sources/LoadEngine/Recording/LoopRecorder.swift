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

  /// Ends an interval: exchanges what was recorded in it for `next`, an empty interval. Nothing where none are kept.
  func exchangeInterval(for next: inout IntervalRecording) {
    state.withLock { state in
      guard var interval = state.interval.take() else { return }
      swap(&interval, &next)
      state.interval = interval
    }
  }

  /// Adds the headline's latencies so far, before and after cuts, to `sum`.
  func addHeadline(to sum: inout LatencyHistogram) {
    // Both locks are held, as in `take()`: what a cut in between moved to the earlier part would be in neither.
    cuts.withLock { cuts in
      if let histogram = cuts.earlier?[headline] { sum.merge(ofSameLayout: histogram) }
      state.withLock { state in
        // The histogram is read in place: a copy would share its counts, and the loop's next record would have to
        // duplicate them.
        if let own = state.recording[headline] { sum.merge(ofSameLayout: own) }
      }
    }
  }
}
