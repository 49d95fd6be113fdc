import Statistics
import TestSupport
import Testing

@Suite struct RankTestTests {
  @Test func samplesApartHaveTheSmallestP() {
    let test = RankTest(old: [1, 2, 3, 4], new: [11, 12, 13, 14])
    #expect(test.pValue == 2.0 / 70)
    #expect(test.shift == 10)
    #expect(test.interval(alpha: 0.05) == 7...13)
    #expect(test.interval(alpha: 0.02) == nil)
  }

  @Test func equalSamplesShowNothing() {
    let test = RankTest(old: [3, 3, 3, 3, 3], new: [3, 3, 3, 3, 3])
    #expect(test.pValue == 1)
    #expect(test.shift == 0)
    #expect(test.interval(alpha: 0.05) == 0...0)
  }

  @Test func touchingSamplesCountAgainstRejection() {
    // One tie among 16 pairs: of the two ways to break it, the one that is less extreme counts: 2·P(U ≤ 1) = 2·2/70.
    #expect(RankTest(old: [1, 2, 3, 4], new: [4, 5, 6, 7]).pValue == 4.0 / 70)
  }

  static let rounds = 2500

  @Test(.wholeSuiteOnly) func intervalLeavesOutZeroExactlyWhereTheTestRejects() {
    var random = SeededRandom(seed: 1)
    var rejections = 0
    for round in 0..<Self.rounds {
      let (old, new) = Self.samples(round, &random)
      let test = RankTest(old: old, new: new)
      for alpha in [0.3, 0.1, 0.05, 0.0125, 2.0 / 70] {
        let rejects = test.pValue <= alpha
        rejections += rejects ? 1 : 0
        if let interval = test.interval(alpha: alpha) {
          #expect(interval.contains(0) == !rejects, "\(old) \(new) at \(alpha)")
          #expect(interval.contains(test.shift), "\(old) \(new) at \(alpha)")
        } else {
          #expect(!rejects && RankTest.smallestPValue(old: old.count, new: new.count) > alpha)
        }
      }
    }
    #expect(rejections > Self.rounds / 10)
  }

  @Test func intervalHoldsExactlyTheShiftsThatAreNotRejected() throws {
    var random = SeededRandom(seed: 2)
    for round in 0..<300 {
      let (old, new) = Self.samples(round, &random)
      let test = RankTest(old: old, new: new)
      guard let interval = test.interval(alpha: 0.05) else { continue }
      // Small whole numbers and halves are shifted without rounding.
      for shift in stride(from: -8.0, through: 8, by: 0.5) where old.allSatisfy({ $0 == $0.rounded() }) {
        let shifted = RankTest(old: old, new: new.map { $0 - shift })
        #expect(interval.contains(shift) == (shifted.pValue > 0.05), "\(old) \(new) shifted by \(shift)")
      }
    }
  }

  @Test(.wholeSuiteOnly) func swappingTheSidesMirrors() {
    var random = SeededRandom(seed: 3)
    for round in 0..<Self.rounds {
      let (old, new) = Self.samples(round, &random)
      let (there, back) = (RankTest(old: old, new: new), RankTest(old: new, new: old))
      #expect(there.pValue == back.pValue)
      #expect(there.shift == -back.shift)
      #expect(there.interval(alpha: 0.1) == back.interval(alpha: 0.1).map { -$0.upperBound ... -$0.lowerBound })
    }
  }

  @Test func orderOfTheRunsIsOfNoAccount() {
    let (old, new) = ([5.0, 1, 4, 2, 2], [9.0, 3, 8, 2, 7, 6])
    let test = RankTest(old: old, new: new)
    let other = RankTest(old: old.sorted(), new: new.sorted(by: >))
    #expect(test.pValue == other.pValue && test.shift == other.shift)
    #expect(test.interval(alpha: 0.05) == other.interval(alpha: 0.05))
  }

  @Test func manyRunsAreComparedByTheNormalApproximation() throws {
    var random = SeededRandom(seed: 4)
    let old = random.normals(120)
    for (shift, rejects) in [(0.0, false), (1.0, true)] {
      // The same values in a mirror, and moved: nothing but the shift sets them apart.
      let test = RankTest(old: old + old.map { -$0 }, new: (old + old.map { -$0 }).map { $0 + shift })
      #expect(abs(test.shift - shift) < 1e-9)
      #expect((test.pValue <= 0.01) == rejects)
      let interval = try #require(test.interval(alpha: 0.01))
      #expect(interval.contains(shift) && interval.contains(0) == !rejects)
    }
  }

  static let odd: [[Double]] = [
    [], [.nan], [1], [0, -0.0], [.infinity, .infinity], [-.infinity, 3, .nan], [.greatestFiniteMagnitude, 1, 2, 3, 4],
    [-.greatestFiniteMagnitude, -.infinity, .infinity, 0, 1], [.leastNonzeroMagnitude, 0, -.leastNonzeroMagnitude],
    Array(repeating: 7, count: 200),
  ]

  @Test(arguments: odd, odd)
  func anyValuesHaveAnAnswer(old: [Double], new: [Double]) {
    let test = RankTest(old: old, new: new)
    #expect(test.shift.isFinite)
    #expect(test.pValue > 0 && test.pValue <= 1)
    for alpha in [-1, 0, 1e-9, 0.05, 0.999, 1, 7, .infinity, .nan] {
      guard let interval = test.interval(alpha: alpha) else { continue }
      #expect(interval.lowerBound.isFinite && interval.upperBound.isFinite)
      #expect(interval.contains(test.shift))
      #expect(alpha >= 1 || interval.contains(0) == (test.pValue > alpha))
    }
  }

  /// In turn few whole numbers, so that nearly all is tied, some more, and normals; sizes unequal, every third pair moved apart.
  static func samples(_ round: Int, _ random: inout SeededRandom) -> (old: [Double], new: [Double]) {
    let sizes = (Int.random(in: 1...12, using: &random), Int.random(in: 1...12, using: &random))
    let apart = [-2.0, 0, 0, 2, 0, 0][round % 6]
    func sample(_ count: Int) -> [Double] {
      switch round % 4 {
      case 0: random.ties(count, values: 3)
      case 1: random.ties(count, values: 6)
      case 2: random.ties(count, values: 30)
      default: random.normals(count)
      }
    }
    return (sample(sizes.0), sample(sizes.1).map { $0 + apart })
  }
}
