package import ArgumentParser
import Glibc
import Results

/// `bench-dirinit`.
package struct DirInitCommand: BenchmarkCommand {
  package static let configuration = CommandConfiguration(
    commandName: DirInitBenchmark.tool,
    abstract: "How long users' directories take on a shared file system (tests 1.1 and 1.3).",
    discussion: """
      Each iteration is a new user: its directory is created (0700, with .optima, .claude and a token, 0600), \
      switched to as a task does for a user who comes back, read, and removed. The steps are phases: all users are \
      created, then all are switched to, and so on, in rounds of at most 100 users per writer. With --duration nobody \
      new is begun when the time is up, and the round is finished.

      Only what this run made is removed. A directory that is there already is left alone: error EEXIST.

      Examples:
        bench-dirinit
        bench-dirinit --root /mnt/efs/stage --count 100
        bench-dirinit --root /mnt/efs/stage --peer-root /mnt/efs-second/stage
        bench-dirinit --root /mnt/efs/stage --writers 8 --duration 30s --fsync
        sudo bench-dirinit --as-uid 1001,1002
        bench-dirinit --scenario efs.json --label after-resize
      """,
    version: SuiteVersion.version)

  @Option(
    help: ArgumentHelp(
      "Where users' directories go; must exist. (default: a fresh temporary directory)", valueName: "dir"),
    completion: .directory)
  var root: String?

  @Option(
    help: ArgumentHelp("A second mount of the same tree: when does it see what was made?", valueName: "dir"),
    completion: .directory)
  var peerRoot: String?

  @Flag(help: "Creation includes fsync of the token and the directories.")
  var fsync = false

  @Option(
    name: .customLong("as-uid"),
    help: ArgumentHelp("Test as root whether user id B gets at what user id A made.", valueName: "a,b"))
  var asUserIDs: String?

  @Flag(help: "Don't remove the users' directories, and say where they are.")
  var keep = false

  @OptionGroup(title: "Load (default count: 20)") var load: DirInitOptions
  @OptionGroup(title: "Repetition") var repetition: RepeatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Scenario file") var scenario: ScenarioOptions

  package init() {}

  package func prepare(_ reader: inout OptionReader) -> PreparedRun {
    let isSeedGiven = load.seed != nil
    let load = reader.directoryLoad(load)
    if keep, load.count == nil {
      reader.problems.add("--keep", "give --count with --duration, which bounds how many directories stay")
    }
    let runs = reader.runs(repetition, seed: load.seed, isSeedGiven: isSeedGiven)
    if keep, root != nil, runs.isRepeated {
      reader.problems.add("--keep", "a second run would find the first one's directories: leave --repeat or --root out")
    }
    let benchmark = DirInitBenchmark(
      settings: DirInitSettings(
        load: load, root: reader.directory("--root", root, access: fsync ? W_OK | R_OK : W_OK),
        peerRoot: reader.directory("--peer-root", peerRoot), syncs: fsync, keeps: keep,
        isolationIDs: reader.userIDs("--as-uid", asUserIDs)))
    return PreparedRun(
      benchmark, runs: runs, output: reader.output(output), thresholds: reader.thresholds(output, for: benchmark))
  }
}
