import Statistics
import Testing

/// Where both samples come from one population, every way to deal the same values out to two sides is equally likely. All of them
/// are tried, which is the definition of the test's error rate.
@Suite struct PermutationTests {
  struct Values {
    var values: [Double]
    var old: Int
  }

  static let untied = (1...5).flatMap { old in
    (1...5).map { new in Values(values: (0..<old + new).map { Double($0 * $0) }, old: old) }
  }

  static let tied = [
    Values(values: [1, 1, 2, 2, 3, 3, 4, 4], old: 4), Values(values: [0, 0, 0, 0, 0, 0, 0, 1, 2, 3], old: 5),
    Values(values: [5, 5, 5, 5, 5, 5, 5, 5], old: 4), Values(values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 9], old: 5),
    Values(values: [1, 1, 1, 1, 2, 2, 2, 2, 2], old: 3), Values(values: [0, 0, 1, 2, 3, 4, 5, 6, 6], old: 4),
  ]

  @Test(arguments: untied)
  func withoutTiesPIsTheShareOfDealsThatAreAtLeastAsExtreme(values: Values) {
    let pValues = allPValues(values)
    for p in Set(pValues) {
      let share = Double(pValues.count { $0 <= p }) / Double(pValues.count)
      #expect(abs(share - p) < 1e-12)
    }
  }

  @Test(arguments: tied)
  func withTiesNoLevelIsExceeded(values: Values) {
    let pValues = allPValues(values)
    for p in Set(pValues) {
      let share = Double(pValues.count { $0 <= p }) / Double(pValues.count)
      #expect(share <= p + 1e-12)
    }
  }

  /// The p of every way to deal the values out.
  private func allPValues(_ values: Values) -> [Double] {
    let count = values.values.count
    return (0..<1 << count).filter { $0.nonzeroBitCount == values.old }.map { (deal: Int) in
      let old = values.values.indices.filter { deal >> $0 & 1 == 1 }.map { values.values[$0] }
      let new = values.values.indices.filter { deal >> $0 & 1 == 0 }.map { values.values[$0] }
      return RankTest(old: old, new: new).pValue
    }
  }
}
