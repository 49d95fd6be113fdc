import ArgumentParser
import RunSimulation

/// How often a comparison of simulated runs sees a change where there is none, and one that there is. Prints a JSON line for each
/// scenario and number of requests; `Benchmarks/run.sh comparison` makes a table of them.
@main
struct Main: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark-comparison",
    abstract: "False positives and power of bench-compare, by simulation.")

  @Option(help: "Comparisons of each scenario.")
  var comparisons = 1000

  @Option(help: "Requests of each run; may be repeated.")
  var requests: [Int] = [1000, 10_000]

  @Option(help: "Runs of each side.")
  var runs = 6

  @Option(help: "Fixes every random number.")
  var seed: UInt64 = 1

  func validate() throws {
    guard comparisons > 0, runs > 0, requests.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("comparisons, requests and runs are at least 1")
    }
  }

  func run() {
    for scenario in Scenario.allCases {
      for requests in requests {
        let simulation = Simulation(
          scenario: scenario, comparisons: comparisons, requests: requests, runs: runs, seed: seed)
        let findings = simulation.findings(minEffects: [0, 0.05])
        for (minEffect, found) in zip(["0", "0.05"], findings) {
          print(
            #"{"scenario":"\#(scenario)","requests":\#(requests),"runs":\#(runs),"comparisons":\#(comparisons),"#
              + #""minEffect":\#(minEffect),"flagged":\#(found.flagged),"p99Higher":\#(found.p99Higher)}"#)
        }
      }
    }
  }
}
