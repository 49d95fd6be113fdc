package import ArgumentParser
import FoundationEssentials
import Glibc
import ProcessControl
import Results

/// `bench-fleet`.
package struct FleetCommand: ToolCommand {
  package static let configuration = CommandConfiguration(
    commandName: "bench-fleet",
    abstract: "Makes one load from several machines, and one exact result of it.",
    usage: "bench-fleet --on PLACE --shards N --dir SHARED [options] -- TOOL [options of the tool]",
    discussion: """
      Starts N shards of a tool that has a schedule (bench-concurrent, bench-allocation, bench-e2e), here, by ssh or by \
      Slurm. All of them draw the same schedule from one seed, and each makes every N-th start of it: together they make \
      exactly the load that one machine would make. The tool's options are those of the whole.

      The shards meet in a folder that all of them share, and begin at one instant. Their results are merged: histograms \
      and counts are added, percentiles and thresholds are of all samples together, and a task that was given to users of \
      two shards is counted. A shard that is missing, late, or has a wrong clock fails the run, by its name.

      SIGINT ends all shards with what they have measured. If this program itself is killed, the shards finish, and \
      bench-report --merge-shards merges their results.

      Exits as the tool would with the result of all shards: 0; 99 where a threshold was crossed; 1 where a shard failed; \
      64 on wrong usage.

      Examples:
        bench-fleet --on local --shards 2 --dir /tmp/fleet -- \\
          bench-concurrent --gateway-url http://gw.test --rate 200/s --duration 1m
        bench-fleet --on ssh --hosts machines.txt --shards 4 --dir /mnt/efs/fleet -- \\
          bench-concurrent --gateway-url http://gw.test --rate 2000/s --duration 5m
        bench-fleet --on slurm --sbatch=--partition=load --shards 4 --dir /mnt/efs/fleet -- \\
          bench-concurrent --gateway-url http://gw.test --rate 2000/s --duration 5m
      """,
    version: SuiteVersion.version)

  @Option(
    help: ArgumentHelp("Where the shards run: local, ssh or slurm.", valueName: "place"),
    completion: .list(FleetSettings.Place.allCases.map(\.rawValue)))
  var on: String?

  @Option(help: ArgumentHelp("How many shards the load is divided among.", valueName: "n"))
  var shards: String?

  @Option(
    help: ArgumentHelp("A folder that all shards share, such as one on EFS or NFS.", valueName: "dir"),
    completion: .directory)
  var dir: String?

  @Option(
    help: ArgumentHelp("ssh: a file with a machine a line; more shards than machines go round.", valueName: "file"),
    completion: .file())
  var hosts: String?

  @Option(
    help: ArgumentHelp("ssh: OpenSSH's configuration file. (default: the user's)", valueName: "file"),
    completion: .file())
  var sshConfig: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Slurm: an option for sbatch, such as --partition=load; repeatable.", valueName: "option"))
  var sbatch: [String] = []

  @Option(
    help: ArgumentHelp(
      "The folder of the suite's programs on the shards' machines. (default: that of this program)", valueName: "dir"),
    completion: .directory)
  var programs: String?

  @Option(help: ArgumentHelp("From when all shards are ready to their begin. (default: 10s)", valueName: "d"))
  var lead: String?

  @Option(help: ArgumentHelp("How long the shards may take to be ready. (default: 2m)", valueName: "d"))
  var readyWithin: String?

  @Option(help: ArgumentHelp("How far a shard's clock may be from this one. (default: 50ms)", valueName: "d"))
  var clockBound: String?

  @Option(
    help: ArgumentHelp("Where the result of all shards is written. (default: the folder of --dir)", valueName: "dir"),
    completion: .directory)
  var outputDir: String?

  @Option(
    help: ArgumentHelp(
      "What is written: any of md,json,html,junit,csv,openmetrics. (default: md,json)", valueName: "list"))
  var format: String?

  @Option(
    help: ArgumentHelp("What goes to standard output: text, json or md. (default: text)", valueName: "kind"),
    completion: .list(OutputSettings.Print.allCases.map(\.rawValue)))
  var print: String?

  @Flag(help: "No progress and no notes on standard error.")
  var quiet = false

  @Flag(help: "No colours. [env: NO_COLOR]")
  var noColor = false

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("Behind '--': the tool that makes the load, and its options.", valueName: "tool"))
  var tool: [String] = []

  package init() {}

  package func run() async throws {
    let console = Console(print: .text, isQuiet: quiet)
    var reader = OptionReader(environment: ProcessInfo.processInfo.environment)
    let settings = reader.fleet(try words)
    guard reader.problems.isEmpty else {
      console.talk(reader.problems.description + "See 'bench-fleet --help'.\n")
      throw ExitCode(await console.exitStatus(EX_USAGE))
    }
    let fleet = FleetRun(
      settings, environment: reader.environment, console: Console(print: settings.output.print, isQuiet: quiet))
    throw ExitCode(await console.exitStatus(await fleet.perform()))
  }

  /// What was written.
  var words: FleetWords {
    get throws {
      var output = try OutputOptions.parse([])
      (output.outputDir, output.format, output.print) = (outputDir, format, print)
      (output.quiet, output.noColor) = (quiet, noColor)
      return FleetWords(
        place: on, shards: shards, directory: dir, programs: programs, lead: lead, readyBound: readyWithin,
        clockBound: clockBound, hosts: hosts, sshConfiguration: sshConfig, sbatch: sbatch, output: output, tool: tool)
    }
  }
}
