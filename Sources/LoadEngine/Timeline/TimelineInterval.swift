public import Latency

/// What happened in one interval of a run: iterations count where they ended.
public struct TimelineInterval: Sendable, Equatable {
  /// From the begin of the measured part.
  public var start: Nanoseconds
  /// How long it is.
  public var length: Nanoseconds
  /// Finished iterations, failures included.
  public var iterations: UInt64
  /// Failures.
  public var errors: UInt64
  /// Starts that were dropped.
  public var dropped: UInt64
  /// The headline's latencies in the plain encoding: 264 KiB would be too much to keep for every interval. Compressing
  /// them takes a CPU for a millisecond, which the load may need: that is left for the end.
  private let encoded: [UInt8]

  init(start: Nanoseconds, length: Nanoseconds, _ recording: IntervalRecording) {
    self.start = start
    self.length = length
    iterations = recording.iterations
    errors = recording.errors
    dropped = recording.dropped
    encoded = HistogramV2Codec.encode(recording.latencies)
  }

  /// The headline's latencies; exact.
  public var latencies: LatencyHistogram {
    // What this process has encoded it can decode.
    (try? HistogramV2Codec.decode(encoded)) ?? LatencyHistogram()
  }

  /// The same as text: HdrHistogram's V2 compressed encoding in base64.
  public var compressedLatencies: String { HistogramV2Codec.encodeCompressedBase64(latencies) }

  /// The interval and the one after it as one.
  func joined(with next: TimelineInterval) -> TimelineInterval {
    var sum = IntervalRecording(self)
    sum.merge(IntervalRecording(next))
    return TimelineInterval(start: start, length: length + next.length, sum)
  }
}
