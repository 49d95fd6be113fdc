package import ArgumentParser
import Gateway
import Latency
import ProcessControl
import Results
import TextFormatting

/// `bench-e2e`.
package struct EndToEndCommand: BenchmarkCommand {
  package static let configuration = CommandConfiguration(
    commandName: EndToEndBenchmark.tool,
    abstract: "A user's whole way, to the first answer of the user's process (tests 2.2 and 2.3).",
    discussion: """
      Goes through the gateway's /session/{userId}. Where the gateway has none, and with --agents, the phases are seen \
      from inside the agents; with neither, readiness is taken from its status. Phases that cannot be seen are absent.

      With --cold-by run-task each iteration begins with a task of its own: RunTask, PENDING to RUNNING (by \
      DescribeTasks), until it is connected (by the gateway's status), then the user's way. The tasks, as many as there \
      are iterations, cost what the cluster's tasks cost and are stopped afterwards; one that the gateway has given to \
      somebody else meanwhile is left to it.

      The answer to the user's message is the first line of the user's program that was begun after the message was sent. \
      Where a program says things unasked, such as a banner that may come late, --expect names what an answer looks like: \
      the first line that holds a match of this regular expression is taken, whatever comes before it.

      Examples:
        bench-e2e
        bench-e2e --gateway-url ws://localhost:5174 --user-id test-user-001
        bench-e2e --command 'optima headless' --message 'hello' --count 20
        bench-e2e --gateway-url ws://localhost:5174 --expect '^Answer: '
        bench-e2e --gateway-url http://127.0.0.1:5174 --agents 5
        bench-e2e --gateway-url ws://localhost:5174 --rate 10/s --duration 1m
        bench-e2e --rate 5/s --duration 8h --soak --idle-sessions 3
        bench-e2e --cold-by run-task --task-start-delay 2s
        bench-e2e --gateway-url wss://gw.example --cold-by run-task \\
          --cluster stage --task-definition ai-shell --subnets subnet-1,subnet-2
      """,
    version: SuiteVersion.version)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Load (default count: 5)") var load: LoadOptions
  @OptionGroup(title: "Arrivals") var arrivals: ArrivalOptions
  @OptionGroup(title: "Parts of a load") var shard: ShardOptions
  @OptionGroup(title: "Cold starts") var coldStarts: RunTaskOptions
  @OptionGroup(title: "Soak") var soak: SoakOptions
  @OptionGroup(title: "Repetition") var repetition: RepeatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Scenario file") var scenario: ScenarioOptions

  @Option(
    help: ArgumentHelp(
      "What a task runs for its user, split into words without a shell. (default: a stand-in that echoes)",
      valueName: "command"))
  var command: String?

  @Option(help: ArgumentHelp("The user's first message, one line. (default: hello)", valueName: "text"))
  var message: String?

  @Option(
    help: ArgumentHelp(
      "What an answer to the message looks like: a regular expression that a line of the user's program holds a match of. (default: any line)",
      valueName: "regex"))
  var expect: String?

  @Option(
    help: ArgumentHelp(
      "Messages that a user sends over one session, each after the answer to the one before and --think-time. (default: 1)",
      valueName: "n"))
  var messages: String?

  @Option(
    help: ArgumentHelp(
      "How long a session is then held without a message, kept alive by the pings of the gateway's profile.",
      valueName: "d"))
  var holdSessions: String?

  @Option(
    help: ArgumentHelp(
      "Sessions beside the load that are open for the whole run and silent for --idle-gap at a time, without pings.",
      valueName: "n"))
  var idleSessions: String?

  @Option(
    help: ArgumentHelp(
      "How long an idle session is silent before its next message; balancers cut at 60 s. (default: 65s)",
      valueName: "d"))
  var idleGap: String?

  @Option(
    help: ArgumentHelp(
      "Cut each session's connection after-ready or mid-answer, and go back to the session: 'recovery'.",
      valueName: "when"))
  var reconnect: String?

  @Option(
    help: ArgumentHelp(
      "Print a built-in gateway profile (\(PlainText.list(BuiltInProfiles.names))) and end.", valueName: "name"))
  var printProfile: String?

  package init() {}

  package func textInsteadOfARun(_ reader: inout OptionReader) -> String? {
    guard let printProfile else { return nil }
    if let text = BuiltInProfiles.text(of: printProfile) { return text }
    reader.problems.add(
      "--print-profile", "there is no profile '\(printProfile)': write \(PlainText.list(BuiltInProfiles.names))")
    return nil
  }

  package func prepare(_ reader: inout OptionReader) -> PreparedRun {
    let loadSettings = reader.load(load, arrivals, defaultCount: 5)
    let runTask = reader.runTask(coldStarts, beside: target)
    let idle = idlePlan(&reader, length: loadSettings.length)
    var settings = reader.target(target, for: runTask, users: loadSettings.users, keepsPool: false)
    settings.makeRoom(forIdle: idle?.sessions ?? 0, hasOwnLimit: target.maxTasks != nil)
    refuseWhatTheProfileLacks(settings, &reader)
    if runTask != nil {
      reader.refuseUnbounded([
        ("--rate", arrivals.rate != nil), ("--stages", arrivals.stages != nil),
        ("--duration", load.duration != nil && load.count == nil),
      ])
      reader.refuseCrowd("--concurrency", loadSettings.users)
    }
    var benchmark = EndToEndBenchmark(
      target: settings, load: loadSettings, command: command,
      commandWords: commandWords(settings, &reader), message: message(&reader),
      expect: expectation(settings, &reader), runTask: runTask)
    benchmark.messages = reader.integer("--messages", messages, default: 1, in: 1...100_000)
    benchmark.holdSessions = reader.optionalDuration("--hold-sessions", holdSessions, minimum: .milliseconds(1))
    benchmark.reconnect = reconnection(settings, &reader)
    benchmark.idle = idle
    if runTask != nil, soak.soak {
      reader.refuse(
        "--soak", "a soak watches a pool, and --cold-by run-task starts a task for each iteration: leave one out")
    }
    benchmark.soak = reader.soak(soak, loadSettings, isLoadBounded: load.duration != nil || arrivals.stages != nil)
    reader.shard(
      shard, &benchmark.load, &benchmark.target,
      UndividedOptions(
        load: load, repetition: repetition,
        others: [
          ("--cold-by", runTask != nil), ("--soak", soak.soak), ("--idle-sessions", idle != nil),
          // The phases of a session are seen by the process that has its agent.
          ("--agents", settings.agents > 0),
        ]))
    let output = reader.output(output)
    benchmark.load.addTimeline(for: output)
    return PreparedRun(
      benchmark, second: benchmark.ofSecondGateway,
      runs: reader.runs(repetition, seed: benchmark.load.seed, isSeedGiven: load.seed != nil, target: benchmark.target),
      output: output, thresholds: reader.thresholds(self.output, for: benchmark))
  }

  /// Refuses options for which the profile that the user named lacks a part. A profile that the tool finds out itself
  /// is checked later.
  private func refuseWhatTheProfileLacks(_ settings: TargetSettings, _ reader: inout OptionReader) {
    guard let profile = settings.profile else { return }
    if profile.session == nil, profile.acquire == nil {
      reader.problems.add(
        "--gateway-profile", "'\(profile.name)' has neither 'session' nor 'acquire': one is needed here")
    }
    if profile.session == nil, profile.status == nil, settings.agents == 0 {
      reader.problems.add(
        "--gateway-profile",
        "'\(profile.name)' has neither 'session' nor 'status': readiness cannot be seen without --agents")
    }
    let isAsked = [
      ("--messages", messages), ("--hold-sessions", holdSessions), ("--reconnect", reconnect),
      ("--idle-sessions", idleSessions),
    ]
    for (name, value) in isAsked where value != nil && profile.session == nil {
      reader.problems.add(name, "the profile '\(profile.name)' has no 'session', which is needed for it")
    }
  }

  /// - Parameter length: How long the load goes on; nil where it is not known before.
  private func idlePlan(_ reader: inout OptionReader, length: Nanoseconds?) -> IdleSessions.Plan? {
    let gap = reader.duration("--idle-gap", idleGap, default: .seconds(65), minimum: .milliseconds(100))
    guard idleSessions != nil else {
      if idleGap != nil {
        reader.refuse("--idle-gap", "it is of idle sessions: give --idle-sessions too, or leave it out")
      }
      return nil
    }
    // A run without one whole silence would meet 'idle_sessions_lost == 0' without having tried anything.
    if let length, length < gap + .seconds(1) {
      let needed = DurationText.write(gap + .seconds(1))
      reader.refuse(
        "--idle-sessions",
        "the run is over before a silence is: give a --duration of at least \(needed), or a shorter --idle-gap")
    }
    return .init(sessions: reader.integer("--idle-sessions", idleSessions, default: 1, in: 1...1000), gap: gap)
  }

  private func reconnection(
    _ settings: TargetSettings, _ reader: inout OptionReader
  ) -> EndToEndBenchmark.Reconnect? {
    guard let reconnect else { return nil }
    guard let when = EndToEndBenchmark.Reconnect(rawValue: reconnect) else {
      let names = EndToEndBenchmark.Reconnect.allCases.map(\.rawValue)
      reader.problems.add("--reconnect", "'\(reconnect)' is unknown: write \(PlainText.list(names))")
      return nil
    }
    // A profile that the tool finds out itself has no way back to a session.
    if settings.profile?.session?.returning == nil {
      reader.problems.add(
        "--reconnect", "it needs a --gateway-profile whose 'session' has a 'return', the way back to a session")
    }
    if when == .midAnswer, let session = settings.profile?.session, !session.isStreamed {
      reader.problems.add(
        "--reconnect", "'mid-answer' needs a profile whose 'session' has a 'done', the end of an answer")
    }
    return when
  }

  private func commandWords(_ settings: TargetSettings, _ reader: inout OptionReader) -> [String] {
    guard let command else { return [] }
    if settings.profile?.session?.isStreamed ?? false {
      reader.problems.add(
        "--command", "the stand-in for a gateway that streams runs a program of its own: leave it out")
    }
    if case .remote = settings.gateway, settings.agents == 0 {
      reader.problems.add("--command", "a remote gateway's tasks run what they run: leave it out, or give --agents")
    }
    do {
      return try ShellWords.split(command)
    } catch {
      reader.problems.add("--command", "\(error)")
      return []
    }
  }

  private func expectation(_ settings: TargetSettings, _ reader: inout OptionReader) -> String? {
    guard let expect else { return nil }
    if let session = settings.profile?.session, !session.first.isAny {
      reader.problems.add(
        "--expect", "answers of this profile are JSON: its 'first' tells them; leave --expect out")
    } else if expect.isEmpty {
      reader.problems.add(
        "--expect", "an empty pattern is in every line: write what an answer looks like, or leave it out")
    } else if expect.utf8.count > AnswerPattern.longest {
      reader.problems.add("--expect", "write at most \(AnswerPattern.longest) bytes")
    } else {
      do { _ = try AnswerPattern(expect) } catch {
        reader.problems.add("--expect", "'\(expect.prefix(80))' is no regular expression: \(error)")
      }
    }
    return expect
  }

  private func message(_ reader: inout OptionReader) -> String {
    let message = message ?? "hello"
    if message.isEmpty || message.utf8.count > 8192 || message.contains(where: \.isNewline) {
      reader.problems.add("--message", "write one line of 1 to 8192 bytes")
    }
    return message
  }
}
