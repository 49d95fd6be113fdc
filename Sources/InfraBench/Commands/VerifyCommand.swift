package import ArgumentParser
import AWS
import Faults
import FoundationEssentials
import Latency
import LoadEngine
import Results
import TextFormatting
import Transport
import WarmTask

/// `bench-verify`.
package struct VerifyCommand: BenchmarkCommand {
  package static let configuration = CommandConfiguration(
    commandName: VerifyBenchmark.tool,
    abstract: "Checks that the pool keeps its promises: fallback, resume, storm, isolation, churn.",
    discussion: """
      fallback   All warm tasks are taken; three users come at once. Each is served, or told why not. Afterwards the pool \
      is full again, and the next user's task is warm.
      resume     A user writes a file, the session ends, the user returns: to another task, and to the same file.
      storm      A user connects and leaves ten times in quick succession: one task at most is left to the user.
      isolation  Users look for one another's secrets, in files, links, processes and answers.
      churn      Users come and go while faults play: no task has two users, every request ends, the pool recovers.

      A violation is exit status 99, and the report shows what led to it. A check that cannot be tried is 'not tested', \
      with the reason; it never passes. One that is named by --check and cannot be tried is exit status 1.

      resume and isolation speak to 'session-stand-in --verbs' in the tasks: the embedded gateway's tasks run it; a remote \
      gateway's must be told to. A program of your own is asked by --remember and --recall.

      On a gateway that isn't on loopback, fallback and churn take warm tasks from real users: --confirm-drain with its \
      host name.

      Examples:
        bench-verify
        bench-verify --check resume,isolation --users 10
        bench-verify --check churn --faults task-death --duration 2m
        bench-verify --gateway-url https://gw.example --confirm-drain gw.example
        bench-verify --gateway-url wss://gw.example --check resume --end stop-task \\
          --cluster stage --service ai-shell-pool --confirm-stop ai-shell-pool
        bench-verify --gateway-url wss://gw.example --check resume \\
          --remember 'Remember the word {nonce}.' --recall 'Which word?' --expect '{nonce}'
        sudo bench-verify --check isolation --task-uids 10000-19999
      """,
    version: SuiteVersion.version)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "ECS (with --end stop-task)") var ecs: ECSOptions
  @OptionGroup(title: "Repetition") var repetition: RepeatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Scenario file") var scenario: ScenarioOptions

  @Option(
    help: ArgumentHelp(
      "Which checks: \(PoolCheck.allCases.map(\.rawValue).joined(separator: ", ")). (default: all that the target allows)",
      valueName: "list"))
  var check: String?

  @Option(help: ArgumentHelp("Users of the isolation check at one time. (default: 5)", valueName: "n"))
  var users: String?

  @Option(help: ArgumentHelp("How often resume, storm and isolation are made. (default: 1)", valueName: "n"))
  var rounds: String?

  @Option(
    help: ArgumentHelp(
      "How long a user who returns stays away. (default: 0s, 1s, and while the first task stops)", valueName: "d"))
  var gap: String?

  @Option(
    help: ArgumentHelp(
      "How the first session of a user who returns ends: disconnect, stop-task or idle. (default: disconnect)",
      valueName: "way"),
    completion: .list(VerifySettings.End.allCases.map(\.rawValue)))
  var end: String?

  @Option(help: ArgumentHelp("How often users come to the churn, such as 5/s. (default: 5/s)", valueName: "rate"))
  var rate: String?

  @Option(help: ArgumentHelp("How long they come. (default: 10s)", valueName: "d"))
  var duration: String?

  @Option(help: ArgumentHelp("How long the pool may take until it is full again. (default: 30s)", valueName: "d"))
  var recovery: String?

  @Option(
    help: ArgumentHelp(
      "Embedded gateway: the faults that play during the churn, a preset, a list or a file (docs/faults.md).",
      valueName: "spec"))
  var faults: String?

  @Option(
    help: ArgumentHelp("Embedded gateway, as root: a uid for each user, of this range.", valueName: "from-to"))
  var taskUids: String?

  @Option(
    help: ArgumentHelp(
      "resume, with a program of your own: the line by which it is told {nonce}. With --recall.", valueName: "line"))
  var remember: String?

  @Option(help: ArgumentHelp("The line that asks for it.", valueName: "line"))
  var recall: String?

  @Option(
    help: ArgumentHelp(
      "A regular expression that the answer to --recall holds a match of. (default: {nonce})", valueName: "regex"))
  var expect: String?

  @Option(
    help: ArgumentHelp(
      "The host name of a gateway that isn't on loopback, to confirm that warm tasks are taken.", valueName: "host"))
  var confirmDrain: [String] = []

  @Option(
    help: ArgumentHelp(
      "The service's exact name, to confirm that its tasks are stopped by --end stop-task.", valueName: "service"))
  var confirmStop: String?

  @Option(help: ArgumentHelp("Bound of one request. (default: 30s)", valueName: "d"))
  var timeout: String?

  @Option(
    name: .customLong("user-id"),
    help: ArgumentHelp(
      "What the users' ids begin with. (default: test-user-xxxx, of host and user)", valueName: "prefix"))
  var userID: String?

  @Option(
    help: ArgumentHelp(
      "Makes the churn's arrivals reproducible; recorded in the result. (default: random)", valueName: "n"))
  var seed: String?

  package init() {}

  private static let usualUsers = 5

  package func prepare(_ reader: inout OptionReader) -> PreparedRun {
    let hasGatewayURL = reader.value("--gateway-url", target.gatewayURL, environment: ["GATEWAY_URL"]) != nil
    var target = reader.target(target)
    if target.second != nil {
      reader.problems.add("--ab-gateway-url", "verify one gateway after the other: leave it out")
    }
    var settings = VerifySettings(
      checks: checks(&reader), isAskedByName: check != nil, userIDPrefix: reader.userIDPrefix(userID),
      seed: reader.seed(seed))
    settings.users = reader.integer("--users", users, default: Self.usualUsers, in: 2...100)
    makeRoom(forUsers: settings.users, in: &target)
    settings.rounds = reader.integer("--rounds", rounds, default: settings.rounds, in: 1...1_000)
    settings.gap = reader.optionalDuration("--gap", gap)
    let ways = VerifySettings.End.allCases.map(\.rawValue)
    settings.end = VerifySettings.End(rawValue: reader.choice("--end", end, of: ways, default: ways[0])) ?? .disconnect
    settings.rate = reader.rate(rate) ?? settings.rate
    settings.duration = reader.duration("--duration", duration, default: settings.duration, minimum: .seconds(1))
    settings.recovery = reader.duration("--recovery", recovery, default: settings.recovery, minimum: .milliseconds(1))
    settings.timeout = reader.duration("--timeout", timeout, default: settings.timeout, minimum: .milliseconds(1))
    settings.lines = lines(&reader)
    (settings.faults, settings.playsECSFaults) = faults(target, &reader)
    settings.taskUids = taskUids(target, &reader)
    settings.ecs = stopping(settings, hasGatewayURL: hasGatewayURL, &reader)
    confirmDrain(target, &settings, &reader)
    refuseWhatNoCheckUses(settings, &reader)
    var output = reader.output(output)
    // The verdict is about what must hold. A busy generator makes times longer, and no task appear twice.
    output.allowsSaturated = true
    settings.timeline = output.formats.contains(where: \.drawsTimeline) ? .seconds(1) : nil
    let benchmark = VerifyBenchmark(target: target, settings: settings)
    return PreparedRun(
      benchmark, runs: reader.runs(repetition, seed: settings.seed, isSeedGiven: seed != nil, target: target),
      output: output, thresholds: reader.thresholds(self.output, for: benchmark, replaceDefaults: true))
  }

  /// The embedded gateway has room for all users of a check at one time, unless the user has set its limit.
  private func makeRoom(forUsers users: Int, in target: inout TargetSettings) {
    guard case .embedded(var embedded) = target.gateway, self.target.maxTasks == nil else { return }
    embedded.maxTasks = max(embedded.maxTasks, users + 2 * embedded.poolSize)
    target.gateway = .embedded(embedded)
  }

  private func checks(_ reader: inout OptionReader) -> Set<PoolCheck> {
    guard let check else { return Set(PoolCheck.allCases) }
    var checks: Set<PoolCheck> = []
    for name in check.split(separator: ",", omittingEmptySubsequences: false) {
      if let check = PoolCheck(rawValue: String(name)) {
        checks.insert(check)
      } else {
        let known = PlainText.list(PoolCheck.allCases.map(\.rawValue))
        reader.problems.add("--check", "'\(name.prefix(40))' is unknown: write \(known), with commas between several")
      }
    }
    return checks
  }

  private func lines(_ reader: inout OptionReader) -> UserLines? {
    if expect != nil, recall == nil {
      reader.problems.add("--expect", "it is about the answer to --recall: give that too")
    }
    if (remember == nil) != (recall == nil) {
      let (given, missing) = remember == nil ? ("--recall", "--remember") : ("--remember", "--recall")
      reader.problems.add(given, "give \(missing) too")
    }
    for (option, line) in [("--remember", remember), ("--recall", recall)] {
      guard let line, line.isEmpty || line.utf8.count > 8192 || line.contains(where: \.isNewline) else { continue }
      reader.problems.add(option, "write one line of 1 to 8192 bytes")
    }
    if let remember, !remember.contains("{nonce}") {
      reader.problems.add("--remember", "write {nonce} where the secret is to stand")
    }
    if let recall, recall.contains("{nonce}") {
      reader.problems.add("--recall", "a program that echoes would tell the secret: leave {nonce} out")
    }
    if let expect, expect.isEmpty || expect.utf8.count > AnswerPattern.longest || (try? AnswerPattern(expect)) == nil {
      reader.problems.add(
        "--expect", "'\(expect.prefix(80))' is no regular expression of 1 to \(AnswerPattern.longest) bytes")
    }
    if let expect, !expect.contains("{nonce}") {
      reader.problems.add("--expect", "without {nonce} it would match an answer that recalls nothing: write it there")
    }
    guard let remember, let recall else { return nil }
    return UserLines(remember: remember, recall: recall, expect: expect)
  }

  /// The text of the faults: a file where the value has a slash or ends in `.json`.
  private func faults(_ target: TargetSettings, _ reader: inout OptionReader) -> (text: String?, areOfECS: Bool) {
    guard var text = faults else { return (nil, false) }
    if case .remote = target.gateway {
      reader.problems.add("--faults", "only the embedded gateway's faults can be played: leave --gateway-url out")
    }
    if text.hasSuffix(".json") || (text.contains("/") && FileManager.default.fileExists(atPath: text)) {
      guard let data = FileManager.default.contents(atPath: text) else {
        reader.problems.add("--faults", "the file '\(text.prefix(200))' can't be read")
        return (nil, false)
      }
      text = String(decoding: data, as: UTF8.self)
    }
    do throws(FaultSpecificationError) {
      let plan = try InjectedFaults(parsing: text)
      return (text, plan.rules.contains { $0.kind.isOfECS })
    } catch {
      for problem in error.problems { reader.problems.add("--faults", problem) }
    }
    return (text, false)
  }

  private func taskUids(_ target: TargetSettings, _ reader: inout OptionReader) -> String? {
    guard let taskUids else { return nil }
    if case .remote = target.gateway {
      reader.problems.add("--task-uids", "it is for the embedded gateway's tasks: leave it out, or --gateway-url")
    }
    guard let range = UserIDRange(taskUids) else {
      reader.problems.add("--task-uids", "'\(taskUids.prefix(40))' is wrong: write \(UserIDRange.rule)")
      return nil
    }
    if let refusal = range.refusal { reader.problems.add("--task-uids", refusal) }
    return taskUids
  }

  /// The ECS that stops tasks of a remote gateway's pool, confirmed by its name.
  private func stopping(
    _ settings: VerifySettings, hasGatewayURL: Bool, _ reader: inout OptionReader
  ) -> ECSSettings? {
    guard settings.end == .stopTask, settings.checks.contains(.resume) else {
      if confirmStop != nil { reader.problems.add("--confirm-stop", "it is for --end stop-task: leave it out") }
      return nil
    }
    let ecs = reader.ecs(ecs, hasGatewayURL: hasGatewayURL)
    guard hasGatewayURL else {
      if confirmStop != nil { reader.problems.add("--confirm-stop", "the embedded gateway needs none: leave it out") }
      if let ecs { reader.problems.add("--end", "the embedded gateway's tasks are in its own ECS: \(ecs.remedy)") }
      return nil
    }
    guard let ecs, let name = ecs.filter.serviceName else {
      reader.problems.add("--end", "tasks are stopped through ECS: give --cluster and --service")
      return nil
    }
    if let confirmStop, confirmStop != name {
      reader.problems.add("--confirm-stop", "'\(confirmStop)' is not '\(name)', whose tasks would be stopped")
    } else if confirmStop == nil {
      reader.problems.add(
        "--confirm-stop", "stopping a task ends its session: confirm it with --confirm-stop \(name)")
    }
    return ecs
  }

  private func confirmDrain(
    _ target: TargetSettings, _ settings: inout VerifySettings, _ reader: inout OptionReader
  ) {
    guard let gateway = reader.unconfirmedDrains(of: target, confirmed: confirmDrain).first else { return }
    // More users than usual take tasks that other users would get.
    let draining = settings.checks.filter { $0.drains || $0 == .isolation && settings.users > Self.usualUsers }
    if settings.isAskedByName {
      if !draining.isEmpty { reader.problems.addUnconfirmedDrain(of: gateway.host) }
    } else {
      for check in draining {
        settings.leftOut[check] =
          "it takes warm tasks from the users of \(gateway.host): confirm that with --confirm-drain \(gateway.host)"
      }
    }
  }

  /// Refuses options that no chosen check uses: the user may believe that they did something.
  private func refuseWhatNoCheckUses(_ settings: VerifySettings, _ reader: inout OptionReader) {
    let uses: [(String, Bool, Set<PoolCheck>)] = [
      ("--users", users != nil, [.isolation]), ("--rounds", rounds != nil, [.resume, .storm, .isolation]),
      ("--gap", gap != nil, [.resume]), ("--end", end != nil, [.resume]), ("--rate", rate != nil, [.churn]),
      ("--duration", duration != nil, [.churn]), ("--faults", faults != nil, [.churn]),
      ("--remember", remember != nil, [.resume]), ("--recovery", recovery != nil, [.fallback, .storm, .churn]),
      ("--task-uids", taskUids != nil, [.resume, .isolation]),
    ]
    for (option, isGiven, checks) in uses
    where isGiven && settings.checks.isDisjoint(with: checks) && !settings.checks.isEmpty {
      let names = PoolCheck.allCases.filter(checks.contains).map(\.rawValue)
      reader.problems.add(option, "it is for \(PlainText.list(names, "and")): leave it out, or name that in --check")
    }
  }
}
