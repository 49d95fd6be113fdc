package import ArgumentParser
import Results

/// `bench-allocation`.
package struct AllocationCommand: BenchmarkCommand {
  package static let configuration = CommandConfiguration(
    commandName: AllocationBenchmark.tool,
    abstract: "How long a warm pool takes to hand out a task (test 1.2).",
    discussion: """
      Only warm acquires are latencies; cold starts and misses are counted apart. In a closed loop the tool waits before \
      each iteration, unmeasured, until the pool has a warm task. In an open loop (--rate, or --stages of rates) it waits \
      for none: starts are due on schedule, so give the pool enough tasks.

      Examples:
        bench-allocation
        bench-allocation --count 100 --wait-for ready
        bench-allocation --gateway-url https://gw.example --token-file token.txt
        bench-allocation --gateway-url http://127.0.0.1:5174 --agents 5
        bench-allocation --duration 30s --threshold 'allocation.p99 < 20ms'
        bench-allocation --rate 50/s --duration 1m --max-in-flight 200
        bench-allocation --scenario nightly.json --count 500 --format md,json,csv
      """,
    version: SuiteVersion.version)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Load (default count: 10)") var load: LoadOptions
  @OptionGroup(title: "Arrivals") var arrivals: ArrivalOptions
  @OptionGroup(title: "Parts of a load") var shard: ShardOptions
  @OptionGroup(title: "Repetition") var repetition: RepeatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Scenario file") var scenario: ScenarioOptions

  @Flag(help: "Don't release tasks until the end.")
  var hold = false

  @Option(
    help: ArgumentHelp(
      "Measure until the task is assigned, or until it has confirmed (ready). (default: assigned)", valueName: "moment"),
    completion: .list(AllocationBenchmark.WaitFor.allCases.map(\.rawValue)))
  var waitFor: String?

  package init() {}

  package func prepare(_ reader: inout OptionReader) -> PreparedRun {
    let moments = AllocationBenchmark.WaitFor.allCases.map(\.rawValue)
    let waitFor = reader.choice("--wait-for", waitFor, of: moments, default: "assigned")
    var benchmark = AllocationBenchmark(
      target: reader.target(target, needs: [.acquire]), load: reader.load(load, arrivals, defaultCount: 10),
      waitFor: AllocationBenchmark.WaitFor(rawValue: waitFor) ?? .assigned, holds: hold)
    reader.shard(
      shard, &benchmark.load, &benchmark.target, UndividedOptions(load: load, repetition: repetition))
    let output = reader.output(output)
    benchmark.load.addTimeline(for: output)
    return PreparedRun(
      benchmark, second: benchmark.ofSecondGateway,
      runs: reader.runs(repetition, seed: benchmark.load.seed, isSeedGiven: load.seed != nil, target: benchmark.target),
      output: output, thresholds: reader.thresholds(self.output, for: benchmark))
  }
}
