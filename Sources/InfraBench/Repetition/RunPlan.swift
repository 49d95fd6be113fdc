/// Which runs are made, one after another, and what each draws its random choices from.
package struct RunPlan: Sendable, Equatable {
  /// Which gateway is measured where there are two.
  package enum Side: String, Sendable, CaseIterable {
    /// Of `--gateway-url`.
    case a
    /// Of `--ab-gateway-url`.
    case b
  }

  package struct Run: Sendable, Equatable {
    /// From 1 on, in the order of the runs.
    package var number: Int
    /// nil where there is one target.
    package var side: Side?
    package var seed: UInt64
  }

  /// In the order in which they are made; at least one.
  package let runs: [Run]

  /// Seeds are whole in a JSON number of any reader.
  package static let seeds: Range<UInt64> = 0..<(1 << 53)

  /// `count` runs; with `alternates` so many of each side: a b, b a, a b, … A drift of the machine that grows evenly then
  /// adds the same to both sides in every two pairs. Both runs of a pair have the same seed.
  ///
  /// - Parameters:
  ///   - seed: the first run's, or pair's.
  ///   - draw: gives each further one's; nil where the seed was given: then it is the one before plus 1.
  package init(count: Int, alternates: Bool, seed: UInt64, draw: (() -> UInt64)?) {
    var runs: [Run] = []
    var seed = seed
    for turn in 0..<max(1, count) {
      if turn > 0 { seed = draw?() ?? (seed + 1) % Self.seeds.upperBound }
      let sides: [Side?] = !alternates ? [nil] : turn.isMultiple(of: 2) ? [.a, .b] : [.b, .a]
      for side in sides { runs.append(Run(number: runs.count + 1, side: side, seed: seed)) }
    }
    self.runs = runs
  }

  /// Whether there is more than one run.
  package var isRepeated: Bool { runs.count > 1 }

  /// Whether two gateways are measured in turn.
  package var alternates: Bool { runs.contains { $0.side != nil } }
}
