import AWS
import ArgumentParser
import Testing

@testable import InfraBench
@testable import Results

/// What `bench-exhaustion` takes and refuses before anything is started.
@Suite struct ExhaustionOptionsTests {
  /// As a machine with AWS tools has it; it names no pool.
  private static let region = ["AWS_REGION": "eu-west-1"]

  private func problems(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
    var reader = OptionReader(environment: Self.region.merging(environment) { $1 })
    _ = try ExhaustionCommand.parse(arguments).prepare(&reader)
    return reader.problems.description
  }

  private static let remote = ["--gateway-url", "http://gateway.example:5174"]
  private static let confirmed = remote + ["--confirm-drain", "gateway.example"]

  private static let right: [[String]] = [
    [],
    ["--pool-size", "3", "--drain-count", "3"],
    ["--poll-interval", "10ms"],
    ["--release", "at-end"],
    ["--drain-by", "acquire"],
    ["--gateway-url", "http://127.0.0.1:5174"],
    ["--gateway-url", "ws://localhost:5174", "--confirm-drain", "localhost"],
    confirmed,
    confirmed + ["--poll-interval", "50ms"],
    confirmed + ["--cluster", "c", "--service", "s", "--poll-interval", "200ms"],
    confirmed + ["--cluster", "c", "--poll-interval", "50ms", "--force-poll-interval"],
    ["--drain-by", "stop-tasks"],
    ["--drain-by", "stop-tasks", "--cycles", "3", "--settle", "1s", "--pool-size", "2", "--drain-count", "2"],
    stopping + ["--service", "s", "--confirm-stop", "s"],
    stopping + ["--service", "s", "--confirm-stop", "s", "--restore-desired-count"],
    stopping + ["--family", "f", "--confirm-stop", "f", "--drain-count", "500"],
    stopping + ["--started-by", "m", "--confirm-stop", "m"],
    remote + stopping + ["--service", "s", "--confirm-stop", "s"],
  ]

  private static let stopping = ["--drain-by", "stop-tasks", "--cluster", "c"]

  @Test(arguments: right) func isRight(arguments: [String]) throws {
    #expect(try problems(arguments) == "")
  }

  private static let wrong: [(arguments: [String], sentence: String)] = [
    (remote, "--confirm-drain gateway.example"),
    (remote + ["--confirm-drain", "other.example"], "'other.example' is not the gateway's host, 'gateway.example'"),
    (["--confirm-drain", "localhost"], "--confirm-drain: the embedded gateway needs none"),
    (["--cluster", "c"], "--gateway-url: with ECS options no embedded gateway is started"),
    (["--ecs-endpoint-url", "http://127.0.0.1:1"], "--gateway-url: with ECS options"),
    (["--family", "f"], "--gateway-url: with ECS options"),
    (confirmed + ["--cluster", "c", "--poll-interval", "199ms"], "--poll-interval: more than 5 polls a second"),
    (confirmed + ["--ecs-endpoint-url", "ftp://x"], "--ecs-endpoint-url is no http or https URL"),
    (confirmed + ["--service", ""], "--service: it is empty"),
    (confirmed + ["--started-by", "m", "--service", "s"], "--started-by: ECS takes no other filter"),
    (["--drain-count", "6"], "--drain-count: 6 is more than the pool has, 5"),
    (["--drain-count", "0"], "--drain-count: '0' is wrong"),
    (["--release", "never"], "--release: 'never' is unknown"),
    (["--drain-by", "magic"], "--drain-by: 'magic' is unknown"),
    (stopping, "--service: stop-tasks ends tasks: say which"),
    (stopping + ["--service", "s"], "confirm it with --confirm-stop s"),
    (stopping + ["--service", "s"], "unless --restore-desired-count is given"),
    (["--restore-desired-count"], "--restore-desired-count: it is for --drain-by stop-tasks"),
    (
      stopping + ["--family", "f", "--confirm-stop", "f", "--restore-desired-count"],
      "--restore-desired-count: only a service has a desiredCount"
    ),
    (stopping + ["--service", "s", "--confirm-stop", "S"], "--confirm-stop: 'S' is not 's'"),
    (stopping + ["--service", "s", "--confirm-stop", ""], "--confirm-stop: '' is not 's'"),
    (stopping + ["--service", "s", "--confirm-stop", "s", "--release", "at-end"], "--release: it is for --drain-by"),
    (stopping + ["--service", "s", "--confirm-stop", "s", "--pool-size", "3"], "--pool-size: it is for the embedded"),
    (stopping + ["--family", "f", "--service", "s", "--confirm-stop", "f"], "--confirm-stop: 'f' is not 's'"),
    (["--drain-by", "stop-tasks", "--confirm-stop", "s"], "--confirm-stop: the embedded gateway needs none"),
    (remote + ["--drain-by", "stop-tasks"], "--drain-by: tasks are stopped through ECS"),
    (confirmed + ["--confirm-stop", "s"], "--confirm-stop: it is for --drain-by stop-tasks"),
    (["--cycles", "0"], "--cycles: '0' is wrong"),
    (["--settle", "1"], "--settle: '1' is no duration"),
    (["--poll-interval", "5ms"], "--poll-interval: '5ms' is too short"),
    (["--refill-timeout", "5"], "--refill-timeout: '5' is no duration"),
    (["--threshold", "allocation.mean < 1ms"], "--threshold"),
  ]

