import ArgumentParser
import Testing
import Transport

@testable import InfraBench
@testable import Results

/// `--repeat` and `--ab-gateway-url` as a user writes them.
@Suite struct RepeatOptionsTests {
  private static let commands: [any BenchmarkCommand.Type] = [
    AllocationCommand.self, DirInitCommand.self, EndToEndCommand.self, ConcurrentCommand.self, ExhaustionCommand.self,
    APICommand.self,
  ]

  private func problems(
    _ arguments: [String], of command: any BenchmarkCommand.Type = AllocationCommand.self,
    environment: [String: String] = [:]
  ) throws -> [String] {
    var reader = OptionReader(environment: environment)
    _ = try #require(try command.parseAsRoot(arguments) as? any BenchmarkCommand).prepare(&reader)
    return reader.problems.sentences
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5]) func everyToolIsRepeated(tool: Int) throws {
    for number in ["1", "5", "1000"] { #expect(try problems(["--repeat", number], of: Self.commands[tool]) == []) }
    for number in ["0", "1001", "x", "1.5", ""] {
      let found = try problems(["--repeat", number], of: Self.commands[tool])
      #expect(found.count == 1 && found[0].hasPrefix("--repeat: "), "\(number): \(found)")
    }
    #expect(ToolOption.all(of: Self.commands[tool]).contains(ToolOption("repeat", .value)))
  }

  @Test func aSecondGatewayIsForToolsThatDriveOne() {
    let pair = ["--gateway-url", "http://127.0.0.1:1", "--ab-gateway-url", "http://127.0.0.1:2"]
    for command in Self.commands {
      let isTaken = (try? problems(pair, of: command)) == []
      #expect(isTaken == !["bench-dirinit", "bench-api"].contains(command.configuration.commandName), "\(command)")
    }
  }

  private static let a = ["--gateway-url", "http://a.example"]
  private static let b = ["--ab-gateway-url", "http://b.example"]

  static let wrong: [(arguments: [String], sentence: String)] = [
    (b, "--ab-gateway-url: an embedded gateway beside a real one"),
    (a + ["--ab-gateway-url", "http://a.example"], "--ab-gateway-url: it is the same gateway"),
    (a + ["--ab-gateway-url", "ws://a.example:80/"], "--ab-gateway-url: it is the same gateway"),
    (a + ["--ab-gateway-url", "ftp://b"], "--ab-gateway-url: 'ftp' is no scheme"),
    (a + ["--ab-gateway-url", "http://user:secret@b"], "--ab-gateway-url: a URL with user info"),
    (["--ab-gateway-url", "nonsense"], "--ab-gateway-url: 'nonsense' is no URL"),
    (a + b + ["--insecure"], "--insecure: there is no gateway URL with https"),
    (a + b + ["--pool-size", "3"], "--pool-size: it is for the embedded gateway"),
    (a + ["--ab-gateway-url", "https://b", "--ca-file", "/nonexistent"], "--ca-file: "),
  ]

  @Test(arguments: wrong) func isRefused(arguments: [String], sentence: String) throws {
    let found = try problems(arguments)
    #expect(found.count == 1 && found[0].hasPrefix(sentence), "\(found)")
  }

  @Test func everythingIsSaidAtOnce() throws {
    let found = try problems(Self.b + ["--repeat", "0", "--seed", "x"])
    #expect(found.map { String($0.prefix { $0 != ":" }) } == ["--ab-gateway-url", "--seed", "--repeat"])
  }

  @Test func bothGatewaysHaveTheSameHeadersAndTheTLSThatTheyNeed() throws {
    var reader = OptionReader(environment: ["GATEWAY_URL": "http://a.example"])
    let settings = reader.target(
      try TargetOptions.parse(["--ab-gateway-url", "wss://b.example", "--insecure", "--header", "X: y"]))
    #expect(reader.problems.isEmpty)
    let second = try #require(settings.ofSecond)
    guard case .remote(let endpoint) = second.gateway else {
      Issue.record("not remote")
      return
    }
    #expect(endpoint.host == "b.example" && endpoint.isSecure)
    #expect(settings.tls == nil && second.tls != nil && second.headers == settings.headers)
    let alone = try TargetOptions.parse([])
    #expect(reader.target(alone).ofSecond == nil)
  }

  static let drains: [(arguments: [String], sentences: [String])] = [
    (a + b, ["--confirm-drain a.example", "--confirm-drain b.example"]),
    (a + b + ["--confirm-drain", "a.example"], ["--confirm-drain b.example"]),
    (a + b + ["--confirm-drain", "A.example", "--confirm-drain", "b.example"], []),
    (
      a + b + ["--confirm-drain", "a.example", "--confirm-drain", "c.example"],
      ["'c.example' is no gateway's host, 'a.example' or 'b.example'", "--confirm-drain b.example"]
    ),
    (a + ["--ab-gateway-url", "http://a.example:81", "--confirm-drain", "a.example"], []),
    (a + ["--ab-gateway-url", "http://a.example:81"], ["--confirm-drain a.example"]),
    (a + ["--ab-gateway-url", "http://localhost", "--confirm-drain", "a.example"], []),
    (["--gateway-url", "http://127.0.0.1"] + b, ["--confirm-drain b.example"]),
    (["--gateway-url", "http://127.0.0.1:1", "--ab-gateway-url", "http://[::1]"], []),
    (
      a + b + ["--confirm-drain", "a.example", "--confirm-drain", "b.example", "--cluster", "c"],
      ["--ab-gateway-url: one pool's ECS says nothing about another gateway's: leave it out, or leave --cluster out"]
    ),
    (
      a + b + ["--drain-by", "stop-tasks", "--cluster", "c", "--service", "s", "--confirm-stop", "s"],
      ["--ab-gateway-url: stop-tasks drains through ECS"]
    ),
  ]

  @Test(arguments: drains) func bothGatewaysDrainsAreConfirmed(arguments: [String], sentences: [String]) throws {
    let found = try problems(arguments, of: ExhaustionCommand.self, environment: ["AWS_REGION": "eu-west-1"])
    #expect(found.count == sentences.count, "\(found)")
    for (problem, sentence) in zip(found, sentences) { #expect(problem.contains(sentence), "\(problem)") }
  }

  @Test func tasksThatAreStartedConnectToOneGateway() throws {
    let arguments = Self.a + Self.b + ["--cold-by", "run-task", "--cluster", "c", "--task-definition", "t"]
    for command in [EndToEndCommand.self, ConcurrentCommand.self] as [any BenchmarkCommand.Type] {
      let found = try problems(arguments, of: command, environment: ["AWS_REGION": "eu-west-1"])
      #expect(found.count == 1 && found[0].hasPrefix("--ab-gateway-url: a task definition's tasks"), "\(found)")
    }
  }

  @Test func directoriesThatStayWouldBeFoundByTheNextRun() throws {
    let keep = ["--keep", "--repeat", "2"]
    #expect(try problems(keep, of: DirInitCommand.self) == [])
    let found = try problems(keep + ["--root", "/tmp"], of: DirInitCommand.self)
    #expect(found.count == 1 && found[0].hasPrefix("--keep: a second run"), "\(found)")
  }
}
