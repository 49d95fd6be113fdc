extension LatencyHistogram {
  /// The smallest recorded value such that at least `percentile` % of the values are ≤ it, in nanoseconds.
  ///
  /// As in every HdrHistogram it is the highest value of its bucket; at 0 % the lowest value of the first one. The
  /// percentile is limited to 0…100. 0 where nothing is recorded.
  public func value(atPercentile percentile: Double) -> UInt64 {
    var scan = RankScan(counts: counts)
    return value(atPercentile: percentile, &scan)
  }

  /// The values at several percentiles, in the order asked for, found in one pass over the buckets.
  public func values(atPercentiles percentiles: [Double]) -> [UInt64] {
    var values = [UInt64](repeating: 0, count: percentiles.count)
    var scan = RankScan(counts: counts)
    for position in percentiles.indices.sorted(by: { rank(of: percentiles[$0]) < rank(of: percentiles[$1]) }) {
      values[position] = value(atPercentile: percentiles[position], &scan)
    }
    return values
  }

  /// How many recorded values come after the one that is the percentile: 1 of 100 at 99 %, none at 100 %.
  public func samplesBeyond(percentile: Double) -> UInt64 {
    totalCount - rank(of: percentile)
  }

  /// How many recorded values are ≤ `value`, or in one bucket with it.
  public func countAtOrBelow(_ value: UInt64) -> UInt64 {
    let last = Swift.min(layout.index(of: value), counts.count - 1)
    return counts[...last].reduce(0, &+)
  }

  /// The place of a percentile among the sorted values, 1…totalCount: the first with at least that share at or below it.
  ///
  /// HdrHistogram for Java, Rust and Swift round up like this. Those for C, Go and Python round to the nearest, which
  /// can name the value before, with less than the share at or below it.
  func rank(of percentile: Double) -> UInt64 {
    guard percentile > 0 else { return Swift.min(1, totalCount) }
    guard percentile < 100 else { return totalCount }
    let exact = percentile * Double(totalCount) / 100
    // 99.9 has no exact binary form, and 99.9 % of 1000 must be 999, not a hair more.
    let roundedUp = (exact - 4 * exact.ulp).rounded(.up)
    return Swift.min(Swift.max(UInt64(roundedUp), 1), totalCount)
  }

  private func value(atPercentile percentile: Double, _ scan: inout RankScan) -> UInt64 {
    guard totalCount > 0 else { return 0 }
    let index = scan.index(ofRank: rank(of: percentile))
    return percentile > 0 ? layout.highestValue(at: index) : layout.lowestValue(at: index)
  }
}

/// Finds the buckets of growing ranks in one pass, in blocks that the compiler vectorises.
private struct RankScan {
  let counts: [UInt64]
  private var block = 0
  private var countBeforeBlock: UInt64 = 0

  /// Divides every bucket count: there are at least 16 buckets per doubling.
  private static let blockSize = 16

  init(counts: [UInt64]) { self.counts = counts }

  /// The bucket of the value with this rank; ranks must not fall from call to call.
  mutating func index(ofRank rank: UInt64) -> Int {
    counts.withUnsafeBufferPointer { counts in
      while block + Self.blockSize < counts.count {
        var sum: UInt64 = 0
        for index in block..<(block + Self.blockSize) {
          sum &+= counts[index]
        }
        if countBeforeBlock &+ sum >= rank { break }
        countBeforeBlock &+= sum
        block += Self.blockSize
      }
      var index = block
      var count = countBeforeBlock &+ counts[index]
      while count < rank && index + 1 < counts.count {
        index += 1
        count &+= counts[index]
      }
      return index
    }
  }
}
