import Foundation
import Latency
import Testing

/// Against bytes that HdrHistogram's libraries wrote (Fixtures/foreign), each with what was recorded into it.
@Suite struct ForeignHistogramTests {
  struct Fixture: Decodable, CustomStringConvertible {
    var library: String
    var name: String
    var lowest: UInt64
    var highest: UInt64
    var digits: Int
    /// By how many powers of two all values were shifted to the left before they were written.
    var shift: Int
    /// Pairs of a value and its count.
    var values: [[UInt64]]
    var data: String

    var description: String { "\(library), \(name)" }

    /// The same, recorded here.
    func recorded() throws -> LatencyHistogram {
      var histogram = LatencyHistogram(
        layout: try HistogramLayout(
          lowestDiscernibleValue: lowest, highestTrackableValue: highest, significantDigits: digits))
      for pair in values { histogram.record(pair[0] << shift, count: pair[1]) }
      return histogram
    }
  }

  static let fixtures: [Fixture] = {
    let file = PythonHistogramTests.fixtureDirectory.appendingPathComponent("foreign_histograms.json")
    return (try? JSONDecoder().decode([Fixture].self, from: Data(contentsOf: file))) ?? []
  }()

  @Test func thereAreHistogramsOfEveryLibrary() {
    for library in ["Java", "HdrHistogram_c", "hdrhistogram-go", "HdrHistogramJS", "Python"] {
      #expect(Self.fixtures.count { $0.library.hasPrefix(library) } >= 8, "\(library)")
    }
  }

  @Test(arguments: fixtures) func everyLibrarysHistogramHasItsCounts(_ fixture: Fixture) throws {
    let decoded = try HistogramV2Codec.decode(base64: fixture.data)
    #expect(decoded == (try fixture.recorded()))
    // Written anew it is one that all of them read, and none of their differences is left in it.
    #expect(try HistogramV2Codec.decode(HistogramV2Codec.encode(decoded)) == decoded)
  }
}
