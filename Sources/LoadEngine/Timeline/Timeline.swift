public import Latency

/// The intervals of a run, of bounded number: when there are too many, each two become one.
public struct Timeline: Sendable {
  /// When there are so many intervals, an even number, each two become one.
  static let limit = 240

  /// Those that are complete.
  public private(set) var intervals: [TimelineInterval] = []
  /// So many intervals as they come make one that is kept.
  private var width = 1
  private var open: (start: Nanoseconds, end: Nanoseconds, parts: Int, sum: IntervalRecording)?

  /// Without an interval.
  public init() {}

  /// Takes a part of a run that was recorded by itself, such as a burst: `headline`'s latencies in it, and the time
  /// from `start` to `end` from the begin of the measured part.
  public mutating func append(_ recording: Recording, headline: Metric, from start: Nanoseconds, to end: Nanoseconds) {
    var interval = IntervalRecording()
    interval.iterations = recording.iterations
    interval.errors = recording.errors.total
    interval.dropped = recording.dropped
    if let latencies = recording[headline] { interval.latencies = latencies }
    append(interval, from: start, to: end)
  }

  /// Takes the next interval, from `start` to `end` from the begin of the measured part.
  mutating func append(_ recording: IntervalRecording, from start: Nanoseconds, to end: Nanoseconds) {
    if var open {
      self.open = nil
      open.sum.merge(recording)
      self.open = (open.start, end, open.parts + 1, open.sum)
    } else {
      open = (start, end, 1, recording)
    }
    if open?.parts == width { seal() }
  }

  /// Ends the last interval, however short it is.
  public mutating func seal() {
    guard let last = open else { return }
    open = nil
    intervals.append(TimelineInterval(start: last.start, length: last.end - last.start, last.sum))
    guard intervals.count == Self.limit else { return }
    intervals = stride(from: 0, to: Self.limit, by: 2).map { intervals[$0].joined(with: intervals[$0 + 1]) }
    width *= 2
  }
}
