import Statistics
import TestSupport
import Testing

@Suite struct HolmCorrectionTests {
  struct Row {
    var name: String
    var alpha = 0.05
    var pValues: [Double]
    var rejected: [Bool]
    var levels: [Double]
    var adjusted: [Double]
  }

  static let table = [
    Row(
      name: "all", pValues: [0.01, 0.001, 0.02], rejected: [true, true, true],
      levels: [0.05 / 2, 0.05 / 3, 0.05], adjusted: [0.02, 0.003, 0.02]),
    Row(
      name: "stops at the second", pValues: [0.04, 0.001, 0.03], rejected: [false, true, false],
      levels: [0.05 / 2, 0.05 / 3, 0.05 / 2], adjusted: [0.06, 0.003, 0.06]),
    Row(
      name: "stops at once, though the last alone would pass", pValues: [0.04, 0.03, 0.045],
      rejected: [false, false, false], levels: [0.05 / 3, 0.05 / 3, 0.05 / 3], adjusted: [0.09, 0.09, 0.09]),
    Row(
      name: "equal p", pValues: [0.0125, 0.0125, 0.0125, 0.0125], rejected: [true, true, true, true],
      levels: [0.05 / 4, 0.05 / 3, 0.05 / 2, 0.05], adjusted: [0.05, 0.05, 0.05, 0.05]),
    Row(name: "one", pValues: [0.05], rejected: [true], levels: [0.05], adjusted: [0.05]),
    Row(name: "at most 1", pValues: [0.9, 0.8], rejected: [false, false], levels: [0.025, 0.025], adjusted: [1, 1]),
    Row(name: "alpha 0", alpha: 0, pValues: [1e-300], rejected: [false], levels: [0], adjusted: [1e-300]),
    Row(name: "none", pValues: [], rejected: [], levels: [], adjusted: []),
  ]

  @Test(arguments: table)
  func stepsGoDownUntilTheFirstThatIsNotRejected(row: Row) {
    let outcomes = HolmCorrection(pValues: row.pValues, alpha: row.alpha).outcomes
    #expect(outcomes.map(\.isRejected) == row.rejected)
    #expect(outcomes.map(\.level) == row.levels)
    #expect(zip(outcomes, row.adjusted).allSatisfy { abs($0.adjustedPValue - $1) < 1e-12 })
  }

  @Test func levelsAndAdjustedPNeverContradictTheRejections() {
    var random = SeededRandom(seed: 5)
    for _ in 0..<3000 {
      let count = Int.random(in: 1...12, using: &random)
      // Multiples of alpha/60 and ties of them, so that quotients and products meet alpha.
      let pValues = (0..<count).map { _ in 0.05 * Double(Int.random(in: 1...70, using: &random)) / 60 }
      for (p, outcome) in zip(pValues, HolmCorrection(pValues: pValues, alpha: 0.05).outcomes) {
        #expect((p <= outcome.level) == outcome.isRejected)
        #expect((outcome.adjustedPValue <= 0.05) == outcome.isRejected)
        #expect(outcome.adjustedPValue >= p)
      }
    }
  }
}
