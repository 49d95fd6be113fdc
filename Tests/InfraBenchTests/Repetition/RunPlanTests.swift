import Testing

@testable import InfraBench
@testable import Results

/// Which runs are made, in which order, under which seeds.
@Suite struct RunPlanTests {
  private func plan(_ count: Int, alternates: Bool = false, seed: UInt64 = 7, drawn: [UInt64]? = nil) -> RunPlan {
    var left = drawn ?? []
    return RunPlan(
      count: count, alternates: alternates, seed: seed, draw: drawn == nil ? nil : { left.removeFirst() })
  }

  @Test func aSingleRunIsNoRepetition() {
    #expect(plan(1).runs == [.init(number: 1, side: nil, seed: 7)])
    #expect(!plan(1).isRepeated && !plan(1).alternates)
    #expect(plan(1, alternates: true).isRepeated && plan(1, alternates: true).alternates)
  }

  @Test func aGivenSeedIsCountedUp() {
    #expect(plan(4).runs.map(\.seed) == [7, 8, 9, 10])
    #expect(plan(4).runs.map(\.number) == [1, 2, 3, 4])
    let last = RunPlan.seeds.upperBound - 1
    #expect(plan(3, seed: last).runs.map(\.seed) == [last, 0, 1])
  }

  @Test func otherwiseEachRunDrawsItsOwn() {
    #expect(plan(3, drawn: [100, 3]).runs.map(\.seed) == [7, 100, 3])
  }

  @Test func thePairsSwapTheirOrderAndShareTheirSeed() {
    let runs = plan(3, alternates: true, drawn: [100, 3]).runs
    #expect(runs.map(\.side) == [.a, .b, .b, .a, .a, .b])
    #expect(runs.map(\.seed) == [7, 7, 100, 100, 3, 3])
    #expect(runs.map(\.number) == [1, 2, 3, 4, 5, 6])
  }

  @Test(arguments: [2, 4, 10, 1000]) func evenDriftFavoursNeitherSide(count: Int) {
    // What the machine loses from run to run adds the same to both sides.
    let runs = plan(count, alternates: true).runs
    let drift = RunPlan.Side.allCases.map { side in runs.filter { $0.side == side }.reduce(0) { $0 + $1.number } }
    #expect(drift[0] == drift[1] && runs.count == 2 * count)
  }

  @Test func aFailureEndsTheOthersWhereTheyWouldFailAlike() {
    func stops(_ exits: [ToolExit], alternates: Bool = false, isMeasured: Bool = false) -> Int? {
      var stop = RunStop()
      let runs = plan(exits.count, alternates: alternates).runs
      return exits.indices.first { stop.isDue(after: runs[$0], exits[$0], isMeasured: isMeasured) }
    }
    #expect(stops([.failed, .pass]) == 0)
    #expect(stops([.pass, .failed, .pass, .failed, .thresholdCrossed]) == nil)
    #expect(stops([.pass, .failed, .failed, .pass]) == 2)
    #expect(stops([.thresholdCrossed, .thresholdCrossed, .interrupted(signal: 2)]) == nil)
    // a b b a: that b can't be reached is known after its first run, whatever a's was.
    #expect(stops([.pass, .failed, .pass, .pass], alternates: true) == 1)
    #expect(stops([.pass, .pass, .failed, .failed], alternates: true) == nil)
    // A run that measured something may have had bad luck: of those it takes two in a row.
    #expect(stops([.failed, .pass, .failed, .pass], isMeasured: true) == nil)
    #expect(stops([.failed, .failed, .pass], isMeasured: true) == 1)
    #expect(stops([.failed, .failed, .pass, .failed], alternates: true, isMeasured: true) == 3)
  }
}
