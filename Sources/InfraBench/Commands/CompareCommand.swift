package import ArgumentParser
import FoundationEssentials
import Glibc
import ProcessControl
import Comparison
import Results

/// `bench-compare`.
package struct CompareCommand: ToolCommand {
  package static let configuration = CommandConfiguration(
    commandName: "bench-compare",
    abstract: "Are the new results slower than the old ones, by how much, and is it noise? And how did they go by day?",
    usage: """
      bench-compare [options] OLD NEW
      bench-compare [options] --trend DIR
      """,
    discussion: """
      OLD and NEW are result files, or folders with all results below them. Runs of one tool, kind of target and load \
      are compared, run by run: each run is one observation, however many requests it made, so that several runs a side \
      are needed (--repeat). A verdict needs a rank test over the runs to show it, and a change beyond --min-effect. \
      Saturated, interrupted and debug-build runs are left out and named; of runs that failed altogether (verdict error) the \
      rates count.

      Exit status: 0; 1 where nothing can be compared, or --strict refuses; 64 for wrong usage. With \
      --fail-on-regression also 99 for a regression, else 1 where a headline or a rate could not be judged: too few \
      runs, or NEW lacks what OLD has.

      Examples:
        bench-compare results/2026-11-20 results/2026-11-21
        bench-compare --label-old a --label-new b results results
        bench-compare --print md --fail-on-regression base/results results
        bench-compare --html change.html results/2026-11-20 results/2026-11-21
        bench-compare --trend results --since 2026-11-01 --metric allocation
      """,
    version: SuiteVersion.version)

  @Argument(help: ArgumentHelp("OLD and NEW: files, or folders of results.", valueName: "path"))
  var paths: [String] = []

  @Option(help: ArgumentHelp("Percentiles by day of all results below a folder.", valueName: "dir"))
  var trend: String?

  @Option(help: ArgumentHelp("A change counts from here on. (default: 5%)", valueName: "percent"))
  var minEffect: String?

  @Option(help: ArgumentHelp("How often no change may be called one. (default: 0.05)", valueName: "p"))
  var alpha: String?

  @Flag(help: "Refuse runs of unlike CPUs, numbers of cores, kernels or kinds of target.")
  var strict = false

  @Flag(help: "Keep runs with different labels apart.")
  var byLabel = false

  @Option(help: ArgumentHelp("Of OLD take only the runs with this label.", valueName: "text"))
  var labelOld: String?

  @Option(help: ArgumentHelp("Of NEW take only the runs with this label.", valueName: "text"))
  var labelNew: String?

  @Flag(help: "Exit with 99 where a headline's statistic is slower or a rate worse, with 1 where one can't be judged.")
  var failOnRegression = false

  @Option(help: ArgumentHelp("Trend: only of runs since this day (UTC), such as 2026-11-20.", valueName: "date"))
  var since: String?

  @Option(
    name: .customLong("metric"),
    help: ArgumentHelp(
      "Show only this metric or counter; repeatable. Verdicts and exit status are the same.", valueName: "name"))
  var metrics: [String] = []

  @Option(help: ArgumentHelp("What goes to standard output: text, json or md. (default: text)", valueName: "kind"))
  var print: String?

  @Option(help: ArgumentHelp("Also write a page with pictures.", valueName: "file"))
  var html: String?

  package init() {}

  package func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    let console = Console(print: .text, isQuiet: false)
    var reader = OptionReader(environment: ProcessInfo.processInfo.environment)
    let form = reader.choice("--print", print, of: OutputSettings.Print.allCases.map(\.rawValue), default: "text")
    let settings = reader.comparison(self)
    if let html { reader.checkPage("--html", html) }
    guard reader.problems.isEmpty else {
      console.talk(reader.problems.description + "See 'bench-compare --help'.\n")
      throw ExitCode(await console.exitStatus(EX_USAGE))
    }
    let work = CompareRun(
      settings: settings, print: OutputSettings.Print(rawValue: form) ?? .text, html: html, console: console)
    throw ExitCode(await console.exitStatus(await work.status))
  }
}
