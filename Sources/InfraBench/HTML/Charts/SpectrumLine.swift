import Glibc
import Latency

/// A metric's percentile spectrum: for each share of the samples the latency that this share does not exceed.
///
/// As HdrHistogram's plotter draws it: the share p is at log10(1/(1−p)), so that each nine has the same room.
/// https://hdrhistogram.github.io/HdrHistogram/plotFiles.html
struct SpectrumLine {
  struct Point {
    /// log10(1/(1−p)) of the last sample that has this latency.
    var place: Double
    var milliseconds: Double
  }

  let name: String
  /// The lowest and the highest latency, in ms.
  let range: (min: Double, max: Double)
  let count: UInt64
  /// In growing order, at most `mostPoints`; the last one is the maximum.
  let points: [Point]
  /// Beyond this place fewer than ten samples lie.
  let fewFrom: Double
  private let histogram: LatencyHistogram

  private static let mostPoints = 240.0

  /// Nil without samples.
  init?(_ name: String, _ histogram: LatencyHistogram) {
    guard !histogram.isEmpty else { return nil }
    self.name = name
    self.histogram = histogram
    count = histogram.totalCount
    range = (Double(histogram.min) / 1e6, Double(histogram.max) / 1e6)
    let total = Double(count)
    fewFrom = Swift.max(0, log10(total / 10))
    // No share of the samples lies beyond the last one; it is drawn where half a sample would.
    let end = log10(2 * total)
    let step = end / Self.mostPoints
    var points: [Point] = []
    var seen: UInt64 = 0
    var lastKept = -Double.infinity
    for bucket in histogram.recordedBuckets() {
      seen += bucket.count
      let beyond = Double(count - seen)
      let place = beyond > 0 ? log10(total / beyond) : end
      guard place - lastKept >= step || beyond == 0 else { continue }
      points.append(Point(place: place, milliseconds: Double(bucket.upper) / 1e6))
      lastKept = place
    }
    self.points = points
  }

  /// Where the line ends.
  var end: Double { points.last?.place ?? 0 }

  /// The latency at a percentile, in ms.
  func value(at percentile: Double) -> Double { Double(histogram.value(atPercentile: percentile)) / 1e6 }

  func samplesBeyond(_ percentile: Double) -> UInt64 { histogram.samplesBeyond(percentile: percentile) }

  /// Percentiles that are marked on the line as far as it goes.
  static let marked: [(percentile: Double, label: String)] = [
    (50, "50 %"), (90, "90 %"), (95, "95 %"), (99, "99 %"), (99.9, "99.9 %"), (99.99, "99.99 %"),
    (99.999, "99.999 %"), (99.9999, "99.9999 %"), (99.99999, "99.99999 %"),
  ]

  /// The place of a percentile below 100.
  static func place(of percentile: Double) -> Double { log10(100 / (100 - percentile)) }
}
