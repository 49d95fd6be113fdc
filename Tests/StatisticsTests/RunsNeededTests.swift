import Statistics
import Testing

@Suite struct RunsNeededTests {
  /// Sizes, and C(n + m, n).
  static let arrangements: [(Int, Int, Double)] = [
    (3, 3, 20), (4, 4, 70), (6, 6, 924), (1, 1, 2), (1, 39, 40), (5, 7, 792), (0, 5, 1), (5, 0, 1), (-3, 4, 1),
  ]

  @Test(arguments: arrangements)
  func smallestPIsTwoOfAllArrangements(old: Int, new: Int, arrangements: Double) {
    #expect(RankTest.smallestPValue(old: old, new: new) == min(1, 2 / arrangements))
  }

  struct Need {
    var old: Int
    var new: Int
    var alpha: Double
    var needed: RunsNeeded

    init(_ old: Int, _ new: Int, at alpha: Double, moreOld: Int, moreNew: Int) {
      (self.old, self.new, self.alpha) = (old, new, alpha)
      needed = RunsNeeded(old: moreOld, new: moreNew)
    }
  }

  /// 4 beside 4 is the first pair below 5 %, 5 beside 5 the first below 5 %/4, 3 beside 3 the first at 10 %.
  static let needs = [
    Need(0, 0, at: 0.05, moreOld: 4, moreNew: 4), Need(1, 1, at: 0.05, moreOld: 3, moreNew: 3),
    Need(3, 3, at: 0.05, moreOld: 1, moreNew: 1), Need(3, 4, at: 0.05, moreOld: 1, moreNew: 0),
    Need(4, 4, at: 0.05, moreOld: 0, moreNew: 0), Need(1, 6, at: 0.05, moreOld: 2, moreNew: 0),
    Need(2, 6, at: 0.05, moreOld: 1, moreNew: 0), Need(0, 10, at: 0.05, moreOld: 2, moreNew: 0),
    Need(1, 39, at: 0.05, moreOld: 0, moreNew: 0), Need(1, 38, at: 0.05, moreOld: 1, moreNew: 0),
    Need(5, 5, at: 0.0125, moreOld: 0, moreNew: 0), Need(4, 4, at: 0.0125, moreOld: 1, moreNew: 1),
    Need(1, 1, at: 0.0125, moreOld: 4, moreNew: 4), Need(3, 3, at: 0.1, moreOld: 0, moreNew: 0),
    Need(2, 2, at: 0.1, moreOld: 1, moreNew: 1), Need(2, 2, at: 0.2, moreOld: 0, moreNew: 1),
  ]

  @Test(arguments: needs)
  func fewestFurtherRunsMakeTheTestSpeak(need: Need) {
    #expect(RankTest.runsNeeded(old: need.old, new: need.new, alpha: need.alpha) == need.needed)
  }

  @Test func noFewerRunsWouldDoHoweverTheyAreSpread() {
    for old in 0...8 {
      for new in 0...8 {
        for alpha in [0.2, 0.1, 0.05, 0.0125, 0.001] {
          let needed = RankTest.runsNeeded(old: old, new: new, alpha: alpha)
          #expect(RankTest.smallestPValue(old: old + needed.old, new: new + needed.new) <= alpha)
          guard needed.total > 0 else { continue }
          for more in 0..<needed.total {
            let p = RankTest.smallestPValue(old: old + more, new: new + needed.total - 1 - more)
            #expect(p > alpha, "\(old) and \(new) at \(alpha)")
          }
        }
      }
    }
  }

  @Test(arguments: [0, -1, Double.nan, 1e-300, 1, .infinity])
  func anyLevelHasAnEnd(alpha: Double) {
    for sizes in [(0, 0), (1, 1), (3, 400), (0, 1_000_000), (Int.max, Int.max), (Int.min, 2)] {
      let needed = RankTest.runsNeeded(old: sizes.0, new: sizes.1, alpha: alpha)
      #expect((0...10_000).contains(needed.total))
    }
  }
}
