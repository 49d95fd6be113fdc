package import ArgumentParser
import Transport

/// `bench-exhaustion`.
package struct ExhaustionCommand: SuiteCommand {
  /// The help.
  package static let configuration = CommandConfiguration(
    commandName: ExhaustionBenchmark.tool,
    abstract: "Drains the pool, measures the cold fallback, and times the refill (test 3.2).",
    discussion: """
      All warm tasks are acquired in one burst (drain). One more user comes to the empty pool (cold_fallback). The drained \
      tasks are released at once, without waiting for the cold start, and the pool is polled until as many tasks that were \
      not there before are there as were drained: listed by ECS (they may still be pending), RUNNING by ECS, warm by \
      the gateway. refill_full is by the strictest view there is. Times run from the answer to the last release (with \
      --release at-end: to the last drain call) to the answer of the first poll that shows it; the resolution is reported.

      The cold fallback's own task serves a user: it never counts as refilled. On a pool that serves such a user from its \
      refill instead of starting a task apart, the refill is complete only when that task is replaced too: there \
      --no-cold-fallback times the refill alone.

      Draining takes tasks from real users: a gateway that isn't on loopback needs --confirm-drain with its host name.

      Without ECS options the embedded gateway's own ECS endpoint is polled; beside a remote gateway, none.

      Examples:
        bench-exhaustion
        bench-exhaustion --pool-size 10 --task-start-delay 2s --poll-interval 100ms
        bench-exhaustion --gateway-url https://gw.example \\
          --confirm-drain gw.example --cluster stage --service ai-shell-pool \\
          --region eu-west-1 --refill-timeout 10m
      """,
    version: Suite.version)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "ECS") var ecs: ECSOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Scenario file") var scenario: ScenarioOptions

  @Option(help: ArgumentHelp("How the pool is drained: acquire. (default: acquire)", valueName: "way"))
  var drainBy: String?

  @Option(help: ArgumentHelp("How many tasks to drain. (default: all that are warm)", valueName: "k"))
  var drainCount: String?

  @Option(
    help: ArgumentHelp(
      "When drained tasks are given back: after-drain or at-end. (default: after-drain)",
      valueName: "moment"))
  var release: String?

  @Flag(help: "Don't send another user to the empty pool.")
  var noColdFallback = false

  @Option(
    help: ArgumentHelp("The host name of a gateway that isn't on loopback, to confirm the drain.", valueName: "host"))
  var confirmDrain: String?

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
    help: ArgumentHelp("What the users' ids begin with. (default: test-user)", valueName: "prefix"))
  var userID: String?

  /// Parsed by `ArgumentParser`.
  package init() {}

  package func prepare(_ reader: inout OptionReader) -> PreparedRun {
    let hasGatewayURL = reader.value("--gateway-url", target.gatewayURL, environment: ["GATEWAY_URL"]) != nil
    let target = reader.target(target)
    let ecs = reader.ecs(ecs, hasGatewayURL: hasGatewayURL)
    if ecs != nil, !hasGatewayURL {
      reader.problems.add(
        "--gateway-url",
        "with ECS options no embedded gateway is started, and a pool is drained through its gateway: "
          + "give the gateway's URL, or leave --cluster, --ecs-endpoint-url and the other ECS options out")
    }
    checkConfirmation(target, &reader)
    _ = reader.choice("--drain-by", drainBy, of: ["acquire"], default: "acquire")
    let moments = ExhaustionBenchmark.Release.allCases.map(\.rawValue)
    let release = reader.choice("--release", release, of: moments, default: "after-drain")
    let benchmark = ExhaustionBenchmark(
      target: target, ecs: ecs, userIDPrefix: reader.userIDPrefix(userID),
      timeout: reader.duration("--timeout", timeout, default: 30_000_000_000, minimum: 1_000_000),
      drainCount: drainCount(of: target, &reader),
      release: ExhaustionBenchmark.Release(rawValue: release) ?? .afterDrain,
      triesColdFallback: !noColdFallback, pollInterval: pollInterval(isRealECS: ecs != nil, &reader),
      refillTimeout: reader.duration(
        "--refill-timeout", refillTimeout, default: 300_000_000_000, minimum: 1_000_000))
    return PreparedRun(benchmark, output: reader.output(output), thresholds: reader.thresholds(output, for: benchmark))
  }

  private func checkConfirmation(_ target: TargetSettings, _ reader: inout OptionReader) {
    switch target.gateway {
    case .embedded:
      if confirmDrain != nil {
        reader.problems.add("--confirm-drain", "the embedded gateway needs none: leave it out, or give --gateway-url")
      }
    case .remote(let endpoint):
      if let confirmDrain, confirmDrain.lowercased() != endpoint.host.lowercased() {
        reader.problems.add("--confirm-drain", "'\(confirmDrain)' is not the gateway's host, '\(endpoint.host)'")
      } else if confirmDrain == nil, !endpoint.isLoopback {
        reader.problems.add(
          "--confirm-drain",
          "draining takes tasks from the users of this gateway: confirm it with --confirm-drain \(endpoint.host)")
      }
    }
  }

  private func drainCount(of target: TargetSettings, _ reader: inout OptionReader) -> Int? {
    let count = reader.optionalInteger("--drain-count", drainCount, in: 1...10_000)
    if let count, case .embedded(let embedded) = target.gateway, count > embedded.poolSize {
      reader.problems.add(
        "--drain-count", "\(count) is more than the pool has, \(embedded.poolSize): give --pool-size too")
    }
    return count
  }

  /// ListTasks and DescribeTasks share a bucket of 100 calls, refilled at 20 a second.
  private func pollInterval(isRealECS: Bool, _ reader: inout OptionReader) -> UInt64 {
    let interval = reader.duration("--poll-interval", pollInterval, default: 500_000_000, minimum: 10_000_000)
    if isRealECS, interval < 200_000_000, !forcePollInterval {
      reader.problems.add(
        "--poll-interval",
        "more than 5 polls a second can exhaust the account's ECS quota: write at least 200ms, or add --force-poll-interval"
      )
    }
    return interval
  }
}
