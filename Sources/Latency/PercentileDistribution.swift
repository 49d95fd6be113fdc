import Glibc

/// HdrHistogram's text of a distribution (a `.hgrm` file), which its plotter and many other tools draw.
///
/// Source: `outputPercentileDistribution` in HdrHistogram's AbstractHistogram.java, with the layout of its `printf`s.
public enum PercentileDistribution {
  /// The text: four columns, a line per step, and the figures of the whole distribution as comments at the end.
  ///
  /// - Parameters:
  ///   - ticksPerHalfDistance: the number of steps each time the distance to 100 % halves.
  ///   - nanosecondsPerUnit: the divisor of values; by default they are written in milliseconds.
  public static func text(
    of histogram: LatencyHistogram, ticksPerHalfDistance: Int = 5, nanosecondsPerUnit: Double = 1e6
  ) -> String {
    let decimals = histogram.layout.significantDigits
    func number(_ nanoseconds: Double) -> String {
      FixedPoint.text(nanoseconds / nanosecondsPerUnit, width: 12, decimals: decimals)
    }

    var text = row("Value", "Percentile", "TotalCount", "1/(1-Percentile)") + "\n"
    for step in histogram.percentileSteps(ticksPerHalfDistance: ticksPerHalfDistance) {
      // The last line has no fourth column, because 1/(1-1) is not finite.
      text += row(
        number(Double(step.value)), FixedPoint.text(step.level, decimals: 12), "\(step.totalCount)",
        step.level < 1 ? FixedPoint.text(1 / (1 - step.level), decimals: 2) : nil)
    }
    let layout = histogram.layout
    text += "#[Mean    = \(number(histogram.mean)), StdDeviation   = \(number(histogram.standardDeviation))]\n"
    text += "#[Max     = \(number(Double(histogram.max))), Total count    = \(whole(histogram.totalCount))]\n"
    text += "#[Buckets = \(whole(layout.doublingCount)), SubBuckets     = \(whole(layout.linearBucketCount))]\n"
    return text
  }

  private static func whole(_ number: some BinaryInteger) -> String {
    FixedPoint.padded("\(number)", width: 12)
  }

  private static func row(_ value: String, _ percentile: String, _ count: String, _ distance: String?) -> String {
    let columns = [(value, 12), (percentile, 14), (count, 10)] + (distance.map { [($0, 14)] } ?? [])
    return columns.map { FixedPoint.padded($0.0, width: $0.1) }.joined(separator: " ") + "\n"
  }
}

extension HistogramLayout {
  /// HdrHistogram's "buckets": the linear part, and each doubling of the value after it.
  fileprivate var doublingCount: Int { (bucketCount >> bucketsPerDoublingMagnitude) - 1 }
  /// HdrHistogram's "sub-buckets" in each of them.
  fileprivate var linearBucketCount: Int { 2 << bucketsPerDoublingMagnitude }
}

/// Numbers as C's `printf` writes them, which HdrHistogram's text formats use.
enum FixedPoint {
  /// Writes `%<width>.<decimals>f`, correctly rounded. It follows the program's locale, which no tool sets.
  static func text(_ value: Double, width: Int = 0, decimals: Int) -> String {
    // 400 bytes suffice: the longest finite number has 309 digits before the point.
    var buffer = [CChar](repeating: 0, count: 400)
    let length = withVaList([Int32(width), Int32(decimals), value]) { arguments in
      vsnprintf(&buffer, buffer.count, "%*.*f", arguments)
    }
    return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The text with blanks in front.
  static func padded(_ text: String, width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - text.utf8.count)) + text
  }
}
