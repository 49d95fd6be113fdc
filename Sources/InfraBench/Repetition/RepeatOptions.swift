package import ArgumentParser

/// How often all of it is done.
package struct RepeatOptions: ParsableArguments {
  @Option(
    name: .customLong("repeat"),
    help: ArgumentHelp(
      """
      So many runs apart, one after another, a result each: what bench-compare needs several of. With --seed they have \
      that seed, the next one, and so on. (default: 1)
      """, valueName: "n"))
  package var count: String?

  package init() {}
}

extension OptionReader {
  /// Checks how many runs are to be made, and plans them.
  ///
  /// - Parameters:
  ///   - seed: the load's.
  ///   - isSeedGiven: whether it was written, and not drawn.
  ///   - target: where `--ab-gateway-url` may name a second gateway.
  mutating func runs(
    _ options: RepeatOptions, seed: UInt64 = 0, isSeedGiven: Bool = false, target: TargetSettings? = nil
  ) -> RunPlan {
    RunPlan(
      count: integer("--repeat", options.count, default: 1, in: 1...1_000), alternates: target?.second != nil,
      seed: seed, draw: isSeedGiven ? nil : { UInt64.random(in: RunPlan.seeds) })
  }
}
