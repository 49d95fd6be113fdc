public import Latency
import Statistics

/// Comparisons of simulated runs: how often is a change seen where there is none, and how often one that there is?
public struct Simulation: Sendable {
  /// What sets old and new runs apart.
  public var scenario: Scenario
  /// How many comparisons are made.
  public var comparisons: Int
  /// How many requests each run makes.
  public var requests: Int
  /// How many runs each side has.
  public var runs: Int
  /// Fixes every random number.
  public var seed: UInt64
  /// Of the histograms that record each run.
  public var layout: HistogramLayout

  /// A simulation of the given size.
  public init(
    scenario: Scenario, comparisons: Int, requests: Int, runs: Int, seed: UInt64, layout: HistogramLayout = .oneHour
  ) {
    self.scenario = scenario
    self.comparisons = comparisons
    self.requests = requests
    self.runs = runs
    self.seed = seed
    self.layout = layout
  }

  /// What was found, of all comparisons.
  public struct Findings: Sendable, Equatable {
    /// In how many any of the four statistics was said to have changed.
    public var flagged = 0
    /// In how many P99 was said to be higher.
    public var p99Higher = 0
  }

  /// Makes every comparison once for each minimal effect; the findings are in their order.
  public func findings(minEffects: [Double], alpha: Double = 0.05) -> [Findings] {
    var normals = NormalGenerator(seed: seed)
    var findings = minEffects.map { _ in Findings() }
    for _ in 0..<comparisons {
      let populations = scenario.populations(&normals)
      let old = (0..<runs).map { _ in run(populations.old, &normals) }
      let new = (0..<runs).map { _ in run(populations.new, &normals) }
      let samples = (0..<4).map { index in
        TwoSamples(old: old.map { $0[index] }, new: new.map { $0[index] }, scale: .ratio)
      }
      for (index, minEffect) in minEffects.enumerated() {
        let verdicts = TestFamily.outcomes(of: samples, alpha: alpha, minEffect: minEffect).map(\.verdict)
        if verdicts.contains(where: { $0 == .lower || $0 == .higher }) { findings[index].flagged += 1 }
        if verdicts.last == .higher { findings[index].p99Higher += 1 }
      }
    }
    return findings
  }

  /// Draws a run's requests and records them as the tools do; the statistics that are compared, P99 the last.
  private func run(_ population: Population, _ normals: inout NormalGenerator) -> [Double] {
    var own = population
    own.shift += Scenario.variation * normals.next()
    var histogram = LatencyHistogram(layout: layout)
    for _ in 0..<requests { histogram.record(UInt64(own.latency(at: normals.next()))) }
    return [histogram.mean] + histogram.values(atPercentiles: [50, 95, 99]).map { Double($0) }
  }
}
