import Foundation
import Statistics
import TestSupport
import Testing

/// Against SciPy's `mannwhitneyu`, the Hodges–Lehmann shift by NumPy, and intervals found by trying shifts with SciPy; how they
/// were made is in Fixtures/make_fixtures.py.
@Suite struct SciPyReferenceTests {
  struct Reference: Decodable {
    struct Case: Decodable {
      struct Interval: Decodable {
        var alpha: Double
        /// Nil where no shift whatever is rejected.
        var bounds: [Double]?
      }

      var old: [Double]
      var new: [Double]
      var p: Double
      var shift: Double
      var intervals: [Interval]
    }

    struct Large: Decodable {
      var old: [Double]
      var new: [Double]
      /// Nil beyond 10,000 pairs.
      var exact: Double?
      var approximation: Double
    }

    var cases: [Case]
    var large: [Large]
  }

  let reference: Reference

  init() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/scipy_rank_tests.json")
    reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
  }

  @Test func pAndShiftAreThoseOfSciPy() {
    #expect(reference.cases.count == 60)
    for sample in reference.cases {
      let test = RankTest(old: sample.old, new: sample.new)
      #expect(abs(test.pValue - sample.p) <= 1e-12)
      #expect(abs(test.shift - sample.shift) <= 1e-12)
    }
  }

  @Test func intervalsReachOverAllShiftsThatSciPyDoesNotReject() throws {
    var unbounded = 0
    for sample in reference.cases {
      let test = RankTest(old: sample.old, new: sample.new)
      for expected in sample.intervals {
        // SciPy's p may lie a rounding above an alpha that ours meets exactly.
        let interval = test.interval(alpha: expected.alpha)
        guard let bounds = expected.bounds else {
          #expect(interval == nil)
          unbounded += 1
          continue
        }
        let found = try #require(interval)
        #expect(abs(found.lowerBound - bounds[0]) <= 1e-12 && abs(found.upperBound - bounds[1]) <= 1e-12)
      }
    }
    #expect(unbounded > 20 && unbounded < 200)
  }

  @Test(.wholeSuiteOnly) func largeSamplesHaveTheExactPUpToTenThousandPairsAndTheApproximationBeyond() {
    #expect(reference.large.count == 24)
    for sample in reference.large {
      let p = RankTest(old: sample.old, new: sample.new).pValue
      let expected = sample.exact ?? sample.approximation
      #expect(abs(p - expected) <= expected * 1e-9)
      #expect((sample.exact == nil) == (sample.old.count * sample.new.count > 10_000))
    }
  }
}
