import Latency
import Synchronization

/// Keeps the timeline of a run.
final class TimelineKeeper: Sendable {
  private let timeline: TimelineBox
  /// Cuts the run into the timeline's intervals.
  let cutter: IntervalCutter

  private final class TimelineBox: Sendable {
    let timeline = Mutex(Timeline())
    /// The sum of the loops' intervals, and what the next loop exchanges its interval for. Their histograms serve all
    /// intervals.
    let spare = Mutex((sum: IntervalRecording(), next: IntervalRecording()))
  }

  init(_ recorders: [LoopRecorder], interval: Nanoseconds) {
    let box = TimelineBox()
    timeline = box
    cutter = IntervalCutter(every: interval, begun: {}) { end in
      box.spare.withLock { spare in
        spare.sum.reset()
        for recorder in recorders {
          recorder.exchangeInterval(for: &spare.next)
          spare.sum.merge(spare.next)
          spare.next.reset()
        }
        let cut = end()
        spare.sum.dropped = cut.dropped
        box.timeline.withLock { $0.append(spare.sum, from: cut.start, to: cut.end) }
      }
    }
  }

  /// The intervals; empty when the measured part never began.
  func finish() -> [TimelineInterval] {
    timeline.timeline.withLock { timeline in
      timeline.seal()
      return timeline.intervals
    }
  }
}
