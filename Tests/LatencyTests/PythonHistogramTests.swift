import Foundation
import Latency
import Testing

/// Against Python's `hdrhistogram`, in both directions.
@Suite struct PythonHistogramTests {
  struct Fixture: Decodable {
    struct Percentile: Decodable {
      var percentile: Double
      /// By the definition, in exact arithmetic.
      var value: UInt64
      /// By the library, which rounds to the nearest rank.
      var pythonValue: UInt64
      var pythonRank: UInt64
    }

    var name: String
    var lowest: UInt64
    var highest: UInt64
    var digits: Int
    var count: UInt64
    var min: UInt64
    var max: UInt64
    var mean: Double
    var stddev: Double
    var percentiles: [Percentile]
    var data: String
  }

  static let fixtureDirectory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  @Test func pythonHistogramsDecodeToTheFiguresPythonReports() throws {
    let file = Self.fixtureDirectory.appendingPathComponent("python_histograms.json")
    let fixtures = try JSONDecoder().decode([Fixture].self, from: Data(contentsOf: file))
    #expect(fixtures.count >= 14)
    for fixture in fixtures {
      let histogram = try HistogramV2Codec.decode(base64: fixture.data)
      let expectedLayout = try layout(fixture.lowest, fixture.highest, digits: fixture.digits)
      #expect(histogram.layout == expectedLayout, "\(fixture.name)")
      #expect(histogram.totalCount == fixture.count, "\(fixture.name)")
      #expect(histogram.min == fixture.min, "\(fixture.name)")
      #expect(histogram.max == fixture.max, "\(fixture.name)")
      #expect(abs(histogram.mean - fixture.mean) <= fixture.mean * 1e-12, "\(fixture.name)")
      #expect(abs(histogram.standardDeviation - fixture.stddev) <= fixture.mean * 1e-9, "\(fixture.name)")
      for expected in fixture.percentiles {
        let value = histogram.value(atPercentile: expected.percentile)
        #expect(value == expected.value, "\(fixture.name), \(expected.percentile) %")
        let rank = histogram.totalCount - histogram.samplesBeyond(percentile: expected.percentile)
        if rank == expected.pythonRank {
          #expect(value == expected.pythonValue, "\(fixture.name), \(expected.percentile) %")
        }
      }
      // Python's zlib may be another build; what it compressed is what counts.
      #expect(try HistogramV2Codec.decode(HistogramV2Codec.encode(histogram)) == histogram, "\(fixture.name)")
    }
  }

  struct PythonFigures: Decodable {
    var count: UInt64
    var min: UInt64
    var max: UInt64
    var valuesAtRanks: [UInt64]
    var valuesAtPercentiles: [UInt64]
    var ranks: [UInt64]
  }

  static let python = ProcessInfo.processInfo.environment["INFRABENCH_PYTHON"]

  @Test(.enabled(if: python != nil, "INFRABENCH_PYTHON names no interpreter with hdrhistogram"))
  func pythonDecodesOursToTheFiguresWePrint() throws {
    let python = try #require(Self.python)
    let percentiles = [1, 25, 50, 90, 95, 99, 99.9, 100]
    // This library returns totals of more than 31 bits cut off.
    for (name, histogram) in try histogramsOfManyShapes() where (1..<(1 << 31)).contains(histogram.totalCount) {
      let ranks = percentiles.map { histogram.totalCount - histogram.samplesBeyond(percentile: $0) }
      let figures = try describe(
        HistogramV2Codec.encodeCompressedBase64(histogram), python: python,
        pairs: zip(percentiles, ranks).map { "\($0):\($1)" })
      let values = histogram.values(atPercentiles: percentiles)
      #expect(figures.count == histogram.totalCount, "\(name)")
      #expect(figures.min == histogram.min, "\(name)")
      #expect(figures.max == histogram.max, "\(name)")
      #expect(figures.valuesAtRanks == values, "\(name)")
      for position in percentiles.indices where figures.ranks[position] == ranks[position] {
        #expect(figures.valuesAtPercentiles[position] == values[position], "\(name)")
      }
    }
  }

  private func describe(_ data: String, python: String, pairs: [String]) throws -> PythonFigures {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [Self.fixtureDirectory.appendingPathComponent("describe_with_python.py").path, data] + pairs
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let json = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return try JSONDecoder().decode(PythonFigures.self, from: json)
  }
}
