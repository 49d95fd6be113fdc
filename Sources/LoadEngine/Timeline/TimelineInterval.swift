public import Latency

/// One interval of a run. An iteration counts in the interval in which it ended.
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
  /// The headline's latencies in the plain encoding, because 264 KiB per interval would be too much. They are
  /// compressed only at the end of the run: compressing takes a CPU for a millisecond, which the load may need.
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
    // This process encoded the bytes itself, so they can be decoded.
    (try? HistogramV2Codec.decode(encoded)) ?? LatencyHistogram()
  }

  /// The headline's latencies as text: HdrHistogram's V2 compressed encoding in base64.
  public var compressedLatencies: String { HistogramV2Codec.encodeCompressedBase64(latencies) }

  /// This interval and the next one as one interval.
  func joined(with next: TimelineInterval) -> TimelineInterval {
    var sum = IntervalRecording(self)
    sum.merge(IntervalRecording(next))
    return TimelineInterval(start: start, length: length + next.length, sum)
  }
}
