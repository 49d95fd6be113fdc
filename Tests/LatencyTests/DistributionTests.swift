import Latency
import Testing

@Suite struct DistributionTests {
  @Test(arguments: [DistributionScale.linear, .logarithmic], [-1, 0, 1, 2, 10, 20, 500])
  func rowsAdjoinAndAddUp(scale: DistributionScale, rows: Int) throws {
    for (name, histogram) in try histogramsOfManyShapes() where !histogram.isEmpty {
      let distribution = histogram.distribution(rows: rows, scale: scale)
      #expect((1...max(1, rows)).contains(distribution.count), "\(name)")
      #expect(distribution.first?.lower == histogram.min, "\(name)")
      #expect(distribution.last?.upper == histogram.max, "\(name)")
      #expect(distribution.reduce(0) { $0 + $1.count } == histogram.totalCount, "\(name)")
      for (row, next) in zip(distribution, distribution.dropFirst()) {
        #expect(row.upper + 1 == next.lower, "\(name)")
      }
    }
  }

  @Test func emptyHistogramHasNoRows() {
    #expect(LatencyHistogram().distribution(rows: 10, scale: .linear).isEmpty)
  }

  @Test func linearRowsAreEquallyWide() {
    let rows = histogram(1...1000).distribution(rows: 10, scale: .linear)
    #expect(rows.count == 10)
    #expect(rows.allSatisfy { (99...101).contains($0.count) })
    #expect(rows[0] == HistogramBucket(lower: 1, upper: 100, count: 100))
  }

  @Test func logarithmicRowsGrowByARatio() {
    let rows = histogram([1, 10, 100, 1000]).distribution(rows: 3, scale: .logarithmic)
    #expect(rows.map(\.lower) == [1, 10, 100])
    let decades = histogram((0..<7).map { UInt64(1_000) << (3 * $0) }).distribution(rows: 6, scale: .logarithmic)
    for row in decades {
      #expect((7.9...8.1).contains(Double(row.upper) / Double(row.lower)))
    }
  }

  @Test func emptyRowsShowTheGap() {
    var bimodal = LatencyHistogram()
    bimodal.record(1_000_000, count: 90)
    bimodal.record(200_000_000, count: 10)
    let rows = bimodal.distribution(rows: 10, scale: .linear)
    #expect(rows.map(\.count) == [90, 0, 0, 0, 0, 0, 0, 0, 0, 10])
  }
}
