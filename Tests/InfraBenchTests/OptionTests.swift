import ArgumentParser
import Latency
import LoadEngine
import TestSupport
import Testing
import Transport

@testable import InfraBench
@testable import Results

/// Options as a user writes them: all that is wrong is said at once, and no secret is.
@Suite struct OptionTests {
  private func read(_ arguments: [String], environment: [String: String] = [:]) throws -> OptionReader {
    var reader = OptionReader(environment: environment)
    let command = try #require(try AllocationCommand.parseAsRoot(arguments) as? AllocationCommand)
    _ = command.prepare(&reader)
    return reader
  }

  private func target(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (TargetSettings, [String]) {
    var reader = OptionReader(environment: environment)
    let settings = reader.target(try TargetOptions.parse(arguments))
    return (settings, reader.problems.sentences)
  }

  private func load(_ arguments: [String]) throws -> (LoadSettings, [String]) {
    var reader = OptionReader(environment: [:])
    let settings = reader.load(
      try LoadOptions.parse(arguments), try ArrivalOptions.parse([]), defaultCount: 10)
    return (settings, reader.problems.sentences)
  }

  @Test func theDefaultsAreTheContracts() throws {
    let (target, targetProblems) = try target([])
    let (load, loadProblems) = try load([])
    #expect(targetProblems.isEmpty && loadProblems.isEmpty)
    guard case .embedded(let settings) = target.gateway else {
      Issue.record("not embedded")
      return
    }
    #expect(settings == EmbeddedGatewaySettings(poolSize: 5, maxTasks: 20, taskStartDelay: .milliseconds(500)))
    #expect(target.headers.isEmpty && target.tls == nil && target.agents == 0)
    #expect(load.count == 10 && load.duration == nil && load.concurrency == 1 && load.timeout == .seconds(30))
    #expect(load.warmup == .iterations(0) && load.userIDPrefix == DefaultUserID.prefix && load.seed < 1 << 53)
  }

  @Test func everythingThatIsWrongIsSaidAtOnce() throws {
    let reader = try read([
      "--gateway-url", "ftp://h", "--header", "nonsense", "--token-file", "/nonexistent", "--ca-file", "/nonexistent",
      "--agents", "some", "--count", "0", "--duration", "5", "--concurrency", "many", "--warmup", "5x", "--timeout",
      "1ns",
      "--user-id", "../../etc", "--seed", "x", "--threshold", "nothing", "--threshold", "latency.p99 < 1s",
      "--output-dir", "/dev/null/x", "--format", "md,xml", "--label", "a\nb", "--print", "xml", "--wait-for", "never",
    ])
    let named = reader.problems.sentences.map { String($0.prefix { $0 != ":" }) }
    let expected = [
      "--gateway-url", "--header", "--token-file", "--ca-file", "--agents", "--count", "--duration", "--concurrency",
      "--warmup", "--timeout", "--user-id", "--seed", "--threshold", "--threshold", "--output-dir", "--format",
      "--label",
      "--print", "--wait-for",
    ]
    #expect(named.sorted() == expected.sorted())
    #expect(reader.problems.description.split(separator: "\n").allSatisfy { $0.hasPrefix("error: --") })
  }

  @Test func anUnknownOptionIsRefusedByTheParser() {
    for arguments in [["--nope"], ["--burst", "5"], ["positional"], ["--count"]] {
      #expect(throws: (any Error).self) { try AllocationCommand.parseAsRoot(arguments) }
    }
  }

  @Test func aFlagWinsOverTheEnvironmentAndTheEnvironmentOverTheDefault() throws {
    let environment = ["GATEWAY_URL": "http://from.environment:1"]
    for (arguments, host) in [([], "from.environment"), (["--gateway-url", "http://from.flag:2"], "from.flag")] {
      guard case .remote(let endpoint) = try target(arguments, environment: environment).0.gateway else {
        Issue.record("not remote")
        continue
      }
      #expect(endpoint.host == host)
    }
    guard case .embedded = try target([], environment: ["GATEWAY_URL": ""]).0.gateway else {
      Issue.record("an empty variable counts as none")
      return
    }
    #expect(try target([], environment: ["GATEWAY_URL": "nonsense"]).1.first?.hasPrefix("GATEWAY_URL: ") ?? false)
  }

  @Test func optionsOfTheEmbeddedGatewayAreRefusedWithARemoteOne() throws {
    let options = ["--pool-size", "3", "--max-tasks", "9", "--task-start-delay", "1s"]
    #expect(try target(options).1.isEmpty)
    #expect(try target(options + ["--gateway-url", "http://h"]).1.count == 3)
    #expect(try target(options, environment: ["GATEWAY_URL": "http://h"]).1.count == 3)
  }

  @Test(arguments: [
    (["--pool-size", "5", "--max-tasks", "4"], "--max-tasks"), (["--pool-size", "0"], "--pool-size"),
    (["--agents", "1"], "--agents"), (["--gateway-url", "http://h", "--insecure"], "--insecure"),
    (["--gateway-url", "https://h", "--insecure", "--ca-file", "/etc/hostname"], "--insecure"),
    (["--insecure"], "--insecure"), (["--ca-file", "/nonexistent"], "--ca-file"),
    (["--gateway-url", "https://h", "--cert", "/nonexistent"], "--cert"),
    (["--gateway-url", "https://h", "--key", "/nonexistent"], "--key"),
    (["--gateway-url", "https://h", "--cert", "/nonexistent", "--key", "/nonexistent"], "--cert"),
    (["--gateway-url", "https://h", "--cert", "/nonexistent", "--key", "/nonexistent"], "--key"),
    (["--gateway-url", "http://h", "--cert", "/x", "--key", "/x"], "--cert"), (["--key", "/x"], "--key"),
    (["--gateway-url", "http://user:pw@h"], "--gateway-url"), (["--task-start-delay", "5"], "--task-start-delay"),
  ])
  func contradictionsAreNamed(_ arguments: [String], _ option: String) throws {
    let problems = try target(arguments).1
    #expect(problems.contains { $0.hasPrefix("\(option): ") }, "\(problems)")
  }

  @Test func whatChangesTheLoadIsAParameterOnlyWhereItWasGiven() throws {
    let plain = try target(["--gateway-url", "http://h"]).0.parameters
    #expect(plain["noCookies"] == nil && plain["clientCertificate"] == nil)
    let bare = try target(["--gateway-url", "http://h", "--no-cookies"]).0.parameters
    #expect(bare["noCookies"] == true)
    let tool = AllocationBenchmark.description
    #expect(tool.shaping(bare) != tool.shaping(plain))
  }

  @Test(.enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"))
  func aCertificateIsAParameterAndItsPathIsNone() throws {
    let files = try ClientCertificates()
    let (settings, problems) = try target(["--gateway-url", "wss://h", "--cert", files.chain, "--key", files.key])
    #expect(problems == [] && settings.tls != nil)
    #expect(settings.parameters["clientCertificate"] == true)
    #expect(!settings.parameters.values.contains { $0.description.contains(files.chain) })
    let encrypted = try target([
      "--gateway-url", "wss://h", "--cert", files.chain, "--key", files.encryptedKeys[0],
    ])
    #expect(encrypted.1.count == 1 && encrypted.1[0].hasPrefix("--key: the key in '"), "\(encrypted.1)")
  }

  @Test(arguments: [
    (["--count", "0"], "--count"), (["--count", "-1"], "--count"), (["--count", "1.5"], "--count"),
    (["--count", "99999999999999999999"], "--count"), (["--count", ""], "--count"), (["--count", "٣"], "--count"),
    (["--concurrency", "20001"], "--concurrency"), (["--duration", "0s"], "--duration"),
    (["--timeout", "0ms"], "--timeout"),
    (["--warmup", "5x"], "--warmup"), (["--user-id", ""], "--user-id"), (["--user-id", ".x"], "--user-id"),
    (["--user-id", String(repeating: "u", count: 121)], "--user-id"), (["--seed", "9007199254740992"], "--seed"),
    (["--seed", "-1"], "--seed"),
  ])
  func wrongLoadIsNamed(_ arguments: [String], _ option: String) throws {
    // `--count -1` and the like: a value that looks like an option is the parser's to refuse.
    guard let (_, problems) = try? load(arguments) else { return #expect(arguments[1].hasPrefix("-")) }
    #expect(problems.count == 1 && problems[0].hasPrefix("\(option): "), "\(problems)")
  }

  @Test func aDurationLiftsTheDefaultCount() throws {
    #expect(try load(["--duration", "30s"]).0.count == nil)
    #expect(try load(["--duration", "30s", "--count", "7"]).0.count == 7)
    #expect(try load(["--warmup", "5"]).0.warmup == .iterations(5))
    #expect(try load(["--warmup", "5s"]).0.warmup == .duration(.seconds(5)))
  }

  @Test func usersHaveNumbersOfFourDigitsWhereThereAreSeveral() throws {
    let settings = try load(["--user-id", "u"]).0
    #expect(settings.userID(1, of: 1) == "u")
    #expect(settings.userID(7, of: 5) == "u-0007")
    #expect(settings.userID(12345, of: 20_000) == "u-12345")
  }

  static let secrets: [([String], [String: String])] = [
    (["--header", "Authorization Bearer s3cret"], [:]), (["--header", "X: s3cret\u{1}"], [:]),
    (["--header", "Host: s3cret"], [:]), (["--header", "s3cret"], [:]), (["--header", "bad name: s3cret"], [:]),
    (["--header", "Authorization: s3cret", "--token-file", "s3cret2"], [:]),
    ([], ["GATEWAY_TOKEN": "s3cret\r\nX: y"]),
    (["--gateway-url", "http://user:s3cret@h"], [:]), (["--gateway-url", "user:s3cret@h:5174"], [:]),
    ([], ["GATEWAY_URL": "htp://user:s3cret@h"]),
  ]

  @Test(arguments: secrets) func noMessageHoldsASecret(_ arguments: [String], _ environment: [String: String]) throws {
    let problems = try target(arguments, environment: environment).1
    #expect(!problems.isEmpty)
    #expect(!problems.joined().contains("s3cret"))
  }

  @Test func aHeaderWinsOverTheTokenOfTheEnvironment() throws {
    let (settings, problems) = try target(["--header", "authorization: mine"], environment: ["GATEWAY_TOKEN": "other"])
    #expect(problems.isEmpty)
    #expect(settings.headers == [SecretHeader(name: "authorization", value: "mine")])
  }

  @Test func headersAndTokensAreSentAndNeverShown() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("token.txt", "  s3cret-token\n\n")
    let (settings, problems) = try target([
      "--header", "X-Api-Key:  s3cret ", "--header", "Empty:", "--token-file", file,
    ])
    #expect(problems.isEmpty)
    #expect(settings.headers.map(\.name) == ["X-Api-Key", "Empty", "Authorization"])
    #expect(settings.headers.map(\.value) == ["s3cret", "", "Bearer s3cret-token"])
    #expect(!"\(settings.headers)".contains("s3cret") && !"\(settings.parameters)".contains("s3cret"))
    let byEnvironment = try target([], environment: ["GATEWAY_TOKEN": "abc"]).0
    #expect(byEnvironment.headers == [SecretHeader(name: "Authorization", value: "Bearer abc")])
  }

  @Test func aTokenFileMayHoldATokenForEachUserWhichIsNoHeaderOfAll() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("token.txt", "one\n\n two \r\nthree")
    let (settings, problems) = try target(["--token-file", file])
    #expect(problems.isEmpty)
    #expect(settings.tokens == ["one", "two", "three"] && settings.headers.isEmpty)
    #expect(settings.parameters["tokens"] == .int(3))
  }

  @Test func aTokenFileMustHoldTokens() throws {
    let scratch = try ScratchDirectory()
    for text in ["", " \n", "one\ntök", "tök", "a\u{0}b", String(repeating: "x", count: 100_000)] {
      let file = try scratch.write("token.txt", text)
      let problems = try target(["--token-file", file]).1
      #expect(problems.count == 1 && problems[0].hasPrefix("--token-file: "), "\(text.prefix(20).debugDescription)")
    }
  }

  /// The parser itself refuses '--output-dir -x' for want of a value: the other way to write it is no other thing.
  @Test func aPathThatLooksLikeAnOptionIsRefusedWhereverOneIsTaken() throws {
    let allocation = try AllocationCommand.parse([
      "--gateway-url", "https://gateway.example", "--output-dir=-x", "--token-file=-x", "--ca-file=-x",
      "--cert=-x", "--key=-x",
    ])
    let directories = try DirInitCommand.parse(["--output-dir=-x", "--root=-x", "--peer-root=-x"])
    var readers = [OptionReader(environment: [:]), OptionReader(environment: [:]), OptionReader(environment: [:])]
    _ = allocation.prepare(&readers[0])
    _ = directories.prepare(&readers[1])
    _ = readers[2].report(files: ["a"], merges: false, format: "md", directory: "-x", metrics: [], print: nil)
    let scenario = ScenarioFile(commandLine: ["--scenario=-x"], tool: "bench-allocation", options: [])
    let reason = "'-x' begins with a dash, as options do: write './-x'"
    let found = readers.flatMap(\.problems.sentences) + scenario.problems.sentences
    let options = [
      "--ca-file", "--cert", "--key", "--output-dir", "--root", "--peer-root", "--output-dir", "--output-dir",
      "--scenario",
    ]
    // What was given there may be the token itself.
    let token = "--token-file: it begins with a dash, as options do: write the file's path, with './' before the dash"
    #expect(found.sorted() == (options.map { "\($0): \(reason)" } + [token]).sorted())
  }

  @Test func theOutputIsCheckedAndNothingIsMade() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("file", "")
    func problems(_ arguments: [String]) throws -> [String] {
      var reader = OptionReader(environment: [:])
      _ = reader.output(try OutputOptions.parse(arguments))
      return reader.problems.sentences
    }
    #expect(try problems(["--output-dir", "\(scratch.path)/a/b/c"]).isEmpty)
    #expect(scratch.files == ["file"])
    for directory in ["", file, "\(file)/below"] {
      #expect(try problems(["--output-dir", directory]).count == 1, "\(directory)")
    }
    for format in ["", "md,", "json,pdf", "MD"] {
      #expect(try problems(["--format", format]).count == 1, "\(format)")
    }
    for label in ["", "a\tb", "\u{1b}[31m", "\u{9b}", String(repeating: "x", count: 101)] {
      #expect(try problems(["--label", label]).count == 1, "\(label.debugDescription)")
    }
    for label in ["nightly", "größe <b>", "../../etc"] { #expect(try problems(["--label", label]).isEmpty) }
  }

  @Test func linesOfExamplesFitATerminal() {
    let commands: [any ParsableCommand.Type] = [
      AllocationCommand.self, APICommand.self, CompareCommand.self, ConcurrentCommand.self, DirInitCommand.self,
      EndToEndCommand.self, ExhaustionCommand.self, BenchSuiteCommand.self,
    ]
    for command in commands {
      let text = command.configuration.discussion
      let examples = text.split(separator: "\n").drop { !$0.hasPrefix("Example") }.dropFirst()
      #expect(!examples.isEmpty && examples.allSatisfy { $0.count <= 78 }, "\(examples.filter { $0.count > 78 })")
      // What is copied from the help of a terminal of 80 columns must be what was written.
      let help = command.helpMessage(columns: 80).split(separator: "\n")
      let shown = help.drop { !$0.hasPrefix("Example") }.dropFirst().prefix { !$0.hasPrefix("USAGE") }
      #expect(Array(shown) == Array(examples), "\(command)")
    }
  }

  @Test func toolsThatCanBeOpenLoopsHaveAnExampleOfOne() {
    for help in [
      AllocationCommand.helpMessage(), ConcurrentCommand.helpMessage(), EndToEndCommand.helpMessage(),
    ] {
      let example = help.split(separator: "\n").first { $0.hasPrefix("  bench-") && $0.contains(" --rate ") }
      #expect(example != nil, "\(help)")
    }
  }

  @Test func theHelpIsTheGoldenOne() throws {
    try Golden.expect(AllocationCommand.helpMessage(columns: 100), "bench-allocation-help.txt")
  }
}
