package import Latency

/// The latencies of several runs together: an exact merge of their histograms, in little memory.
package struct PooledLatencies: Sendable, Equatable {
  package let runs: Int
  /// Nil of no latency at all, and of latencies that can't be merged.
  package let summary: LatencySummary?
  private let layout: HistogramLayout
  private let buckets: [HistogramBucket]

  /// Of runs whose latencies can't be merged.
  package static let none = PooledLatencies(LatencyHistogram(), runs: 0)

  /// - Parameter runs: how many runs `merged` is of.
  package init(_ merged: LatencyHistogram, runs: Int) {
    self.runs = runs
    summary = LatencySummary(merged)
    layout = merged.layout
    buckets = merged.recordedBuckets()
  }

  /// The merged histogram, made anew.
  package var histogram: LatencyHistogram {
    var histogram = LatencyHistogram(layout: layout)
    for bucket in buckets { histogram.record(bucket.lower, count: bucket.count) }
    return histogram
  }
}
