package import ArgumentParser
import FoundationEssentials
import Glibc
import ProcessControl
import Results

/// `bench-plan`.
package struct PlanCommand: ToolCommand {
  package static let configuration = CommandConfiguration(
    commandName: "bench-plan",
    abstract:
      "What pool size do the measured times justify? Hit rates, waits and costs of pools that are only simulated.",
    discussion: """
      Simulates users who come at a rate, and pools that are kept by rules, for each candidate over the same arrivals. \
      Beside the simulation stands the formula (Erlang, Poisson) where one holds; --explain says which, and why. No \
      network is used, and nothing is started.

      A length D is 260ms, const:10s, exp:30m (with this mean), or lognormal:5.4s,8.6s (P50 and P99). --measured takes \
      lengths from results of the suite instead: assign from 'warm', task-start from 'refill_task' (else 'run_task' + \
      'pending_to_running' + 'wait_connection'), instance-warm from 'warm_start', instance-cold from 'cold_start'.

      Requirements are 'hit >= 99%', 'wait.p99 < 5s' (mean, p50, p90, p95, p99, p999, max), 'refused == 0%', \
      'cost <= 100' and 'instances <= 8'. A hit rate is judged by the formula, else by the worse end of its interval.

      Exit status: 0; 99 where no candidate meets every --require; 64 for wrong usage and for impossible input; 1 where \
      output can't be written, or the simulation contradicts a formula, which is a mistake of this program.

      Examples:
        bench-plan --arrival-rate 5/m --task-start 10s --require 'hit >= 99%'
        bench-plan --measured results/2026-11-20/*-bench-exhaustion.json --arrival-rate 5/m --require 'hit >= 99%'
        bench-plan --arrival-profile 0h:1/m,9h:5/m,18h:1/m --pool-size 0..10 --ttl 30m --html plan.html
        bench-plan --arrival-rate 5/m --keeper ecs-service --task-start 20s --pool-size 150..190
        bench-plan --arrival-rate 5/m --slots 7 --instances 1..50 --instance-pool 0..3 --prices lab
        bench-plan --preset lab --explain
      """,
    version: SuiteVersion.version)

  @OptionGroup(title: "Users") var users: PlanUserOptions
  @OptionGroup(title: "Times") var times: PlanTimeOptions
  @OptionGroup(title: "Pool") var pool: PlanPoolOptions
  @OptionGroup(title: "Instances") var instances: PlanInstanceOptions
  @OptionGroup(title: "Simulation") var simulation: PlanSimulationOptions

  @Option(
    name: .customLong("require"),
    help: ArgumentHelp("What the pool must reach, such as 'hit >= 99%'; repeatable.", valueName: "expr"))
  var requirements: [String] = []

  @Option(
    help: ArgumentHelp(
      "The team's model: lab. Other options win over it. (default: none)", valueName: "name"))
  var preset: String?

  @Flag(help: "Say which formula applies, and why, or why none does.")
  var explain = false

  @Option(help: ArgumentHelp("What goes to standard output: text, json or md. (default: text)", valueName: "kind"))
  var print: String?

  @Option(help: ArgumentHelp("Also write a page with pictures.", valueName: "file"))
  var html: String?

  @Flag(help: "No notes on standard error.")
  var quiet = false

  package init() {}

  package func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    let console = Console(print: .text, isQuiet: quiet)
    var reader = OptionReader(environment: ProcessInfo.processInfo.environment)
    let form = reader.choice("--print", print, of: OutputSettings.Print.allCases.map(\.rawValue), default: "text")
    if let html { reader.checkPage("--html", html) }
    let settings = reader.plan(self)
    guard let settings, reader.problems.isEmpty else {
      console.talk(reader.problems.description + "See 'bench-plan --help'.\n")
      throw ExitCode(await console.exitStatus(EX_USAGE))
    }
    let work = PlanRun(
      settings: settings, print: OutputSettings.Print(rawValue: form) ?? .text, html: html, explains: explain,
      console: console)
    throw ExitCode(await console.exitStatus(work.status))
  }
}

/// Who comes, and for how long.
package struct PlanUserOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Poisson arrivals at this rate, such as 5/m.", valueName: "r"))
  var arrivalRate: String?

  @Option(
    help: ArgumentHelp(
      "Poisson arrivals at a rate by time of day, repeated daily: 0h:1/m,9h:5/m,18h:1/m.", valueName: "list"))
  var arrivalProfile: String?

  @Option(
    help: ArgumentHelp(
      "Arrivals of a file: an instant a line (seconds, or 2026-11-20T09:00:00Z), or a gateway's lifecycle log.",
      valueName: "file"))
  var arrivals: String?

  @Option(
    help: ArgumentHelp(
      "A session's length, or a file with a length a line, or a lifecycle log. (default: exp:30m)",
      valueName: "d|file"))
  var session: String?

  package init() {}
}

