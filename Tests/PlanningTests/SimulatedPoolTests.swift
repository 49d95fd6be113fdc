import Foundation
import Latency
import TestSupport
import Testing

@testable import Planning

/// Against a simulation that nobody of this module's code takes part in: a pool in Python's simpy
/// (`pool_in_simpy.py`), for the rules that have no formula.
@Suite(.enabled(if: Python.canImport("simpy"), "needs Python's simpy; INFRABENCH_PYTHON names an interpreter"))
struct SimulatedPoolTests {
  /// A model in both programs.
  struct Scenario: Sendable, CustomTestStringConvertible {
    var name: String
    /// In the words of `pool_in_simpy.py`.
    var other: [String: Double]
    var fallback = KeepingRules.Fallback.ownStart
    var size: Int
    var change: @Sendable (inout PlanModel) -> Void

    var testDescription: String { name }
  }

  private static let scenarios = [
    Scenario(
      name: "instances, an instance pool, scale in",
      other: [
        "slots": 3, "instances": 1, "instancePool": 1, "instanceWarm": 17, "instanceCold": 81, "poolRefill": 60,
        "scaleIn": 90, "session": 150,
      ], size: 3
    ) {
      $0.capacity = Capacity(
        slots: 3, fewest: 1, poolRefill: .constant(.seconds(60)), scaleIn: .seconds(90))
      $0.times.session = .exponential(mean: .seconds(150))
    },
    Scenario(name: "warm tasks that end by age", other: ["ttl": 12], size: 2) { $0.rules.timeToLive = .seconds(12) },
    Scenario(name: "a keeper that looks every 30 s", other: ["every": 30], size: 5) {
      $0.rules.replenish = .every(.seconds(30))
    },
    Scenario(name: "a keeper that looks every 30 s, and a queue", other: ["every": 30], fallback: .queue, size: 5) {
      $0.rules.replenish = .every(.seconds(30))
    },
    Scenario(name: "three starts at one time", other: ["parallelStarts": 3], size: 4) { $0.rules.parallelStarts = 3 },
    Scenario(name: "three starts at one time, and a queue", other: ["parallelStarts": 3], fallback: .queue, size: 4) {
      $0.rules.parallelStarts = 3
    },
  ]

  private struct Run: Decodable {
    var arrivals: Double
    var hits: Double
    var meanWait: Double
    var longerThan5: Double
    var instances: Double
  }

  private static let runs = 12

  private static func other(_ scenario: Scenario) async throws -> [Run] {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "pool_in_simpy.py").path
    var model: [String: Any] = [
      "rate": 0.2, "start": 10, "exponential": true, "size": scenario.size, "fallback": scenario.fallback.rawValue,
      "warmup": 900, "horizon": 3600, "runs": runs, "seed": 1,
    ]
    model.merge(scenario.other) { $1 }
    let json = String(decoding: try JSONSerialization.data(withJSONObject: model), as: UTF8.self)
    let result = try await Python.run([script, json])
    try #require(result.status == 0, "\(result.output)")
    return try result.output.split(separator: "\n").map { try JSONDecoder().decode(Run.self, from: Data($0.utf8)) }
  }

  /// One run of ours, in the same figures.
  private static func own(_ scenario: Scenario) -> [Run] {
    var model = PlanModel(
      arrivals: .poisson(perSecond: 0.2),
      times: PlanTimes(assign: .constant(.zero), taskStart: .exponential(mean: .seconds(10))),
      schedule: RunSchedule(horizon: .seconds(3600), warmup: .seconds(900), runs: 1))
    model.rules.fallback = scenario.fallback
    scenario.change(&model)
    return (0..<runs).map { run in
      model.schedule.seed = 100 + UInt64(run)
      let pool = scenario.other["instancePool"].map { Int($0) } ?? 0
      let result = Plan(model, candidates: [Candidate(poolSize: scenario.size, instancePool: pool)]).results[0]
      return Run(
        arrivals: Double(result.arrivals), hits: Double(result.hits), meanWait: result.waits.mean / 1e9,
        longerThan5: result.longer[2] * Double(result.arrivals), instances: result.meanInstances ?? 0)
    }
  }

  /// The means of runs differ by at most five standard errors.
  private static func agree(_ ours: [Double], _ theirs: [Double]) -> Bool {
    func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (mean, squares / Double(values.count - 1) / Double(values.count))
    }
    let (our, their) = (moments(ours), moments(theirs))
    return abs(our.mean - their.mean) <= 5 * (our.variance + their.variance).squareRoot()
  }

  @Test(arguments: scenarios) func bothSimulationsAgree(_ scenario: Scenario) async throws {
    let theirs = try await Self.other(scenario)
    let ours = Self.own(scenario)
    #expect(theirs.count == Self.runs)
    let figures: [(String, @Sendable (Run) -> Double)] = [
      ("hit rate", { $0.hits / $0.arrivals }), ("mean wait", { $0.meanWait }),
      ("waits over 5 s", { $0.longerThan5 / $0.arrivals }), ("instances", { $0.instances }),
    ]
    for (name, figure) in figures {
      #expect(Self.agree(ours.map(figure), theirs.map(figure)), "\(name): \(ours.map(figure)) \(theirs.map(figure))")
    }
    // A comparison of rates that are all 0 or 1 would say nothing.
    let hits = ours.reduce(0) { $0 + $1.hits } / ours.reduce(0) { $0 + $1.arrivals }
    #expect(hits > 0.2 && hits < 0.999, "\(hits)")
  }
}
