package import ArgumentParser
import Results

/// `bench-concurrent`.
package struct ConcurrentCommand: BenchmarkCommand {
  package static let configuration = CommandConfiguration(
    commandName: ConcurrentBenchmark.tool,
    abstract: "Simultaneous users, within the pool's capacity and beyond it (test 3.1).",
    discussion: """
      Users are released from one barrier and keep their tasks; --beyond sends more while those are held. Warm and cold \
      starts are latencies of their own. With --count, --duration, --rate or --stages there is no barrier: a loop against \
      a gateway with enough tasks, closed, or with --rate or stages of rates open: starts are due on schedule.

      With --cold-by run-task each user of the burst beyond, or of the only one, begins by starting a task: RunTask, \
      PENDING to RUNNING (by DescribeTasks), until it is connected (by the gateway's status), then the acquire; cold is \
      all of it. The tasks cost what the cluster's tasks cost and are stopped afterwards; one that the gateway has given \
      to somebody else meanwhile is left to it.

      Examples:
        bench-concurrent
        bench-concurrent --concurrency 5 --beyond 3
        bench-concurrent --bursts 10 --wait-for ready
        bench-concurrent --gateway-url http://gw.test --concurrency 50 --duration 1m
        bench-concurrent --gateway-url http://gw.test --rate 200/s --duration 1m
        bench-concurrent --gateway-url http://gw.test --stages 30s:50/s,1m:50/s
        bench-concurrent --rate 5/s --duration 8h --soak
        bench-concurrent --beyond 3 --cold-by run-task
        bench-concurrent --gateway-url http://gw.test --cold-by run-task \\
          --beyond 3 --cluster stage --task-definition ai-shell
      """,
    version: SuiteVersion.version)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Load (default concurrency: 5; count with --rate: 10)") var load: LoadOptions
  @OptionGroup(title: "Arrivals") var arrivals: ArrivalOptions
  @OptionGroup(title: "Parts of a load") var shard: ShardOptions
  @OptionGroup(title: "Cold starts") var coldStarts: RunTaskOptions
  @OptionGroup(title: "Soak") var soak: SoakOptions
  @OptionGroup(title: "Repetition") var repetition: RepeatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Scenario file") var scenario: ScenarioOptions

  @Option(help: ArgumentHelp("So many more users at once while the first are held. (default: 0)", valueName: "k"))
  var beyond: String?

  @Option(help: ArgumentHelp("How many times; the pool fills again in between. (default: 1)", valueName: "n"))
  var bursts: String?

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
    let beyondCount = reader.integer("--beyond", beyond, default: 0, in: 0...20_000)
    let burstCount = reader.integer("--bursts", bursts, default: 1, in: 1...100_000)
    var settings = reader.load(load, arrivals, defaultCount: 10, defaultConcurrency: 5)
    let isLoop = load.count != nil || load.duration != nil || arrivals.rate != nil || arrivals.stages != nil
    for (name, isGiven) in [("--bursts", bursts != nil), ("--beyond", beyond != nil)] where isLoop && isGiven {
      reader.refuse(
        name, "bursts have no --count, --duration, --rate and --stages: leave those out, or leave this out")
    }
    let loopOnly = [
      ("--warmup", load.warmup != nil), ("--think-time", arrivals.thinkTime != nil),
      ("--timeline", arrivals.timeline != nil),
    ]
    for (name, isGiven) in loopOnly where isGiven && !isLoop {
      reader.refuse(name, "bursts have none: give it with --count, --duration, --rate or --stages")
    }
    let runTask = reader.runTask(coldStarts, beside: target)
    if runTask != nil {
      reader.refuseUnbounded([
        ("--rate", arrivals.rate != nil), ("--stages", arrivals.stages != nil), ("--duration", load.duration != nil),
        ("--count", load.count != nil),
      ])
      if beyondCount > 0 {
        reader.refuseCrowd("--beyond", beyondCount)
      } else {
        reader.refuseCrowd("--concurrency", settings.concurrency)
      }
    }
    var targetSettings = reader.target(
      target, for: runTask, users: settings.concurrency + beyondCount, keepsPool: beyondCount > 0,
      needs: [.acquire])
    reader.shard(
      shard, &settings, &targetSettings,
      UndividedOptions(
        load: load, repetition: repetition,
        others: [("--cold-by", runTask != nil), ("--soak", soak.soak)],
        divided: isLoop ? [] : [("--beyond", beyondCount)]))
    if case .instant? = settings.shard?.begin, !isLoop, burstCount > 1 || beyondCount > 0 {
      reader.refuse("--start-at", "parts of several bursts have to agree on each: give a folder that all of them share")
    }
    if !isLoop { settings.count = burstCount * (settings.concurrency + beyondCount) }
    var benchmark = ConcurrentBenchmark(
      target: targetSettings, load: settings,
      shape: isLoop ? .loop : .bursts(burstCount, beyond: beyondCount),
      waitFor: AllocationBenchmark.WaitFor(rawValue: waitFor) ?? .assigned, holds: hold, runTask: runTask)
    if hold, soak.soak { reader.refuse("--soak", "a pool whose tasks are all kept is empty soon: leave --hold out") }
    benchmark.soak = reader.soak(soak, settings, isLoadBounded: load.duration != nil || arrivals.stages != nil)
    let output = reader.output(output)
    benchmark.load.addTimeline(for: output)
    return PreparedRun(
      benchmark, second: benchmark.ofSecondGateway,
      runs: reader.runs(repetition, seed: benchmark.load.seed, isSeedGiven: load.seed != nil, target: benchmark.target),
      output: output, thresholds: reader.thresholds(self.output, for: benchmark))
  }
}
