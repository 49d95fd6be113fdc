import Latency

let oneHour: UInt64 = 3_600_000_000_000

/// The errors' codes, for `#expect(throws:)`-like checks of the kind alone.
func errorKind(_ body: () throws -> Void) -> HistogramError.Kind? {
  do {
    try body()
    return nil
  } catch {
    return (error as? HistogramError)?.kind
  }
}

func histogram(_ values: some Sequence<UInt64>, layout: HistogramLayout = .oneHour) -> LatencyHistogram {
  var histogram = LatencyHistogram(layout: layout)
  for value in values {
    histogram.record(value)
  }
  return histogram
}

func layout(_ lowest: UInt64, _ highest: UInt64, digits: Int) throws -> HistogramLayout {
  try HistogramLayout(lowestDiscernibleValue: lowest, highestTrackableValue: highest, significantDigits: digits)
}

/// Histograms of many shapes, for round trips.
func histogramsOfManyShapes() throws -> [(name: String, histogram: LatencyHistogram)] {
  var shapes: [(name: String, histogram: LatencyHistogram)] = [
    ("empty", LatencyHistogram()),
    ("1 ns", histogram([1])),
    ("1 h", histogram([oneHour])),
    ("both ends", histogram([1, oneHour])),
    ("neighbours", histogram([2047, 2048, 2049, 4095, 4096])),
  ]
  var allBuckets = LatencyHistogram(layout: try layout(1, 100_000, digits: 2))
  for value in UInt64(1)...100_000 {
    allBuckets.record(value)
  }
  shapes.append(("every bucket", allBuckets))
  for magnitude in stride(from: 0, through: 61, by: 7) {
    var large = LatencyHistogram()
    large.record(1_000, count: 1 << UInt64(magnitude))
    large.record(5_000_000, count: 1)
    shapes.append(("2^\(magnitude) values", large))
  }
  var random = SplitMix64(seed: 7)
  for (lowest, highest, digits) in [(1, oneHour, 3), (1, 2, 3), (1_000, 60_000_000_000, 2), (1, UInt64.max / 2, 1)] {
    let layout = try layout(UInt64(lowest), highest, digits: digits)
    shapes.append(("empty \(lowest)…\(highest)", LatencyHistogram(layout: layout)))
    let values = (0..<300).map { _ in max(UInt64(lowest), random.logarithmicValue(upTo: highest)) }
    shapes.append(("random \(lowest)…\(highest)", histogram(values, layout: layout)))
  }
  return shapes
}
