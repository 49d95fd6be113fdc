import Foundation
import ProcessControl
import Testing
@testable import Results

/// `run-all-tests.sh`: what it does before it becomes bench-suite, seen through stand-ins that only say how they were called.
@Suite struct SuiteScriptTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// A copy of the script in a project of its own, whose `swift` builds a bench-suite that notes its arguments.
  private struct Project {
    let scratch: Scratch

    init() throws {
      scratch = try Scratch()
      for directory in ["project", "project/scripts", "project/Sources", "project/docs", "path", "elsewhere"] {
        scratch.directory(directory)
      }
      for file in ["run-all-tests.sh", "docs/bench-suite.txt"] {
        scratch.write("project/\(file)", try String(contentsOf: root.appending(path: file), encoding: .utf8))
      }
      chmod(scratch("project/run-all-tests.sh"), 0o755)
      scratch.write("project/Package.swift", "")
      program("project/scripts/setup.sh", note("setup"))
      program("path/swift", note("swift") + "\n" + build)
    }

    private func note(_ name: String) -> String { "echo \"\(name) $*\" >> '\(scratch("calls"))'" }

    /// What makes the program that the script becomes; `--check` of it refuses `--wrong`.
    private var build: String {
      """
      mkdir -p '\(scratch("project/.build/release"))'
      cat > '\(scratch("project/.build/release/bench-suite"))' <<'PROGRAM'
      #!/bin/sh
      { printf suite; for word in "$@"; do printf ' [%s]' "$word"; done; echo; } >> '\(scratch("calls"))'
      case "$*" in *--wrong*) echo 'error: wrong' >&2; exit 64;; "--check"*) exit 0;; *) echo ran; exit 99;; esac
      PROGRAM
      chmod +x '\(scratch("project/.build/release/bench-suite"))'
      touch '\(scratch("project/.build/release/infrabench"))'
      """
    }

    func program(_ path: String, _ text: String) {
      scratch.write(path, "#!/bin/sh\n\(text)\n")
      chmod(scratch(path), 0o755)
    }

    /// As after a build that is newer than all sources.
    func buildNow() async throws {
      _ = try await Tool.start(["sh", "-c", build], in: scratch.path).end()
    }

    /// What an earlier run leaves: its verdict, and the results of its day.
    func leaveAnEarlierVerdict(in folder: String) {
      scratch.directory(folder)
      scratch.directory(folder + "/2026-01-01")
      for name in ["summary.md", "summary.json", "junit.xml"] { scratch.write("\(folder)/\(name)", "passed") }
    }

    func start(
      _ arguments: [String], through script: String? = nil, environment: [String: String] = [:]
    ) async throws -> Tool.Running {
      let path = "\(scratch("path")):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
      return try await Tool.start(
        [script ?? scratch("project/run-all-tests.sh")] + arguments,
        environment: environment.merging(["PATH": path]) { $1 }, in: scratch("elsewhere"))
    }

    func run(_ arguments: [String], through script: String? = nil, environment: [String: String] = [:]) async throws
      -> (outcome: Tool.Outcome, calls: [String])
    {
      let outcome = try await start(arguments, through: script, environment: environment).end()
      return (outcome, calls)
    }

    /// What stand-ins that wait have written of themselves.
    var pids: [Int32] { scratch.text("pids").split(whereSeparator: \.isWhitespace).compactMap { Int32($0) } }

    var calls: [String] {
      String(decoding: FileManager.default.contents(atPath: scratch("calls")) ?? Data(), as: UTF8.self)
        .split(separator: "\n").map(String.init)
    }
  }

  private static func build(_ project: Project) -> [String] {
    ["setup ", "swift build --package-path \(project.scratch("project")) -c release --quiet"]
  }

  @Test func itInstallsBuildsAndBecomesTheSuiteWithItsOptions() async throws {
    let project = try Project()
    let options = ["--label", "a b", "--threshold", "", "*", "--", "--x=1"]
    let (outcome, calls) = try await project.run(options)
    #expect(outcome.status == .exited(99) && outcome.standardOutput == "ran\n", "\(outcome.standardError)")
    #expect(calls == Self.build(project) + ["suite " + options.map { "[\($0)]" }.joined(separator: " ")])
  }

  @Test func itWorksThroughLinksAndWithCDPATH() async throws {
    let project = try Project()
    symlink("../project/run-all-tests.sh", project.scratch("elsewhere/one"))
    symlink("one", project.scratch("elsewhere/two"))
    project.scratch.directory("elsewhere/project")
    for script in ["./two", project.scratch("elsewhere/two"), "../project/run-all-tests.sh"] {
      let (outcome, calls) = try await project.run(
        [], through: script, environment: ["CDPATH": project.scratch("elsewhere")])
      #expect(outcome.status == .exited(99), "\(script): \(outcome.standardError)")
      #expect(calls.suffix(3).prefix(1) == ["setup "] || calls.contains("suite [--check]"), "\(calls)")
    }
  }

  @Test func withNoBuildNothingIsInstalledAndBuilt() async throws {
    let project = try Project()
    let missing = try await project.run(["--no-build"])
    #expect(missing.outcome.status == .exited(1) && missing.calls == [])
    #expect(missing.outcome.standardError.hasSuffix("leave --no-build out\n"))
    try await project.buildNow()
    let (outcome, calls) = try await project.run(["--no-build", "--quick"])
    #expect(outcome.status == .exited(99))
    #expect(calls == ["suite [--check] [--no-build] [--quick]", "suite [--no-build] [--quick]"])
    // Behind two dashes it is a tool's.
    #expect(try await project.run(["--", "--no-build"]).calls.contains("setup "))
  }

  @Test func wrongOptionsAreFoundBeforeABuildWhereTheProgramIsNew() async throws {
    let project = try Project()
    try await project.buildNow()
    project.leaveAnEarlierVerdict(in: "elsewhere/results")
    let (outcome, calls) = try await project.run(["--wrong"])
    #expect(outcome.status == .exited(64) && outcome.standardError == "error: wrong\n")
    #expect(calls == ["suite [--check] [--wrong]"])
    #expect(project.scratch.names(in: "elsewhere/results")?.count == 4, "something was written")
    #expect(try await project.run([]).calls.dropFirst() == ["suite [--check]"] + Self.build(project) + ["suite"])
    #expect(project.scratch.names(in: "elsewhere/results") == ["2026-01-01"])
  }

  @Test func withNoBuildTooAnEarlierVerdictIsRemovedBeforeTheSuiteBegins() async throws {
    let project = try Project()
    try await project.buildNow()
    project.leaveAnEarlierVerdict(in: "elsewhere/results")
    #expect(try await project.run(["--no-build", "--wrong"]).calls == ["suite [--check] [--no-build] [--wrong]"])
    #expect(try await project.run(["--no-build", "--version"]).calls.suffix(1) == ["suite [--version]"])
    #expect(project.scratch.names(in: "elsewhere/results")?.count == 4, "something was removed")
    #expect(try await project.run(["--no-build"]).outcome.status == .exited(99))
    #expect(project.scratch.names(in: "elsewhere/results") == ["2026-01-01"])
  }

  @Test func anOldProgramsWordOnOptionsIsNotAskedFor() async throws {
    let project = try Project()
    try await project.buildNow()
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -60)],
      ofItemAtPath: project.scratch("project/.build/release/infrabench"))
    let (outcome, calls) = try await project.run(["--wrong"])
    #expect(outcome.status == .exited(64))
    #expect(calls == Self.build(project) + ["suite [--wrong]"])
  }

  @Test func aResultThatCannotBeReplacedIsWrongUsageBeforeABuild() async throws {
    let project = try Project()
    project.scratch.directory("elsewhere/out")
    project.scratch.directory("elsewhere/out/junit.xml")
    let (outcome, calls) = try await project.run(["--output-dir", "out"])
    #expect(outcome.status == .exited(64) && calls == [], "\(outcome.standardError)")
    #expect(outcome.standardError.contains("out/junit.xml"), "\(outcome.standardError)")
    #expect(project.scratch.names(in: "elsewhere/out") == ["junit.xml"])
  }

  @Test(arguments: ["-h", "--help"]) func helpNeedsNoBuild(option: String) async throws {
    let project = try Project()
    let unbuilt = try await project.run(["--quick", option])
    #expect(unbuilt.outcome.status == .exited(0) && unbuilt.calls == [])
    #expect(unbuilt.outcome.standardOutput == project.scratch.text("project/docs/bench-suite.txt"))
    try await project.buildNow()
    #expect(try await project.run([option]).calls == ["suite [--help]"])
  }

  /// Written anew with `INFRABENCH_UPDATE_GOLDEN=1`, as golden files are.
  @Test func theHelpThatNeedsNoBuildIsThePrograms() async throws {
    let help = try await BenchRun.run("bench-suite", ["--help"]).output
    let file = Self.root.appending(path: "docs/bench-suite.txt")
    if ProcessInfo.processInfo.environment["INFRABENCH_UPDATE_GOLDEN"] == "1" {
      try help.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == help)
  }

  @Test(arguments: ["scripts/setup.sh", "swift"]) func whatFailsBeforeTheSuiteIsSaid(step: String) async throws {
    let project = try Project()
    project.program(step == "swift" ? "path/swift" : "project/\(step)", "echo because >&2; exit 70")
    project.leaveAnEarlierVerdict(in: "elsewhere/out")
    let (outcome, calls) = try await project.run(["--output-dir", "out"])
    #expect(project.scratch.names(in: "elsewhere/out") == ["2026-01-01"])
    #expect(outcome.status == .exited(1) && !calls.contains { $0.hasPrefix("suite") })
    #expect(outcome.standardError.hasPrefix("because\nerror: '") && outcome.standardError.hasSuffix("failed\n"))
  }

  @Test func noEarlierVerdictIsLeftWhereTheBuildIsKilled() async throws {
    let project = try Project()
    project.leaveAnEarlierVerdict(in: "elsewhere/out")
    project.program("path/swift", "echo $$ > '\(project.scratch("pids"))'; exec sleep 60")
    let running = try await project.start(["--output-dir=out"])
    try await eventually("no build") { project.scratch.text("pids").hasSuffix("\n") }
    running.child.signal(SIGKILL)
    let outcome = await running.end()
    for build in project.pids { kill(build, SIGKILL) }
    #expect(outcome.status == .signaled(SIGKILL))
    #expect(project.scratch.names(in: "elsewhere/out") == ["2026-01-01"])
  }

  /// A program that the script runs, with a child, when a signal comes. It writes both pids.
  enum Step: CaseIterable, Sendable {
    case setup
    /// As swift build: on SIGINT it ends its compilers, which are in process groups of their own; on no other signal.
    case build
    case buildThatIgnoresInterrupts
    case buildThatIgnoresAllButKill

    var path: String { self == .setup ? "project/scripts/setup.sh" : "path/swift" }

    func program(notes: String) -> String {
      switch self {
      case .setup: "sh -c 'echo $PPID $$ > \(notes)pids; exec sleep 60'\nexit 0"
      case .build:
        """
        setsid sleep 60 &
        compiler=$!
        trap 'kill $compiler; echo yes > \(notes)interrupted; exit 1' INT
        trap '' TERM HUP
        echo $$ $compiler > \(notes)pids
        while :; do wait; done
        """
      case .buildThatIgnoresInterrupts: "trap '' INT\nsetsid sleep 60 &\necho $$ $! > \(notes)pids\nwait"
      case .buildThatIgnoresAllButKill:
        "trap '' INT TERM\nsetsid sleep 60 &\necho $$ $! > \(notes)pids\nwhile :; do wait; sleep 1; done"
      }
    }
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGHUP], Step.allCases)
  func aSignalToTheScriptAloneEndsWhatItRunsAndAllBelow(signal: Int32, step: Step) async throws {
    let project = try Project()
    project.leaveAnEarlierVerdict(in: "elsewhere/results")
    project.program(step.path, step.program(notes: project.scratch("")))
    let running = try await project.start([])
    try await eventually("\(step) was not started") { project.scratch.text("pids").hasSuffix("\n") }
    let pids = project.pids
    running.child.signal(signal)
    let outcome = await running.end()
    #expect(outcome.status == .exited(128 + signal), "\(outcome.standardError)")
    #expect(pids.count == 2)
    for pid in pids { try await eventually("\(pid) of \(pids) lives on") { ProcessEntry(pid: pid) == nil } }
    if step == .build { #expect(project.scratch.text("interrupted") == "yes\n", "it was not ended in order") }
    #expect(!project.calls.contains { $0.hasPrefix("suite") })
    #expect(project.scratch.names(in: "elsewhere/results") == ["2026-01-01"])
  }
}
