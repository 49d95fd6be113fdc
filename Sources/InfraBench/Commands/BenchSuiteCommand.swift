package import ArgumentParser
import FoundationEssentials
import Glibc
import ProcessControl
import Results

/// `bench-suite`; the script `run-all-tests.sh` builds it and replaces itself by it.
package struct BenchSuiteCommand: ToolCommand {
  package static let configuration = CommandConfiguration(
    commandName: "bench-suite",
    abstract: "Runs all benchmarks one after another, and writes one summary.",
    usage: "run-all-tests.sh [options] [-- options of the tools]",
    discussion: """
      bench-allocation, bench-dirinit, bench-e2e, bench-concurrent, bench-exhaustion and bench-api are run against an \
      embedded gateway, or against a real one where the environment names it:
        GATEWAY_URL               the gateway
        CONFIRM_DRAIN             its host name, which lets bench-exhaustion drain it; of two gateways a,b
        CLUSTER, SERVICE, REGION  the ECS service behind it

      bench-exhaustion is skipped where the gateway isn't on this machine and CONFIRM_DRAIN is not set, and where an ECS \
      is named without its gateway; bench-api is skipped where a gateway is named without its ECS.

      run-all-tests.sh installs what is missing, builds, and becomes this program, with the same options. Everything that \
      is wrong with them is found before anything is started.

      DIR/<date>/... has each tool's results, DIR/summary.md, DIR/summary.json and DIR/junit.xml sum them up. A failed tool \
      ends nothing. The results are compared with those of the latest earlier day in DIR: on standard output and in \
      summary.md, which is appended to GITHUB_STEP_SUMMARY where that is set.

      A scenario file has an object for each tool, such as {"bench-allocation": {"count": 500}, "bench-e2e": {"message": \
      "hello"}}. What stands behind '--' goes to every tool that knows it; options of an ECS, such as --cluster and --region, \
      to bench-exhaustion and bench-api, and to the tools that start tasks where --cold-by run-task tells them to.

      Exit status: the worst of the tools': 129/130/131/143 interrupted by a signal (what was measured is written), 64 wrong \
      usage, 1 failed, or --deadline passed, 99 a threshold crossed, 0. --fail-on-regression adds 99 for a regression, and 1 \
      where nothing could be judged; a first day passes.

      Examples:
        run-all-tests.sh --quick
        run-all-tests.sh --repeat 6 --fail-on-regression --output-dir nightly
        GATEWAY_URL=https://gw.example run-all-tests.sh --skip-efs --deadline 20m
        run-all-tests.sh --only bench-allocation --threshold 'allocation.p99 < 20ms'
        run-all-tests.sh --scenario night.json -- --timeout 10s --hold
      """,
    version: SuiteVersion.version)

  @Flag(help: "Fewer iterations: under 90 seconds after the build.")
  var quick = false

  @Flag(help: "Leave bench-dirinit out.")
  var skipEfs = false

  @Option(help: ArgumentHelp("Leave a tool out; repeatable.", valueName: "tool"))
  var skip: [String] = []

  @Option(help: ArgumentHelp("Run this tool alone; repeatable.", valueName: "tool"))
  var only: [String] = []

  @Option(
    help: ArgumentHelp(
      "Run bench-e2e once more by this gateway profile (\(BuiltInProfiles.names.joined(separator: ", "))), labelled by it; "
        + "for the embedded gateway; repeatable.", valueName: "name"))
  var withProfile: [String] = []

  @Option(
    name: .customLong("repeat"),
    help: ArgumentHelp(
      "How often each tool is run: from 5 runs a day on, a change between days can be judged. (default: 1)",
      valueName: "n"))
  var repeatCount: String?

  @Option(help: ArgumentHelp("Where results are written. (default: results)", valueName: "dir"))
  var outputDir: String?

  @Option(help: ArgumentHelp("A name for the run, in the results and their files' names.", valueName: "text"))
  var label: String?

  @Option(
    name: .customLong("threshold"),
    help: ArgumentHelp("A pass criterion, for the tools that have its metric; repeatable.", valueName: "expr"))
  var thresholds: [String] = []

  @Option(
    help: ArgumentHelp(
      "What each tool writes: any of md,json,html,junit,csv,openmetrics; json is always among them. (default: md,json)",
      valueName: "list"))
  var format: String?

  @Option(help: ArgumentHelp("Options from a JSON file, an object for each tool.", valueName: "file"))
  var scenario: String?

  @Flag(help: "run-all-tests.sh: neither install nor build.")
  var noBuild = false

  @Option(
    help: ArgumentHelp(
      "How long all of it may take after the build; what that cuts off is interrupted, exit status 1. (default: none)",
      valueName: "d"))
  var deadline: String?

  @Flag(help: "Exit with 99 where something got slower or worse, with 1 where that could not be judged.")
  var failOnRegression = false

  @Option(
    help: ArgumentHelp(
      "Compare with all results below this folder. (default: the latest earlier day in the output directory)",
      valueName: "dir"))
  var baseline: String?

  @Flag(help: ArgumentHelp("Check the options and end.", visibility: .hidden))
  var check = false

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("Options behind '--', for every tool that knows them.", valueName: "options"))
  var further: [String] = []

  package init() {}

  package func run() async throws {
    // Without a reader of the output the results must not be lost.
    signal(SIGPIPE, SIG_IGN)
    let console = Console(print: .text, isQuiet: false)
    var reader = OptionReader(environment: ProcessInfo.processInfo.environment)
    let settings = reader.suite(self)
    guard reader.problems.isEmpty else {
      console.talk(reader.problems.description + "See 'run-all-tests.sh --help'.\n")
      throw ExitCode(await console.exitStatus(EX_USAGE))
    }
    if check { return }
    let status = await SuiteRun(settings: settings, environment: reader.environment).perform(
      endedBy: TerminationSignals.trap())
    throw ExitCode(await console.exitStatus(status))
  }
}
