import Glibc
import Latency
import TestSupport
import Testing

@testable import RunSimulation

/// A smaller edition of `Benchmarks/run.sh comparison`: 6 runs a side, statistics of which 3 % vary from run to run.
@Suite struct SimulationTests {
  /// 10 µs to 1 s: a debug build needs long for the many empty counts of a whole hour.
  let layout: HistogramLayout

  init() throws {
    layout = try HistogramLayout(
      lowestDiscernibleValue: 10_000, highestTrackableValue: 1_000_000_000, significantDigits: 3)
  }

  @Test(.wholeSuiteOnly) func twoHalvesOfOnePopulationAreRarelyFlagged() {
    let simulation = Simulation(
      scenario: .unchanged, comparisons: 1000, requests: 100, runs: 6, seed: 1, layout: layout)
    let findings = simulation.findings(minEffects: [0, 0.05])
    #expect(findings[0].flagged <= 70)
    #expect(findings[1].flagged <= findings[0].flagged)
    // That the test can err at all shows that it is no test that never speaks.
    #expect(findings[0].flagged > 0)
  }

  @Test(arguments: [Scenario.slower, .longerTail])
  func fifteenPercentOnP99AreMostlyFound(scenario: Scenario) {
    let simulation = Simulation(scenario: scenario, comparisons: 100, requests: 2500, runs: 6, seed: 1, layout: layout)
    let findings = simulation.findings(minEffects: [0.05])
    #expect(findings[0].p99Higher >= 90)
  }

  @Test func populationsDifferInWhatTheyAreSaidTo() {
    let (base, slower, tail) = (Population(), Population(shift: Scenario.effect), Population(tail: Scenario.effect))
    #expect(abs(base.latency(at: 0) - 50e6) < 1 && abs(base.latency(at: Population.z99) - 100e6) < 1)
    #expect(abs(slower.latency(at: 0) - 57.5e6) < 1 && abs(slower.latency(at: Population.z99) - 115e6) < 1)
    #expect(tail.latency(at: 1) == base.latency(at: 1) && abs(tail.latency(at: Population.z99) - 115e6) < 1)
  }

  @Test func drawnNumbersAreNormal() {
    var normals = NormalGenerator(seed: 7)
    let drawn = (0..<100_000).map { _ in normals.next() }
    func share(below limit: Double) -> Double { Double(drawn.count { $0 < limit }) / Double(drawn.count) }
    #expect(abs(share(below: 0) - 0.5) < 0.005)
    #expect(abs(share(below: -1) - 0.158_655) < 0.004)
    #expect(abs(share(below: Population.z90) - 0.9) < 0.003)
    #expect(abs(share(below: Population.z99) - 0.99) < 0.001)
  }
}
