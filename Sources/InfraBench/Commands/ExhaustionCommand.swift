package import ArgumentParser
import AWS
import Latency
import Transport
import Results
import TextFormatting

/// `bench-exhaustion`.
package struct ExhaustionCommand: BenchmarkCommand {
  package static let configuration = CommandConfiguration(
    commandName: ExhaustionBenchmark.tool,
    abstract: "Drains the pool, measures the cold fallback, and times the refill (test 3.2).",
    discussion: """
      All warm tasks are acquired in one burst (drain). One more user comes to the empty pool (cold_fallback). The drained \
      tasks are released at once, without waiting for the cold start, and the pool is polled until as many tasks that were \
      not there before are there as were drained: listed by ECS (they may still be pending), RUNNING by ECS, warm by \
      the gateway. refill_full is by the strictest view there is. Times run from the answer to the last release (with \
      --release at-end: to the last drain call) to the answer of the first poll that shows it; the resolution is reported.

      With --drain-by stop-tasks ECS ends the tasks instead (StopTask), and times run from the last such call's answer. It \
      needs no gateway. It ends real sessions: --confirm-stop must name the service. Tasks are stopped only in a pool at \
      rest: the service is ACTIVE, no deployment is in progress, and as many tasks run as it keeps. A desiredCount that \
      somebody lowers during the run stays so, unless --restore-desired-count is given; one that was raised always does.

      The cold fallback's own task serves a user: it never counts as refilled. On a pool that serves such a user from its \
      refill instead of starting a task apart, the refill is complete only when that task is replaced too: there \
      --no-cold-fallback times the refill alone.

      On a pool that an ECS service keeps an assigned task stays RUNNING, and nothing is replaced until it is released.

      Draining takes tasks from real users: a gateway that isn't on loopback needs --confirm-drain with its host name.

      Without ECS options the embedded gateway's own ECS endpoint is polled; beside a remote gateway, none. docs/aws.md has \
      the permissions that a run needs.

      Examples:
        bench-exhaustion
        bench-exhaustion --pool-size 10 --task-start-delay 2s --poll-interval 100ms
        bench-exhaustion --gateway-url https://gw.example \\
          --confirm-drain gw.example --cluster stage --service ai-shell-pool \\
          --region eu-west-1 --refill-timeout 10m
        bench-exhaustion --drain-by stop-tasks --confirm-stop ai-shell-pool \\
          --cluster stage --service ai-shell-pool --cycles 5 --settle 30s
      """,
    version: SuiteVersion.version)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "ECS") var ecs: ECSOptions
  @OptionGroup(title: "Repetition") var repetition: RepeatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Scenario file") var scenario: ScenarioOptions

  @Option(
    help: ArgumentHelp("How the pool is drained: acquire or stop-tasks. (default: acquire)", valueName: "way"),
    completion: .list(ExhaustionBenchmark.DrainBy.allCases.map(\.rawValue)))
  var drainBy: String?

  @Option(
    help: ArgumentHelp(
      "How many tasks to drain. (default: all that are warm; with stop-tasks: all that run)", valueName: "k"))
  var drainCount: String?

  @Option(
    help: ArgumentHelp(
      "The service's exact name (or --family's, --started-by's), to confirm that its tasks are stopped.",
      valueName: "service"))
  var confirmStop: String?

  @Flag(
    help: """
      Put the service's desiredCount back where somebody lowered it during the run; never of a service that isn't ACTIVE.
      """)
  var restoreDesiredCount = false

  @Option(help: ArgumentHelp("How often the pool is drained and refilled. (default: 1)", valueName: "n"))
  var cycles: String?

  @Option(help: ArgumentHelp("How long the pool must be at rest before a drain. (default: 0s)", valueName: "d"))
  var settle: String?

  @Option(
    help: ArgumentHelp(
      "When drained tasks are given back: after-drain or at-end. (default: after-drain)",
      valueName: "moment"), completion: .list(ExhaustionBenchmark.Release.allCases.map(\.rawValue)))
  var release: String?

  @Flag(help: "Don't send another user to the empty pool.")
  var noColdFallback = false

  @Option(
    help: ArgumentHelp(
      "The host name of a gateway that isn't on loopback, to confirm the drain; repeatable, for two gateways.",
      valueName: "host"))
  var confirmDrain: [String] = []

  @Option(
    help: ArgumentHelp("Between two polls: the resolution of every refill time. (default: 500ms)", valueName: "d"))
  var pollInterval: String?

  @Flag(help: "Poll a real ECS more often than every 200 ms, which can exhaust the account's quota.")
  var forcePollInterval = false

  @Option(help: ArgumentHelp("How long the refill may take. (default: 5m)", valueName: "d"))
  var refillTimeout: String?

  @Option(
    help: ArgumentHelp(
      "Bound of one acquire, and of the wait for a full pool before the drain. (default: 30s)",
      valueName: "d"))
  var timeout: String?

  @Option(
    name: .customLong("user-id"),
    help: ArgumentHelp(
      "What the users' ids begin with. (default: test-user-xxxx, of host and user)", valueName: "prefix"))
  var userID: String?

  package init() {}

  package func prepare(_ reader: inout OptionReader) -> PreparedRun {
    let hasGatewayURL = reader.value("--gateway-url", target.gatewayURL, environment: ["GATEWAY_URL"]) != nil
    let target = reader.target(target, needs: [.status, .acquire])
    let ecs = reader.ecs(ecs, hasGatewayURL: hasGatewayURL)
    let ways = ExhaustionBenchmark.DrainBy.allCases
    let drainBy =
      ExhaustionBenchmark.DrainBy(
        rawValue: reader.choice("--drain-by", drainBy, of: ways.map(\.rawValue), default: "acquire")) ?? .acquire
    // With ECS options no embedded gateway is started.
    let usesGateway = hasGatewayURL || ecs == nil
    refuseSecondGateway(of: drainBy, ecs, &reader)
    switch drainBy {
    case .acquire:
      if let ecs, !usesGateway {
        reader.problems.add(
          "--gateway-url",
          "with ECS options no embedded gateway is started, and a pool is drained through its gateway: give the "
            + "gateway's URL, or --drain-by stop-tasks, or \(ecs.remedy)")
      }
      checkDrainConfirmation(target, &reader)
      if restoreDesiredCount {
        reader.problems.add("--restore-desired-count", "it is for --drain-by stop-tasks: leave it out")
      }
    case .stopTasks:
      refuseGatewayDrainOptions(&reader)
      checkStopConfirmation(ecs, hasGatewayURL: hasGatewayURL, &reader)
    }
    if !usesGateway { refuseEmbeddedGatewayOptions(&reader) }
    let moments = ExhaustionBenchmark.Release.allCases.map(\.rawValue)
    let release = reader.choice("--release", release, of: moments, default: "after-drain")
    let benchmark = ExhaustionBenchmark(
      target: target, usesGateway: usesGateway, ecs: ecs, userIDPrefix: reader.userIDPrefix(userID),
      timeout: reader.duration("--timeout", timeout, default: .seconds(30), minimum: .milliseconds(1)),
      drainBy: drainBy, drainCount: drainCount(of: usesGateway ? target : nil, &reader),
      release: ExhaustionBenchmark.Release(rawValue: release) ?? .afterDrain,
      triesColdFallback: !noColdFallback, restoresDesiredCount: restoreDesiredCount,
      cycles: reader.integer("--cycles", cycles, default: 1, in: 1...1_000),
      settle: reader.duration("--settle", settle, default: 0),
      pollInterval: pollInterval(isRealECS: ecs != nil, &reader),
      refillTimeout: reader.duration(
        "--refill-timeout", refillTimeout, default: .seconds(300), minimum: .milliseconds(1)))
    return PreparedRun(
      benchmark, second: benchmark.ofSecondGateway, runs: reader.runs(repetition, target: target),
      output: reader.output(output), thresholds: reader.thresholds(output, for: benchmark))
  }

  private func drainCount(of target: TargetSettings?, _ reader: inout OptionReader) -> Int? {
    let count = reader.optionalInteger("--drain-count", drainCount, in: 1...10_000)
    if let count, case .embedded(let embedded)? = target?.gateway, count > embedded.poolSize {
      reader.problems.add(
        "--drain-count", "\(count) is more than the pool has, \(embedded.poolSize): give --pool-size too")
    }
    return count
  }

  /// The poll interval. ListTasks and DescribeTasks share a bucket of 100 calls, refilled at 20 a second.
  private func pollInterval(isRealECS: Bool, _ reader: inout OptionReader) -> Nanoseconds {
    let interval = reader.duration(
      "--poll-interval", pollInterval, default: .milliseconds(500), minimum: .milliseconds(10))
    if isRealECS, interval < .milliseconds(200), !forcePollInterval {
      reader.problems.add(
        "--poll-interval",
        "more than 5 polls a second can exhaust the account's ECS quota: write at least 200ms, or add --force-poll-interval"
      )
    }
    return interval
  }
}

