extension LatencyHistogram {
  /// Whether nothing has been recorded.
  public var isEmpty: Bool { totalCount == 0 }

  /// The smallest recorded value in nanoseconds, rounded down to its bucket; 0 where nothing is recorded.
  public var min: UInt64 {
    counts.firstIndex { $0 != 0 }.map(layout.lowestValue(at:)) ?? 0
  }

  /// The largest recorded value in nanoseconds, rounded up to its bucket, as percentiles are; 0 where nothing is recorded.
  public var max: UInt64 {
    counts.lastIndex { $0 != 0 }.map(layout.highestValue(at:)) ?? 0
  }

  /// The arithmetic mean in nanoseconds, every value taken as the middle of its bucket; 0 where nothing is recorded.
  public var mean: Double {
    guard !isEmpty else { return 0 }
    var sum = 0.0
    for index in counts.indices where counts[index] != 0 {
      sum += Double(layout.middleValue(at: index)) * Double(counts[index])
    }
    return sum / Double(totalCount)
  }

  /// The standard deviation of the recorded values (÷ n) in nanoseconds; 0 where nothing is recorded.
  public var standardDeviation: Double {
    guard !isEmpty else { return 0 }
    let mean = self.mean
    var sum = 0.0
    for index in counts.indices where counts[index] != 0 {
      let deviation = Double(layout.middleValue(at: index)) - mean
      sum += deviation * deviation * Double(counts[index])
    }
    return (sum / Double(totalCount)).squareRoot()
  }
}
