import Latency

/// The recording of one interval, by one loop or by all loops. Merging is exact.
struct IntervalRecording: Sendable {
  var iterations: UInt64 = 0
  var errors: UInt64 = 0
  var dropped: UInt64 = 0
  var latencies = LatencyHistogram()

  init() {}

  init(_ interval: TimelineInterval) {
    iterations = interval.iterations
    errors = interval.errors
    dropped = interval.dropped
    latencies = interval.latencies
  }

  mutating func add(_ record: IterationRecord, headline: Metric) {
    for sample in record.countingSamples where sample.metric == headline { latencies.record(sample.latency) }
    switch record.ending {
    case .success:
      iterations += 1
    case .failure:
      iterations += 1
      errors += 1
    case .censored: break
    }
  }

  /// Empties it, and keeps the histogram's memory.
  mutating func reset() {
    (iterations, errors, dropped) = (0, 0, 0)
    latencies.reset()
  }

  mutating func merge(_ other: IntervalRecording) {
    iterations += other.iterations
    errors += other.errors
    dropped += other.dropped
    latencies.merge(ofSameLayout: other.latencies)
  }
}
