import ArgumentParser
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// How ECS is reached and which tasks are meant, for every tool that asks ECS.
@Suite struct ECSOptionsTests {
  private func problems(_ arguments: [String], environment: [String: String] = [:]) throws -> [String] {
    var reader = OptionReader(environment: ["AWS_REGION": "eu-west-1"].merging(environment) { $1 })
    _ = reader.ecs(try ECSOptions.parse(arguments), hasGatewayURL: true)
    return reader.problems.sentences
  }

  private static let longName = String(repeating: "n", count: 255)

  private static let right: [[String]] = [
    ["--cluster", "stage_1-Blue"], ["--cluster", longName],
    ["--cluster", "arn:aws:ecs:eu-west-1:123456789012:cluster/stage"],
    ["--service", "arn:aws-cn:ecs:cn-north-1:123456789012:service/stage/pool"],
    ["--service", "arn:aws:ecs:eu-west-1:123456789012:service/pool"],
    ["--family", "ai-shell"], ["--started-by", "any text / at all: ü"],
    ["--started-by", String(repeating: "m", count: 128)], ["--region", "mars-north-9"],
    ["--cluster", "c", "--ecs-endpoint-url", "https://vpce-1.ecs.eu-west-1.vpce.amazonaws.com"],
  ]

  @Test(arguments: right) func isRight(arguments: [String]) throws {
    #expect(try problems(arguments) == [])
  }

  private static let wrong: [(arguments: [String], sentence: String)] = [
    (["--cluster", "a b;c"], "--cluster: 'a b;c' is no name"), (["--cluster", longName + "n"], "--cluster: 'nnn"),
    (["--cluster", "stäge"], "--cluster: 'stäge' is no name"), (["--cluster", ""], "--cluster: it is empty"),
    (
      ["--cluster", "arn:aws:ecs:eu-west-1:123456789012:service/stage/pool"],
      "--cluster: 'arn:aws:ecs:eu-west-1:123456789012:service/stage/pool' is no ARN of a cluster"
    ),
    (["--cluster", "arn:"], "--cluster: 'arn:' is no ARN"),
    (["--cluster", "arn:aws:ecs:eu-west-1:1:cluster/"], "is no ARN of a cluster"),
    (["--cluster", "arn:aws:s3:eu-west-1:1:cluster/c"], "is no ARN of a cluster"),
    (["--service", "stage/pool"], "--service: 'stage/pool' is no name"), (["--service", ""], "--service: it is empty"),
    (["--family", "ai-shell:3"], "--family: 'ai-shell:3' is no name"),
    (["--family", "arn:aws:ecs:eu-west-1:1:task-definition/f"], "--family: "),
    (["--family", ""], "--family: it is empty"),
    (["--started-by", String(repeating: "m", count: 129)], "--started-by: it is too long"),
    (["--started-by", ""], "--started-by: it is empty"), (["--region", "eu west"], "--region: 'eu west' is no region"),
    (["--region", ""], "--region: it is empty"), (["--profile", "../x"], "--profile: there is no profile '../x'"),
    (["--profile", ""], "--profile: it is empty"), (["--ecs-endpoint-url", ""], "--ecs-endpoint-url: it is empty"),
    (["--ecs-endpoint-url", "http://u:s3cret@h"], "--ecs-endpoint-url must have no user info"),
  ]

  @Test(arguments: wrong) func isWrong(arguments: [String], sentence: String) throws {
    let problems = try problems(arguments)
    #expect(problems.count == 1 && problems[0].contains(sentence), "\(problems)")
    #expect(!problems.joined().contains("s3cret"))
  }

  @Test(
    arguments: [
      (["CLUSTER": "a b"], "CLUSTER: 'a b' is no name"), (["SERVICE": "a/b"], "SERVICE: 'a/b' is no name"),
      (["CLUSTER": "c", "AWS_REGION": "EU"], "AWS_REGION: 'EU' is no region"),
      (["CLUSTER": "c", "REGION": "e u"], "REGION: 'e u' is no region"),
      (["CLUSTER": "c", "AWS_PROFILE": "nobody"], "AWS_PROFILE: there is no profile 'nobody'"),
      (["AWS_ENDPOINT_URL_ECS": "ftp://x"], "AWS_ENDPOINT_URL_ECS: AWS_ENDPOINT_URL_ECS is no http or https URL"),
      (["AWS_ENDPOINT_URL": "x"], "AWS_ENDPOINT_URL: AWS_ENDPOINT_URL is no http or https URL"),
      (["CLUSTER": "c", "AWS_REGION": ""], "--region: no region is set"),
    ] as [([String: String], String)])
  func theVariableThatIsWrongIsNamed(environment: [String: String], sentence: String) throws {
    let problems = try problems([], environment: environment)
    #expect(problems.count == 1 && problems[0].hasPrefix(sentence), "\(problems)")
  }

  @Test func everythingThatIsWrongIsSaidAtOnce() throws {
    let problems = try problems(
      [
        "--cluster", "a b;c", "--service", "x y", "--family", "f:1", "--started-by", "", "--profile", "../x",
        "--ecs-endpoint-url", "ftp://h",
      ], environment: ["AWS_REGION": "eu west"])
    let named = problems.map { String($0.prefix { $0 != ":" }) }
    let expected = [
      "--cluster", "--service", "--family", "--started-by", "--started-by", "--profile", "AWS_REGION",
      "--ecs-endpoint-url",
    ]
    #expect(named.sorted() == expected.sorted(), "\(problems)")
  }

  @Test func theProfileIsLookedForInTheSharedFiles() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("config", "[profile stage]\nregion = eu-west-1\n[profile torn]\nregion = eu_west\n")
    let files = ["AWS_CONFIG_FILE": file, "AWS_REGION": ""]
    #expect(try problems(["--profile", "stage"], environment: files) == [])
    #expect(try problems(["--cluster", "c"], environment: files.merging(["AWS_PROFILE": "stage"]) { $1 }) == [])
    #expect(
      try problems(["--profile", "torn"], environment: files).first?.hasPrefix("region of the profile: ") == true)
    // Credentials are found out, or not, at the connection.
    #expect(try problems(["--cluster", "c", "--region", "r"], environment: ["AWS_ACCESS_KEY_ID": "AKIA"]) == [])
  }

  @Test func nothingIsWrongWhereECSIsNotMeant() throws {
    for environment in [["AWS_REGION": "EU"], ["AWS_PROFILE": "nobody"], ["SERVICE": "a b"], ["AWS_REGION": ""]] {
      var reader = OptionReader(environment: environment)
      #expect(reader.ecs(try ECSOptions.parse([]), hasGatewayURL: false) == nil)
      #expect(reader.problems.isEmpty)
    }
  }
}
