import Latency
import TextFormatting

/// The timelines of all shards as one: their rows are aligned on the begin that all share, and added.
///
/// Rows lie on a grid of the interval that `--timeline` names. A long run has merged its rows in pairs, so shards may
/// have rows of different widths: the sum has the widest.
struct ShardTimelines {
  private struct Sum {
    var start: Double
    var end: Double
    var counts: [ResultTimeline.Key: UInt64] = [:]
    var latencies: LatencyHistogram?
  }

  private static let counted: [ResultTimeline.Key] = [.iterations, .errors, .dropped]
  /// In s; nil for bursts, whose rows are numbered.
  private let interval: Double?
  private var widest = 1
  private var metric = ""
  private var sums: [Int: Sum] = [:]
  /// The shards without a timeline.
  private(set) var without = 0

  init(of document: ResultDocument) {
    guard document.load.kind != .bursts, case .string(let text)? = document.parameters["timeline"] else {
      interval = nil
      return
    }
    interval = DurationText.parse(text)?.seconds
  }

  /// Adds the rows of one shard, whose measured part began `offset` s after that of the first.
  ///
  /// - Throws: Where a row's histogram can't be decoded or added.
  mutating func add(_ timeline: ResultTimeline?, offset: Double) throws(HistogramError) {
    guard let timeline, timeline.isOfIntervals else {
      without += 1
      return
    }
    if let interval {
      let width = timeline.rows.compactMap(\.seconds).max() ?? interval
      // Widths are the interval times a power of 2, and a cut may be some ms late.
      while Double(widest) * 1.5 * interval < width { widest *= 2 }
    }
    for (number, row) in timeline.rows.enumerated() {
      guard let t = row.t, let seconds = row.seconds else { continue }
      let start = t + offset
      let place = interval.map { Int((start / $0).rounded()) } ?? number
      let latencies = try row.histogram.map { text throws(HistogramError) in try HistogramV2Codec.decode(base64: text) }
      try add(
        Sum(
          start: start, end: start + seconds,
          counts: Dictionary(uniqueKeysWithValues: Self.counted.map { ($0, UInt64(row.number($0) ?? 0)) }),
          latencies: latencies), at: place, to: &sums)
      metric = row.metric ?? metric
    }
  }

  private func add(_ sum: Sum, at place: Int, to sums: inout [Int: Sum]) throws(HistogramError) {
    // Taken out, so that the histogram is added to in place: a copy of it is 264 KiB.
    guard var present = sums.removeValue(forKey: place) else {
      sums[place] = sum
      return
    }
    present.start = min(present.start, sum.start)
    present.end = max(present.end, sum.end)
    present.counts.merge(sum.counts) { $0.saturatingSum($1) }
    if let latencies = sum.latencies {
      if var whole = present.latencies.take() {
        try whole.merge(latencies)
        present.latencies = whole
      } else {
        present.latencies = latencies
      }
    }
    sums[place] = present
  }

  /// The rows of all shards together; nil where no shard has any.
  func joined() throws(HistogramError) -> ResultTimeline? {
    guard !sums.isEmpty else { return nil }
    var wide: [Int: Sum] = [:]
    for (place, sum) in sums.sorted(by: { $0.key < $1.key }) {
      let isBefore = place < 0
      try add(sum, at: isBefore ? (place - widest + 1) / widest : place / widest, to: &wide)
    }
    return ResultTimeline(
      wide.sorted { $0.key < $1.key }.map { _, sum in
        let latencies = sum.latencies.flatMap { $0.isEmpty ? nil : $0 }
        return .interval(
          start: .seconds(max(0, sum.start)), length: .seconds(max(0, sum.end - sum.start)),
          iterations: sum.counts[.iterations] ?? 0, errors: sum.counts[.errors] ?? 0,
          dropped: sum.counts[.dropped] ?? 0, metric: metric, latencies: latencies.flatMap { LatencySummary($0) },
          histogram: latencies.map { HistogramV2Codec.encodeCompressedBase64($0) })
      })
  }
}