/// The confirmation that a drain needs, and the options that belong to one way of draining only.
extension ExhaustionCommand {
  func checkDrainConfirmation(_ target: TargetSettings, _ reader: inout OptionReader) {
    if confirmStop != nil { reader.problems.add("--confirm-stop", "it is for --drain-by stop-tasks: leave it out") }
    for gateway in reader.unconfirmedDrains(of: target, confirmed: confirmDrain) {
      reader.problems.addUnconfirmedDrain(of: gateway.host)
    }
  }

  /// Refuses a second gateway where the pool is drained or watched through ECS: ECS options name one pool only.
  func refuseSecondGateway(of drainBy: ExhaustionBenchmark.DrainBy, _ ecs: ECSSettings?, _ reader: inout OptionReader) {
    guard target.abGatewayURL != nil else { return }
    if drainBy == .stopTasks {
      reader.refuse("--ab-gateway-url", "stop-tasks drains through ECS, not through gateways: leave one of them out")
    } else if let ecs {
      reader.refuse(
        "--ab-gateway-url", "one pool's ECS says nothing about another gateway's: leave it out, or \(ecs.remedy)")
    }
  }

  /// Stopping tasks ends the sessions on them, so the user must name the pool twice.
  func checkStopConfirmation(_ ecs: ECSSettings?, hasGatewayURL: Bool, _ reader: inout OptionReader) {
    guard let ecs else {
      if hasGatewayURL {
        reader.problems.add("--drain-by", "tasks are stopped through ECS: give --cluster and --service")
      } else if confirmStop != nil {
        reader.problems.add("--confirm-stop", "the embedded gateway needs none: leave it out, or give --service")
      }
      return
    }
    guard let name = ecs.poolName, !name.isEmpty else {
      return reader.problems.add(
        "--service", "stop-tasks ends tasks: say which with --service, --family or --started-by")
    }
    if let confirmStop, confirmStop != name {
      reader.problems.add("--confirm-stop", "'\(confirmStop)' is not '\(name)', whose tasks would be stopped")
    } else if confirmStop == nil {
      reader.problems.add(
        "--confirm-stop",
        "stopping tasks ends their users' sessions: confirm it with --confirm-stop \(name) (what somebody changes of a "
          + "service's desiredCount meanwhile stays so, unless --restore-desired-count is given)")
    }
    if restoreDesiredCount, ecs.filter.serviceName == nil {
      reader.problems.add(
        "--restore-desired-count", "only a service has a desiredCount: give --service, or leave it out")
    }
  }

  func refuseGatewayDrainOptions(_ reader: inout OptionReader) {
    let given = [
      ("--release", release != nil), ("--no-cold-fallback", noColdFallback), ("--confirm-drain", !confirmDrain.isEmpty),
      ("--user-id", userID != nil),
    ]
    for (option, isGiven) in given where isGiven {
      reader.problems.add(option, "it is for --drain-by acquire: leave it out")
    }
  }

  func refuseEmbeddedGatewayOptions(_ reader: inout OptionReader) {
    let given = [
      ("--pool-size", target.poolSize), ("--max-tasks", target.maxTasks),
      ("--task-start-delay", target.taskStartDelay),
    ]
    for (option, value) in given where value != nil {
      reader.problems.add(option, "it is for the embedded gateway, and with ECS options none is started: leave it out")
    }
  }
}