  @Test(arguments: wrong) func isWrong(arguments: [String], sentence: String) throws {
    let problems = try problems(arguments)
    #expect(problems.contains(sentence), "\(problems)")
  }

  @Test func allProblemsAreReportedTogether() throws {
    let problems = try problems(Self.remote + ["--drain-count", "x", "--timeout", "1"])
    for option in ["--confirm-drain", "--drain-count", "--timeout"] { #expect(problems.contains("error: \(option)")) }
  }

  @Test(arguments: [
    ["REGION": "eu-west-1"], ["AWS_PROFILE": "p", "AWS_REGION": "eu-west-1"], ["SERVICE": "s"], ["CLUSTER": ""],
  ]) func anEnvironmentThatNamesNoPoolLeavesTheEmbeddedGatewayItsOwnEndpoint(environment: [String: String]) throws {
    #expect(try problems([], environment: environment) == "")
    var reader = OptionReader(environment: environment)
    #expect(reader.ecs(try ECSOptions.parse([]), hasGatewayURL: false) == nil)
  }

  @Test(arguments: [
    ["CLUSTER": "c"], ["AWS_ENDPOINT_URL": "http://127.0.0.1:1"], ["AWS_ENDPOINT_URL_ECS": "http://127.0.0.1:1"],
  ]) func anEnvironmentThatNamesAPoolNeedsItsGatewayAndIsBlamed(environment: [String: String]) throws {
    let problems = try problems([], environment: environment)
    #expect(problems.contains("error: --gateway-url: "))
    let variable = try #require(environment.keys.first)
    #expect(problems.contains("or unset \(variable)\n"), "\(problems)")
    #expect(!problems.contains("--cluster") && !problems.contains("--ecs-endpoint-url"), "\(problems)")
  }

  @Test func flagsAndVariablesThatNameAPoolAreBothBlamed() throws {
    let problems = try problems(
      ["--ecs-endpoint-url", "http://127.0.0.1:1", "--family", "f"],
      environment: ["CLUSTER": "c", "AWS_ENDPOINT_URL": "http://127.0.0.1:2"])
    #expect(problems.contains("or leave --ecs-endpoint-url and --family out and unset CLUSTER\n"), "\(problems)")
  }

  @Test func aFilterOnTheCommandLineStandsAgainstTheEnvironmentsService() throws {
    var reader = OptionReader(environment: Self.region.merging(["SERVICE": "s", "CLUSTER": "c"]) { $1 })
    #expect(reader.ecs(try ECSOptions.parse([]), hasGatewayURL: true)?.filter == .init(cluster: "c", serviceName: "s"))
    let marked = reader.ecs(try ECSOptions.parse(["--started-by", "m"]), hasGatewayURL: true)
    #expect(marked?.filter == .init(cluster: "c", startedBy: "m"))
    #expect(reader.problems.isEmpty)
  }
}
