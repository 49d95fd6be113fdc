package import ArgumentParser
import Latency
import LoadEngine
import Results

/// `bench-api`.
package struct APICommand: BenchmarkCommand {
  package static let configuration = CommandConfiguration(
    commandName: APIBenchmark.tool,
    abstract: "The latency of ECS's ListTasks and DescribeTasks.",
    discussion: """
      Each iteration lists the pool's tasks and describes those that were listed, one call after another on one kept \
      connection: list_tasks and describe_tasks. The very first call, which also looks up the name and does the TCP \
      and TLS handshakes, is apart in first_call; so is any later call that had to connect again, because the server \
      had closed the connection (reconnects, …_new_connection). A listing of more than 100 tasks takes several calls, and \
      each is a sample. Nothing is tried again: a call that is throttled or lost is counted and has no latency.

      ListTasks and DescribeTasks share a quota of 20 calls a second with everybody else in the account and region: more \
      than 5 a second need --force-rate.

      Without ECS options the embedded gateway's own ECS endpoint is called, as fast as it answers.

      Examples:
        bench-api
        bench-api --cluster stage --service ai-shell-pool --region eu-west-1
        bench-api --cluster stage --family ai-shell --profile ops --iterations 100
        bench-api --region eu-west-1 --cluster stage \\
          --ecs-endpoint-url https://vpce-1.ecs.eu-west-1.vpce.amazonaws.com \\
          --threshold 'list_tasks.p95 < 300ms'
      """,
    version: SuiteVersion.version)

  @OptionGroup(title: "ECS") var ecs: ECSOptions
  @OptionGroup(title: "Repetition") var repetition: RepeatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Scenario file") var scenario: ScenarioOptions

  @Option(help: ArgumentHelp("How often the tasks are listed and described. (default: 10)", valueName: "n"))
  var iterations: String?

  @Option(
    help: ArgumentHelp(
      "Calls, at most: 5/s, 30/m. (default: 5/s; of the embedded gateway: as fast as it answers)", valueName: "r"))
  var rate: String?

  @Flag(help: "Call a real ECS more often than 5 times a second, which can exhaust the account's quota.")
  var forceRate = false

  @Option(help: ArgumentHelp("Bound of one call, counted as error 'timeout'. (default: 30s)", valueName: "d"))
  var timeout: String?

  @Option(help: ArgumentHelp("Embedded gateway: tasks to list and describe. (default: 5)", valueName: "n"))
  var poolSize: String?

  private static let usualRate = ArrivalRate(starts: 5, period: .seconds(1))

  package init() {}

  package func prepare(_ reader: inout OptionReader) -> PreparedRun {
    // `SERVICE` counts only beside a gateway's URL, as in bench-exhaustion: one environment then names one pool to both
    // tools.
    let ecs = reader.ecs(ecs, hasGatewayURL: reader.value("--gateway-url", nil, environment: ["GATEWAY_URL"]) != nil)
    if let ecs, poolSize != nil {
      reader.problems.add(
        "--pool-size",
        "it is for the embedded gateway, and with ECS options none is started: leave it out, or \(ecs.remedy)")
    }
    let poolSize = reader.integer("--pool-size", poolSize, default: 5, in: 1...1_000)
    let benchmark = APIBenchmark(
      ecs: ecs,
      embedded: EmbeddedGatewaySettings(poolSize: poolSize, maxTasks: 4 * poolSize, taskStartDelay: .milliseconds(1)),
      iterations: reader.integer("--iterations", iterations, default: 10, in: 1...1_000_000),
      rate: rate(isRealECS: ecs != nil, &reader),
      timeout: reader.duration("--timeout", timeout, default: .seconds(30), minimum: .milliseconds(1)))
    return PreparedRun(
      benchmark, runs: reader.runs(repetition), output: reader.output(output),
      thresholds: reader.thresholds(output, for: benchmark))
  }

  /// The arrival rate of calls. ListTasks and DescribeTasks share a bucket of 100 calls, refilled at 20 a second.
  private func rate(isRealECS: Bool, _ reader: inout OptionReader) -> ArrivalRate? {
    guard let rate else { return isRealECS ? Self.usualRate : nil }
    guard let parsed = RateText.parse(rate), parsed.starts > 0 else {
      reader.problems.add("--rate", "'\(rate.prefix(40))' is no rate: \(RateText.rule)")
      return nil
    }
    if isRealECS, parsed.perSecond > Self.usualRate.perSecond, !forceRate {
      reader.problems.add(
        "--rate",
        "more than 5 calls a second can exhaust the account's ECS quota: write at most 5/s, or add --force-rate")
    }
    return parsed
  }
}