/// How long things take.
package struct PlanTimeOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Results of the suite, from whose histograms lengths are drawn; repeatable.", valueName: "file"))
  var measured: [String] = []

  @Option(
    help: ArgumentHelp("From a task's choice to its ready; every user waits for it. (default: 260ms)", valueName: "d"))
  var assign: String?

  @Option(help: ArgumentHelp("From the order of a task to a warm task. (default: 10s)", valueName: "d"))
  var taskStart: String?

  @Option(
    help: ArgumentHelp("From the order of a stopped instance until it takes tasks. (default: 17s)", valueName: "d"))
  var instanceWarm: String?

  @Option(help: ArgumentHelp("The same of an instance that must be created. (default: 81s)", valueName: "d"))
  var instanceCold: String?

  package init() {}
}

/// The pools that are tried, and the rules by which they are kept.
package struct PlanPoolOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Sizes that are tried: numbers and ranges, 0..10 or 2,4,8. (default: 1..10; a service: around its load)",
      valueName: "list"))
  var poolSize: String?

  @Option(
    help: ArgumentHelp(
      "Pairs of a pool size and an instance pool, such as 2/2,3/2, instead of all combinations.", valueName: "list"))
  var candidates: String?

  @Option(
    help: ArgumentHelp("Order starts when fewer tasks are warm or starting. (default: the pool's size)", valueName: "n")
  )
  var replenishThreshold: String?

  @Option(help: ArgumentHelp("The most tasks that are warm or starting. (default: no bound)", valueName: "n"))
  var maxSize: String?

  @Option(
    help: ArgumentHelp(
      "When a missing task is ordered: on-acquire, or every:30s. (default: on-acquire)", valueName: "rule"))
  var replenish: String?

  @Option(help: ArgumentHelp("The most starts at one time. (default: no bound)", valueName: "n"))
  var parallelStarts: String?

  @Option(
    help: ArgumentHelp(
      "A session's task after it: replace (it ends) or recycle (it is warm again). (default: replace)",
      valueName: "rule"))
  var afterRelease: String?

  @Option(help: ArgumentHelp("The age at which a warm task ends. (default: none)", valueName: "d"))
  var ttl: String?

  @Option(
    help: ArgumentHelp(
      """
      A user without a warm task: own-start (a task for this user), queue (waits; one task more is ordered), wait \
      (waits; none is ordered) or refuse. (default: own-start)
      """, valueName: "rule"))
  var fallback: String?

  @Option(
    help: ArgumentHelp(
      "pool, or ecs-service, whose size counts tasks with users too and which replaces on release. (default: pool)",
      valueName: "kind"))
  var keeper: String?

  package init() {}
}

/// The instances on which tasks run.
package struct PlanInstanceOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Tasks an instance. (default: there is always room)", valueName: "n"))
  var slots: String?

  @Option(
    help: ArgumentHelp("The fewest and the most instances, such as 1..50. (default: 1, no bound)", valueName: "range"))
  var instances: String?

  @Option(help: ArgumentHelp("Stopped instances that are kept: numbers and ranges. (default: 0)", valueName: "list"))
  var instancePool: String?

  @Option(
    help: ArgumentHelp(
      "Until a taken instance of the instance pool is replaced. (default: as --instance-cold)", valueName: "d"))
  var instancePoolRefill: String?

  @Option(
    help: ArgumentHelp(
      "Start an instance before it is needed: free<2 (slots) or util>70%. (default: when a task has no slot)",
      valueName: "rule"))
  var scaleOut: String?

  @Option(help: ArgumentHelp("Stop an instance that is empty for this long. (default: never)", valueName: "d"))
  var scaleIn: String?

  @Option(
    help: ArgumentHelp(
      "lab (the team's: 0.0208 $/h running, 0.0008 $/h stopped), or a JSON file. (default: no costs)",
      valueName: "lab|file"))
  var prices: String?

  package init() {}
}

/// How long and how often is simulated.
package struct PlanSimulationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The measured time of a run. (default: 8h; a profile: 24h; a file: all of it)", valueName: "d"))
  var horizon: String?

  @Option(
    help: ArgumentHelp(
      "Simulated before it, in no figure. (default: 2h; with instances, recycle or a service ten sessions, and more where "
        + "lengths vary much; a file: 0s)",
      valueName: "d"))
  var warmup: String?

  @Option(help: ArgumentHelp("Runs with other random numbers, for the intervals. (default: 20)", valueName: "n"))
  var runs: String?

  @Option(help: ArgumentHelp("Makes the plan reproducible. (default: random)", valueName: "n"))
  var seed: String?

  package init() {}
}
