import Latency
import Testing

@Suite struct LatencyHistogramTests {
  @Test func emptyHistogramReportsZeros() {
    let empty = LatencyHistogram()
    #expect(empty.isEmpty)
    #expect(empty.totalCount == 0)
    #expect((empty.min, empty.max) == (0, 0))
    #expect((empty.mean, empty.standardDeviation) == (0, 0))
    #expect(empty.values(atPercentiles: [0, 50, 100]) == [0, 0, 0])
    #expect(empty.samplesBeyond(percentile: 50) == 0)
    #expect(empty.countAtOrBelow(.max) == 0)
    #expect(empty.recordedBuckets().isEmpty)
  }

  @Test func everyValueKeepsThreeDigits() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<200 {
      let value = random.logarithmicValue(upTo: oneHour)
      let one = histogram([value])
      #expect(one.min <= value && value <= one.max)
      #expect(Double(one.max - one.min) < Double(value) / 1000)
    }
  }

  @Test(arguments: [
    (0, 1, true), (1, 1, false), (oneHour, oneHour, false), (oneHour + 1, oneHour, true), (UInt64.max, oneHour, true),
  ])
  func valuesBeyondTheRangeAreClampedAndCounted(recorded: UInt64, counted: UInt64, isClamped: Bool) {
    var clamped = LatencyHistogram()
    clamped.record(recorded)
    clamped.record(recorded, count: 2)
    #expect(clamped.totalCount == 3)
    #expect(clamped.clampedCount == (isClamped ? 3 : 0))
    #expect(clamped.recordedBuckets() == histogram([counted, counted, counted]).recordedBuckets())
  }

  @Test func recordingWithACountIsRecordingSoOften() {
    var counted = LatencyHistogram()
    counted.record(48_000_000, count: 3)
    counted.record(50_000_000, count: 0)
    #expect(counted == histogram([48_000_000, 48_000_000, 48_000_000]))
  }

  @Test func countsAreCutAtTheMaximum() {
    var full = LatencyHistogram()
    full.record(1, count: .max)
    #expect(full.totalCount == LatencyHistogram.maximumTotalCount)
    full.record(2, count: .max)
    #expect(full.totalCount == LatencyHistogram.maximumTotalCount)
    full.record(.nanoseconds(2))
    full.record(2, count: 1)
    #expect(full.totalCount == LatencyHistogram.maximumTotalCount + 1)
    #expect(full.value(atPercentile: 50) == 1)
  }

  @Test func resetForgetsEverything() {
    var used = histogram([0, 5, 48_000_000, .max])
    used.reset()
    #expect(used == LatencyHistogram())
  }

  @Test func copiesAreIndependent() {
    var original = histogram([5])
    let copy = original
    original.record(.nanoseconds(6))
    #expect(copy == histogram([5]))
    #expect(original == histogram([5, 6]))
  }

  @Test func mergingIsRecordingTheUnion() throws {
    var random = SplitMix64(seed: 2)
    // Beyond an hour and 0 too: clamped counts merge like the others.
    let parts = (0..<4).map { _ in (0..<500).map { _ in random.next() >> UInt64.random(in: 15...64, using: &random) } }
    var merged = LatencyHistogram()
    for part in parts {
      try merged.merge(histogram(part))
    }
    #expect(merged == histogram(parts.joined()))
    #expect(merged.clampedCount > 0)
  }

  @Test func mergingEmptyHistogramsChangesNothing() throws {
    var merged = histogram([5])
    try merged.merge(LatencyHistogram())
    #expect(merged == histogram([5]))
    var empty = LatencyHistogram()
    try empty.merge(merged)
    #expect(empty == merged)
  }

  @Test func rangesMayDifferWhereTheValuesFit() throws {
    let short = try layout(1, 1_000_000, digits: 3)
    var long = histogram([7, oneHour])
    try long.merge(histogram([900_000], layout: short))
    #expect(long == histogram([7, oneHour, 900_000]))

    var small = histogram([7], layout: short)
    try small.merge(histogram([900_000]))
    #expect(small == histogram([7, 900_000], layout: short))
    #expect(errorKind { try small.merge(histogram([oneHour])) } == .incompatibleLayouts)
    #expect(small == histogram([7, 900_000], layout: short))
  }

  @Test(arguments: [(1, 2), (1_000, 3)])
  func otherResolutionsDoNotMerge(lowest: UInt64, digits: Int) throws {
    let other = histogram([5_000], layout: try layout(lowest, oneHour, digits: digits))
    var merged = histogram([7])
    #expect(errorKind { try merged.merge(other) } == .incompatibleLayouts)
    #expect(merged == histogram([7]))
  }

  @Test func mergingBeyondTheMaximumCountThrows() {
    var full = LatencyHistogram()
    full.record(1, count: LatencyHistogram.maximumTotalCount)
    #expect(errorKind { try full.merge(histogram([1])) } == .countOverflow)
    #expect(full.totalCount == LatencyHistogram.maximumTotalCount)
  }

  @Test(arguments: [
    (0, 100, 3), (1, 1, 3), (60, 100, 3), (1, UInt64.max / 2 + 1, 3), (1, 100, 0), (1, 100, 6), (1, 100, -1),
    (1 << 60, UInt64.max / 2, 3),
  ])
  func impossibleLayoutsAreRejected(lowest: UInt64, highest: UInt64, digits: Int) {
    #expect(errorKind { _ = try layout(lowest, highest, digits: digits) } == .invalidLayout)
  }
}
