package import Latency

/// The bounds of every exported histogram's buckets: the same for all metrics and tools, so that runs can be added up.
package enum BucketLadder {
  /// 1, 2.5 and 5 of each decade from 10 µs to 50 s, and 60 s; in ns.
  package static let bounds: [UInt64] =
    [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000].flatMap { decade in
      [decade, decade / 2 * 5, decade * 5]
    } + [60_000_000_000]

  /// How many values are at most each of ``bounds``.
  ///
  /// A value is taken for the highest of its HDR bucket, as it is in percentiles: what is counted below a bound is below it,
  /// and a value that lies less than an HDR bucket's width (0.1 %) below the bound may be counted above it.
  package static func cumulativeCounts(of histogram: LatencyHistogram) -> [UInt64] {
    var buckets = histogram.recordedBuckets()[...]
    var count: UInt64 = 0
    return bounds.map { bound in
      while let bucket = buckets.first, bucket.upper <= bound {
        count += bucket.count
        buckets.removeFirst()
      }
      return count
    }
  }
}
