import Glibc

/// In what the new runs differ from the old ones. Every run has a factor of its own besides, exp(N(0, 0.03)).
public enum Scenario: String, Sendable, CaseIterable {
  /// In nothing: two halves of one population.
  case unchanged
  /// The same system on two days, each of which has a factor of its own, exp(N(0, 0.03)), which all its runs share.
  case otherDay
  /// All latencies are 15 % longer.
  case slower
  /// P99 is 15 % longer, and what is above P90 in proportion; all below is as before.
  case longerTail

  static let effect = log(1.15)
  static let variation = 0.03

  /// What the old and the new runs are drawn from.
  func populations(_ normals: inout NormalGenerator) -> (old: Population, new: Population) {
    switch self {
    case .unchanged: (Population(), Population())
    case .otherDay:
      (Population(shift: Self.variation * normals.next()), Population(shift: Self.variation * normals.next()))
    case .slower: (Population(), Population(shift: Self.effect))
    case .longerTail: (Population(), Population(tail: Self.effect))
    }
  }
}
