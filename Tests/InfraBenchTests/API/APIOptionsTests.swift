import ArgumentParser
import LoadEngine
import Testing

@testable import InfraBench
@testable import Results

/// What `bench-api` takes and refuses before anything is started.
@Suite struct APIOptionsTests {
  /// As a machine with AWS tools has it; it names no pool.
  private static let region = ["AWS_REGION": "eu-west-1"]

  private func problems(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
    var reader = OptionReader(environment: Self.region.merging(environment) { $1 })
    _ = try APICommand.parse(arguments).prepare(&reader)
    return reader.problems.description
  }

  private static let remote = ["--cluster", "c"]

  private static let right: [[String]] = [
    [],
    ["--iterations", "1", "--pool-size", "250", "--rate", "1000/s"],
    ["--threshold", "list_tasks.p95 < 300ms", "--threshold", "throttles == 0", "--threshold", "first_call.max < 1s"],
    remote,
    remote + ["--service", "s", "--region", "eu-west-1", "--timeout", "5s"],
    remote + ["--rate", "5/s"],
    remote + ["--rate", "300/m"],
    remote + ["--rate", "5.000001/s", "--force-rate"],
    ["--started-by", "mark"],
    ["--ecs-endpoint-url", "http://127.0.0.1:5174", "--rate", "30/m"],
  ]

  @Test(arguments: right) func isRight(arguments: [String]) throws {
    #expect(try problems(arguments) == "")
  }

  private static let wrong: [(arguments: [String], sentence: String)] = [
    (remote + ["--rate", "5.000001/s"], "--rate: more than 5 calls a second"),
    (["--ecs-endpoint-url", "http://127.0.0.1:1", "--rate", "6/s"], "--rate: more than 5 calls a second"),
    (["--rate", "5"], "--rate: '5' is no rate"),
    (remote + ["--rate", "0/s", "--force-rate"], "--rate: '0/s' is no rate"),
    (["--iterations", "0"], "--iterations: '0' is wrong"),
    (["--iterations", "many"], "--iterations: 'many' is wrong"),
    (remote + ["--pool-size", "5"], "--pool-size: it is for the embedded gateway"),
    (remote + ["--pool-size", "5"], "leave --cluster out"),
    (["--pool-size", "0"], "--pool-size: '0' is wrong"),
    (["--timeout", "30"], "--timeout: '30' is no duration"),
    (["--started-by", "m", "--family", "f"], "--started-by: ECS takes no other filter"),
    (["--ecs-endpoint-url", "ftp://x"], "--ecs-endpoint-url is no http or https URL"),
    (["--threshold", "allocation.mean < 1ms"], "--threshold: 'allocation' is no metric"),
  ]

  @Test(arguments: wrong) func isWrong(arguments: [String], sentence: String) throws {
    let problems = try problems(arguments)
    #expect(problems.contains(sentence), "\(problems)")
  }

  @Test func allProblemsAreReportedTogether() throws {
    let problems = try problems(["--cluster", "", "--iterations", "0", "--rate", "x", "--timeout", "1", "--label", ""])
    for option in ["--cluster", "--iterations", "--rate", "--timeout", "--label"] {
      #expect(problems.contains("error: \(option): "), "\(problems)")
    }
  }

  @Test(arguments: ["--count", "--gateway-url", "--poll-interval", "--user-id"])
  func optionsOfOtherToolsAreUnknown(option: String) {
    #expect(throws: (any Error).self) { try APICommand.parse([option, "1"]) }
  }

  @Test(
    arguments: [
      (["CLUSTER": "c"], "6/s", true), (["AWS_ENDPOINT_URL_ECS": "http://127.0.0.1:1"], "6/s", true),
      (["GATEWAY_URL": "http://gw.example", "SERVICE": "s"], "6/s", true), (["SERVICE": "s"], "6/s", false),
      (["AWS_REGION": "eu-west-1", "AWS_PROFILE": "p"], "6/s", false), ([:], "6/s", false),
    ] as [([String: String], String, Bool)])
  func theRateIsBoundedWhereTheEnvironmentNamesARealECS(
    environment: [String: String], rate: String, isBounded: Bool
  ) throws {
    #expect(try problems(["--rate", rate], environment: environment).isEmpty != isBounded)
  }

  @Test func helpIsAsItWasRead() throws {
    try Golden.expect(APICommand.helpMessage(columns: 100), "bench-api-help.txt")
  }
}
