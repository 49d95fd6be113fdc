package import ArgumentParser
import FoundationEssentials
import Glibc
import ProcessControl
import Results

/// `bench-report`.
package struct ReportCommand: ToolCommand {
  package static let configuration = CommandConfiguration(
    commandName: "bench-report",
    abstract: "Shows, merges and exports stored results.",
    discussion: """
      Prints the report of each FILE, a result that one of the tools wrote as JSON, and says which percentiles rest on too \
      few samples. All figures are made anew from the histograms in it; where the document says otherwise, that is noted.

      Of the file of minutes that a soak writes (--soak) it makes a result, also where the run was killed.

      --merge makes one result of several runs of one tool under one load, exactly: percentiles are those of all their \
      samples together, thresholds are judged anew. The runs must have followed one another: rates of runs at the same \
      time add up, which no merge can show.

      --merge-shards makes one result of all shards of one load (--shard), which went on at the same time: what one \
      generator would have measured. A missing or failed shard is an error, unless --allow-missing shows the others.

      --format writes files named after FILE into --output-dir; without it, one format of one document goes to standard \
      output. hgrm and hlog are HdrHistogram's percentile distribution and log.

      Exits with 0 when everything was shown, whatever the verdicts; 1 when a file can't be read; 64 on wrong usage, which \
      results that can't be merged are too.

      Examples:
        bench-report results/2026-11-20/210000Z-bench-allocation.json
        bench-report results/2026-12-01/030000Z-bench-e2e.soak.ndjson
        bench-report --merge results/2026-11-20/*-bench-allocation.json
        bench-report --merge-shards fleet/shards/*/*/*-bench-concurrent.json
        bench-report --format csv results/2026-11-20/210000Z-bench-e2e.json > run.csv
        bench-report --format hgrm --metric warm 210000Z-bench-concurrent.json > warm.hgrm
        bench-report --merge --format md,json,hlog --output-dir merged results/2026-11-2*/*-bench-e2e.json
      """,
    version: SuiteVersion.version)

  @Argument(
    help: ArgumentHelp("Results as JSON, infrabench.result/1, or soaks' .soak.ndjson.", valueName: "file"),
    completion: .file(extensions: ["json", "ndjson"]))
  var files: [String] = []

  @Flag(help: "Make one result of all files: runs of one tool, kind of target and load, one after another.")
  var merge = false

  @Flag(help: "Make one result of all files: the shards of one load, all of them.")
  var mergeShards = false

  @Flag(help: "With --merge-shards: show the shards that are there; the result is partial, and no rate is judged.")
  var allowMissing = false

  @Option(
    help: ArgumentHelp(
      "What is written: any of md,json,html,csv,hgrm,hlog. (default: a report on standard output)", valueName: "list"))
  var format: String?

  @Option(
    help: ArgumentHelp("Where files are written; without it --format goes to standard output.", valueName: "dir"),
    completion: .directory)
  var outputDir: String?

  @Option(
    help: ArgumentHelp(
      "A metric of hgrm and hlog; repeatable. (default: all, of hgrm on standard output the tool's headline)",
      valueName: "name"))
  var metric: [String] = []

  @Option(
    help: ArgumentHelp("What goes to standard output: text, json or md. (default: text)", valueName: "kind"),
    completion: .list(OutputSettings.Print.allCases.map(\.rawValue)))
  var print: String?

  @Flag(help: "No notes on standard error.")
  var quiet = false

  @Flag(help: "No colours. [env: NO_COLOR]")
  var noColor = false

  package init() {}

  package func run() async throws {
    var reader = OptionReader(environment: ProcessInfo.processInfo.environment)
    let settings = reader.report(
      files: files, merges: merge, mergesShards: mergeShards, allowsMissing: allowMissing, format: format,
      directory: outputDir, metrics: metric, print: print)
    let usesColor = !noColor && (reader.environment["NO_COLOR"] ?? "").isEmpty && isatty(STDOUT_FILENO) == 1
    let console = Console(print: settings.print ?? .text, isQuiet: quiet)
    let status: Int32
    do throws(Problems) {
      guard reader.problems.isEmpty else { throw reader.problems }
      status = try ReportRun(settings, usesColor: usesColor, console: console).perform()
    } catch {
      console.talk(error.description + "See 'bench-report --help'.\n")
      status = EX_USAGE
    }
    throw ExitCode(await console.exitStatus(status))
  }
}
