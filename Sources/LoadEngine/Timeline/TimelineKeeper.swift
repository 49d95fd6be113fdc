import Latency
import Synchronization

/// Keeps the timeline of a run.
final class TimelineKeeper: Sendable {
  private let timeline: TimelineBox
  /// Cuts the run into the timeline's intervals.
  let cutter: IntervalCutter

  private final class TimelineBox: Sendable {
    let timeline = Mutex(Timeline())
  }

  init(_ recorders: [LoopRecorder], interval: Nanoseconds) {
    let box = TimelineBox()
    timeline = box
    cutter = IntervalCutter(every: interval, begun: {}) { end in
      var sum = IntervalRecording()
      for recorder in recorders {
        if let part = recorder.takeInterval() { sum.merge(part) }
      }
      let cut = end()
      sum.dropped = cut.dropped
      let part = sum
      box.timeline.withLock { $0.append(part, from: cut.start, to: cut.end) }
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
