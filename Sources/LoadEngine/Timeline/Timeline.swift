public import Latency

/// The intervals of a run. Their number is bounded: when it reaches ``limit``, each two neighbours become one.
public struct Timeline: Sendable {
  /// At this number of intervals, an even one, neighbours are merged in pairs.
  static let limit = 240

  /// The complete intervals.
  public private(set) var intervals: [TimelineInterval] = []
  /// The number of incoming intervals that make one kept interval.
  private var width = 1
  private var open: (start: Nanoseconds, end: Nanoseconds, parts: Int, sum: IntervalRecording)?

  /// Makes an empty timeline.
  public init() {}

  /// Adds a part of a run that has a recording of its own, such as a burst, with the latencies of `headline`. `start`
  /// and `end` count from the begin of the measured part.
  public mutating func append(_ recording: Recording, headline: Metric, from start: Nanoseconds, to end: Nanoseconds) {
    var interval = IntervalRecording()
    interval.iterations = recording.iterations
    interval.errors = recording.errors.total
    interval.dropped = recording.dropped
    if let latencies = recording[headline] { interval.latencies = latencies }
    append(interval, from: start, to: end)
  }

  /// Adds the next interval. `start` and `end` count from the begin of the measured part.
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

  /// Completes the last interval, however short it is.
  public mutating func seal() {
    guard let last = open else { return }
    open = nil
    intervals.append(TimelineInterval(start: last.start, length: last.end - last.start, last.sum))
    guard intervals.count == Self.limit else { return }
    intervals = stride(from: 0, to: Self.limit, by: 2).map { intervals[$0].joined(with: intervals[$0 + 1]) }
    width *= 2
  }
}
