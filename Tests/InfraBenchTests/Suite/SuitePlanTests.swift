import ArgumentParser
import Foundation
import Testing
import TestSupport

@testable import InfraBench
import Latency
@testable import Results

/// Which tools bench-suite runs, with which words, and what it refuses before anything is started.
@Suite struct SuitePlanTests {
  private static let tools = [
    "bench-allocation", "bench-dirinit", "bench-e2e", "bench-concurrent", "bench-exhaustion", "bench-api",
  ]
  private static let region = ["REGION": "eu-west-1", "HOME": "/nonexistent"]

  private func plan(
    _ words: [String], _ environment: [String: String] = [:]
  ) throws -> (settings: SuiteSettings, problems: [String]) {
    let command = try BenchSuiteCommand.parse(["--output-dir", "/tmp"] + words)
    var reader = OptionReader(environment: Self.region.merging(environment) { $1 })
    let settings = reader.suite(command)
    return (settings, reader.problems.sentences)
  }

  /// A plan that nothing is wrong with.
  private func settings(_ words: [String], _ environment: [String: String] = [:]) throws -> SuiteSettings {
    let (settings, problems) = try plan(words, environment)
    #expect(problems == [])
    return settings
  }

  private func arguments(_ tool: String, _ settings: SuiteSettings) throws -> String {
    try #require(settings.tools.first { $0.name == tool }).arguments.joined(separator: " ")
  }

  // MARK: Which tools

  @Test(arguments: [
    [:], ["SERVICE": "pool"], ["GATEWAY_URL": "http://127.0.0.1:1", "CLUSTER": "c"],
    ["GATEWAY_URL": "http://g.test", "AWS_ENDPOINT_URL": "http://e.test", "CONFIRM_DRAIN": "g.test"],
    ["CONFIRM_DRAIN": "g.test"],
  ]) func everyToolIsRun(environment: [String: String]) throws {
    let settings = try settings([], environment)
    #expect(settings.tools.map(\.name) == Self.tools)
    #expect(settings.tools.allSatisfy { $0.skipReason == nil }, "\(settings.tools)")
  }

  @Test(arguments: ["CLUSTER", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"])
  func anECSWithoutItsGatewayIsNotDrained(variable: String) throws {
    let value = variable == "CLUSTER" ? "stage" : "http://e.test"
    let skipped = try settings([], [variable: value]).tools.filter { $0.skipReason != nil }
    #expect(skipped.map(\.name) == ["bench-exhaustion"])
    #expect(skipped.first?.skipReason?.hasPrefix("\(variable) set without GATEWAY_URL: ") == true)
  }

  @Test func aGatewayWithoutAnECSHasNoAPIToMeasure() throws {
    let settings = try settings(["--skip-efs"], ["GATEWAY_URL": "http://127.0.0.1:1"])
    let reasons = settings.tools.compactMap(\.skipReason)
    #expect(reasons.count == 2 && reasons[0] == "--skip-efs")
    #expect(reasons[1].hasPrefix("GATEWAY_URL set without CLUSTER or SERVICE"))
    // The ECS may be named by a file too.
    let scratch = try ScratchDirectory()
    let file = try scratch.write("s.json", #"{"bench-api": {"cluster": "c"}, "bench-exhaustion": {"cluster": "c"}}"#)
    let named = try self.settings(["--scenario", file], ["GATEWAY_URL": "http://127.0.0.1:1"])
    #expect(named.tools.allSatisfy { $0.skipReason == nil })
  }

  @Test func aDrainThatNobodyConfirmedIsSkippedAndTheOthersAreRun() throws {
    let environment = ["GATEWAY_URL": "https://gw.example.com", "CLUSTER": "c"]
    let settings = try settings([], environment)
    let skipped = settings.tools.filter { $0.skipReason != nil }
    #expect(skipped.map(\.name) == ["bench-exhaustion"])
    #expect(skipped[0].skipReason?.contains("set CONFIRM_DRAIN=gw.example.com") == true)
    // What else is wrong with the tool is said, and that is not.
    let problems = try plan([], environment.merging(["REGION": ""]) { $1 }).problems
    #expect(problems.count == 1 && problems[0].hasSuffix("(bench-exhaustion, bench-api)"), "\(problems)")
    let confirmed = try self.settings([], environment.merging(["CONFIRM_DRAIN": "gw.example.com"]) { $1 })
    #expect(try arguments("bench-exhaustion", confirmed).contains("--confirm-drain gw.example.com"))
    // Where it is asked for by name, and where the name is another's, that is no reason to leave it out silently.
    #expect(
      try plan(["--only", "bench-exhaustion"], environment).problems == [
        "CONFIRM_DRAIN: draining takes tasks from the users of gw.example.com: set CONFIRM_DRAIN=gw.example.com to confirm it"
      ])
    #expect(
      try plan([], environment.merging(["CONFIRM_DRAIN": "other.example.com"]) { $1 }).problems
        .contains { $0.hasPrefix("CONFIRM_DRAIN: 'other.example.com' is not the gateway's host") })
  }

  /// Measured in turn, both are drained, and one name does not confirm both.
  @Test func aDrainOfTwoGatewaysIsConfirmedWithBothNames() throws {
    let environment = ["GATEWAY_URL": "https://a.example.com"]
    let second = ["--", "--ab-gateway-url", "https://b.example.com"]
    let skipped = try settings(["--skip", "bench-api"] + second, environment).tools.filter { $0.skipReason != nil }
    #expect(skipped.map(\.name) == ["bench-exhaustion", "bench-api"])
    #expect(
      skipped[0].skipReason
        == "draining takes tasks from the users of a.example.com and b.example.com: set "
        + "CONFIRM_DRAIN=a.example.com,b.example.com to confirm it")
    #expect(
      try plan(second, environment.merging(["CONFIRM_DRAIN": "a.example.com"]) { $1 }).problems == [
        "CONFIRM_DRAIN: draining takes tasks from the users of b.example.com: set "
          + "CONFIRM_DRAIN=a.example.com,b.example.com to confirm it (bench-exhaustion)"
      ])
    let both = environment.merging(["CONFIRM_DRAIN": "a.example.com,b.example.com"]) { $1 }
    #expect(
      try arguments("bench-exhaustion", settings(second, both)).contains(
        "--confirm-drain a.example.com --confirm-drain b.example.com"))
    // Where the URLs are written makes no difference.
    let scratch = try ScratchDirectory()
    let urls = #"{"gateway-url": "https://a.example.com", "ab-gateway-url": "https://b.example.com"}"#
    let file = try scratch.write("s.json", "{\"bench-exhaustion\": \(urls)}")
    let reason = try settings(["--scenario", file]).tools.first { $0.name == "bench-exhaustion" }?.skipReason
    #expect(reason?.contains("set CONFIRM_DRAIN=a.example.com,b.example.com") == true, "\(reason ?? "nil")")
  }

  /// A gateway whose drain nobody has confirmed, and an ECS without its gateway.
  @Test(
    arguments: [
      (["GATEWAY_URL": "http://192.0.2.1"], "draining takes tasks from the users of 192.0.2.1"),
      (["CLUSTER": "stage"], "CLUSTER set without GATEWAY_URL"),
    ] as [([String: String], String)])
  func whatOnlyASkippedDrainCouldTakeIsRefused(environment: [String: String], reason: String) throws {
    let threshold = try plan(["--threshold", "drain.max < 1ns"], environment).problems
    #expect(
      threshold.count == 1 && threshold[0].hasPrefix("--threshold: 'drain.max < 1ns': only bench-exhaustion, "),
      "\(threshold)")
    #expect(threshold.first?.contains("which is skipped (\(reason)") == true, "\(threshold)")
    let option = try plan(["--", "--cycles", "2"], environment).problems
    #expect(option.count == 1 && option[0].hasPrefix("--cycles: only bench-exhaustion, "), "\(option)")
    #expect(option.first?.contains("which is skipped (\(reason)") == true, "\(option)")
  }

  @Test func whatOnlyAConfirmedDrainCanTakeGoesToIt() throws {
    let environment = ["GATEWAY_URL": "http://192.0.2.1", "CONFIRM_DRAIN": "192.0.2.1"]
    let settings = try settings(["--threshold", "drain.max < 1ns", "--", "--cycles", "2"], environment)
    let words = try arguments("bench-exhaustion", settings)
    #expect(words.contains("--cycles 2") && words.contains("--threshold drain.max < 1ns"), "\(words)")
  }

  @Test func toolsAreLeftOutByNameAndOthersRunAlone() throws {
    let skipped = try settings(["--skip", "bench-e2e", "--skip", "bench-api"]).tools.filter {
      $0.skipReason == "--skip"
    }
    #expect(skipped.map(\.name) == ["bench-e2e", "bench-api"])
    let run = try settings(["--only", "bench-api", "--only", "bench-allocation"]).tools.filter { $0.skipReason == nil }
    #expect(run.map(\.name) == ["bench-allocation", "bench-api"])
    #expect(try plan(["--only", "bench-apis"]).problems.first?.contains("did you mean 'bench-api'?") == true)
    #expect(try plan(["--only", "bench-api", "--skip", "bench-api"]).problems.count == 1)
  }

  // MARK: With which words

  @Test func everyToolHasItsUsualSizeUnlessItIsToldOtherwise() throws {
    let full = try settings([])
    #expect(try arguments("bench-allocation", full) == "--output-dir /tmp --count 100")
    #expect(try arguments("bench-concurrent", full) == "--output-dir /tmp --beyond 3 --bursts 5")
    #expect(try arguments("bench-allocation", settings(["--quick"])) == "--output-dir /tmp --count 20")
    let longer = try settings(["--", "--duration", "1s"])
    #expect(try arguments("bench-allocation", longer) == "--output-dir /tmp --duration 1s")
    #expect(try arguments("bench-concurrent", longer) == "--output-dir /tmp --duration 1s")
    #expect(try arguments("bench-exhaustion", longer) == "--output-dir /tmp")
  }

  @Test func whatEveryToolKnowsGoesToAll() throws {
    let settings = try settings(["--repeat", "3", "--label=-x", "--format", "junit"])
    for tool in Self.tools {
      #expect(try arguments(tool, settings).hasPrefix("--output-dir /tmp --repeat 3 --label=-x --format junit,json"))
    }
  }

  @Test func aThresholdGoesToTheToolsThatHaveItsMetric() throws {
    let settings = try settings(["--threshold", "allocation.p99 < 20ms", "--threshold", "misses == 0"])
    #expect(
      try arguments("bench-allocation", settings).contains("--threshold allocation.p99 < 20ms --threshold misses == 0"))
    #expect(try arguments("bench-concurrent", settings).contains("--threshold misses == 0"))
    #expect(try !arguments("bench-api", settings).contains("--threshold"))
    #expect(
      try plan(["--threshold", "nope.p99 < 1s"]).problems.first?.contains("no tool of the suite has this") == true)
    #expect(
      try plan(["--skip-efs", "--threshold", "create.max < 1s"]).problems.first?
        .contains("only bench-dirinit, which is skipped (--skip-efs) has it") == true)
    // Known, and yet wrong.
    #expect(
      try plan(["--threshold", "allocation.p99 < fast"]).problems == [
        "--threshold: 'fast' is no duration: \(DurationText.rule) (bench-allocation)"
      ])
  }

  @Test func whatStandsBehindTwoDashesGoesToTheToolsThatKnowIt() throws {
    let settings = try settings(["--", "--timeout", "5s", "--hold", "--user-id=me", "--message", "hello"])
    #expect(try arguments("bench-allocation", settings).contains("--timeout 5s --hold --user-id=me"))
    #expect(try arguments("bench-e2e", settings).contains("--message hello"))
    #expect(try !arguments("bench-api", settings).contains("--hold"))
    let problems = try plan(["--", "--tiemout", "5s", "word", "--output-dir", "x", "--expekt"]).problems
    #expect(problems.count == 4, "\(problems)")
    for word in ["did you mean '--timeout'?", "'word' is no option", "write it before that", "--expekt: "] {
      #expect(problems.count { $0.contains(word) } == 1, "\(word) in \(problems)")
    }
  }

  /// As the tools' own parser does it.
  @Test func whatBeginsWithADashIsNoOptionsValue() throws {
    let problems = try plan(["--", "--count", "--timeout", "3s"]).problems
    #expect(problems.count == 1 && problems[0].hasPrefix("Missing value for '--count <n>'"), "\(problems)")
    let text = try plan(["--", "--message", "-x"]).problems
    #expect(text.count == 2 && text.contains { $0.hasPrefix("Missing value for '--message") }, "\(text)")
    #expect(try arguments("bench-e2e", settings(["--", "--message=-x"])).contains("--message=-x"))
  }

  /// Those of an ECS are known to tools which start tasks too, but mean something to them only when they do.
  @Test func optionsOfAnECSGoToTheToolsThatUseOne() throws {
    let environment = ["GATEWAY_URL": "http://127.0.0.1:1"]
    let ecs = ["--", "--cluster", "stage", "--region=eu-west-1", "--poll-interval", "1s"]
    let plain = try settings(ecs, environment)
    #expect(plain.tools.allSatisfy { $0.skipReason == nil })
    #expect(
      try arguments("bench-exhaustion", plain).contains("--cluster stage --region=eu-west-1 --poll-interval 1s"))
    #expect(try arguments("bench-api", plain).contains("--cluster stage --region=eu-west-1"))
    for tool in ["bench-allocation", "bench-e2e", "bench-concurrent"] {
      #expect(try !arguments(tool, plain).contains("stage"), "\(tool)")
    }
    let starting = try settings(
      ["--skip", "bench-concurrent"] + ecs + ["--cold-by", "run-task", "--task-definition", "shell"], environment)
    let cold = "--cluster stage --region=eu-west-1 --poll-interval 1s --cold-by run-task --task-definition shell"
    #expect(try arguments("bench-e2e", starting).contains(cold))
    let alone = try plan(["--", "--task-definition", "shell"], environment).problems
    #expect(
      alone == [
        "--task-definition: only bench-e2e (with --cold-by run-task) and bench-concurrent (with --cold-by run-task) have it"
      ])
    // One tool starts tasks, by its object in the file; the other does not.
    let scratch = try ScratchDirectory()
    let file = try scratch.write(
      "s.json", #"{"bench-e2e": {"cold-by": "run-task", "task-definition": "shell", "cluster": "stage"}}"#)
    let mixed = try settings(["--scenario", file, "--", "--region", "eu-west-1"], environment)
    #expect(try arguments("bench-e2e", mixed).contains("--region eu-west-1"))
    #expect(try !arguments("bench-concurrent", mixed).contains("--region"))
  }

  private struct ColdStarts: ParsableCommand {
    @OptionGroup var options: RunTaskOptions
  }

  @Test func everyOptionForTasksThatAToolStartsIsKnownAsOne() {
    let names = Set(ToolOption.all(of: ColdStarts.self).map(\.name)).subtracting(["help", "cold-by"])
    #expect(names == RunTaskOptions.namesForRunTask)
  }

  /// Else one and the same word would be a value to one tool and an option to another.
  @Test func anOptionThatSeveralToolsKnowTakesAValueInAllOrInNone() {
    for option in SuiteTool.all.flatMap(\.options) {
      let kinds = SuiteTool.all.compactMap { $0.option(named: option.name)?.kind }
      #expect(Set(kinds.map { $0 == .flag }).count == 1, "\(option.name): \(kinds)")
    }
  }

  @Test func anECSWithoutItsGatewayIsNotDrainedHoweverItIsNamed() throws {
    let settings = try settings(["--", "--cluster", "stage"])
    let skipped = settings.tools.filter { $0.skipReason != nil }
    #expect(skipped.map(\.name) == ["bench-exhaustion"])
    #expect(skipped.first?.skipReason?.hasPrefix("--cluster given without GATEWAY_URL: ") == true, "\(skipped)")
    #expect(try arguments("bench-api", settings).contains("--cluster stage"))
  }

  // MARK: Further runs by gateway profiles

  @Test func aProfileIsAFurtherRunOfTheUsersWay() throws {
    let settings = try settings(["--quick", "--with-profile", "product", "--", "--message", "hi"])
    #expect(settings.tools.map(\.name) == Self.tools.flatMap { $0 == "bench-e2e" ? [$0, $0] : [$0] })
    let runs = settings.tools.filter { $0.name == "bench-e2e" }
    #expect(runs.map(\.title) == ["bench-e2e", "bench-e2e (product)"] && runs.map(\.label) == [nil, "product"])
    #expect(runs[0].commandLine == "bench-e2e --output-dir /tmp --message hi --count 10")
    #expect(
      runs[1].commandLine
        == "bench-e2e --output-dir /tmp --label product --message hi --gateway-profile product --count 10")
    let labelled = try self.settings(["--label", "nightly", "--with-profile", "product"])
    #expect(labelled.tools[2].commandLine.contains("--label nightly ") && labelled.tools[2].label == nil)
    #expect(labelled.tools[3].commandLine.contains("--label nightly-product "))
  }

  @Test func aFurtherRunIsLeftOutWithItsToolAndBesideARealGateway() throws {
    let words = ["--with-profile", "product"]
    for (choice, option) in [(["--skip", "bench-e2e"], "--skip"), (["--only", "bench-api"], "--only")] {
      let (skipped, problems) = try plan(words + choice)
      #expect(skipped.tools.filter { $0.name == "bench-e2e" }.map(\.skipReason) == [option, option])
      #expect(
        problems == [
          "--with-profile: 'product' is for bench-e2e, which is skipped (\(option)): leave one of them out"
        ])
    }
    let only = try settings(words + ["--only", "bench-e2e"]).tools.filter { $0.skipReason == nil }
    #expect(only.map(\.title) == ["bench-e2e", "bench-e2e (product)"])
    for (arguments, environment) in [
      (words, ["GATEWAY_URL": "http://127.0.0.1:1"]), (words + ["--", "--gateway-url", "http://127.0.0.1:1"], [:]),
    ] as [([String], [String: String])] {
      let tools = try settings(arguments, environment).tools.filter { $0.name == "bench-e2e" }
      #expect(tools[0].skipReason == nil && tools[1].skipReason?.hasPrefix("a gateway is named, and ") == true)
    }
  }

  @Test func whatIsNoProfileOfTheSuiteIsRefused() throws {
    let problems = try plan(["--with-profile", "prodcut", "--with-profile", "lab", "--with-profile", "lab"]).problems
    #expect(problems.count == 2, "\(problems)")
    #expect(problems[0].contains("'prodcut' is none of the suite's own profiles") && problems[0].contains("'product'?"))
    #expect(problems[1] == "--with-profile: 'lab' is given twice")
    let twice = try plan(["--with-profile", "product", "--", "--gateway-profile", "lab"]).problems
    #expect(twice.count == 1 && twice[0].hasPrefix("--with-profile: beside --gateway-profile, "), "\(twice)")
    // What its tool refuses is said of it alone.
    let wrong = try plan(["--with-profile", "product", "--threshold", "nope == 0"]).problems
    #expect(wrong.count == 1, "\(wrong)")
  }

  @Test func aHeadersValueIsNotShown() throws {
    let settings = try settings(["--", "--header", "X: hidden", "--header=Y: hidden"])
    let shown = try #require(settings.tools.first).commandLine
    #expect(shown == "bench-allocation --output-dir /tmp --header … --header=… --count 100")
    #expect(try arguments("bench-allocation", settings).contains("--header X: hidden --header=Y: hidden"))
  }

  /// Without quotes a header's value is several words, and may be a token.
  @Test(arguments: [["--header", "Authorization:"], ["--header=Authorization:"], ["--haeder", "Authorization:"]])
  func whatMayBePartOfAHeaderIsNotShown(words: [String]) throws {
    let problems = try plan(["--", "first"] + words + ["Bearer", "s3cr3t", "--hold", "s3cr3t"]).problems
    #expect(problems.contains { $0.contains("'first' is no option") }, "\(problems)")
    #expect(problems.count { $0.hasSuffix("a value with blanks needs quotes") } == 1, "\(problems)")
    #expect(!problems.contains { $0.contains("s3cr3t") || $0.contains("Bearer") }, "\(problems)")
  }

  @Test func aScenarioFileHasAnObjectForEachTool() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write(
      "suite.json",
      #"{"bench-allocation": {"count": 7, "header": ["X-Secret: hidden"]}, "bench-api": {"iterations": 3}}"#)
    let settings = try settings(["--scenario", file])
    // The file's counts are not overridden by the usual ones, and its secrets are on no command line.
    #expect(try arguments("bench-allocation", settings) == "--output-dir /tmp --scenario \(file)")
    #expect(try arguments("bench-e2e", settings) == "--output-dir /tmp --scenario \(file) --count 50")
    let own = ScenarioFile(
      commandLine: ["--scenario", file], tool: "bench-api", options: [ToolOption("iterations", .value)])
    #expect(own.arguments == ["--iterations", "3"] && own.problems.isEmpty)
    for (text, word) in [
      (#"{"bench-alocation": {}}"#, "nearest name is 'bench-allocation'"), (#"{"bench-api": 3}"#, "has no object"),
      (#"{"count": 3}"#, "is no tool"), (#"{"bench-api": {}, "bench-api": {}}"#, "twice"),
      (#"{"bench-api": {"iteration": 3}}"#, "the nearest name is 'iterations'"),
      (#"{"bench-api": {"iterations": "x"}}"#, "write a whole number"),
    ] {
      let problems = try plan(["--scenario", try scratch.write("bad.json", text)]).problems
      #expect(problems.count == 1 && problems[0].contains(word), "\(text): \(problems)")
    }
  }

  @Test func allThatIsWrongInAScenarioFileIsSaidWithItsKey() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write(
      "bad.json",
      """
      {"bench-alocation": {}, "bench-e2": {"count": 1}, "count": 3, "bench-api": 3, "a secret value": {},
       "bench-dirinit": {"cuont": 1}, "bench-dirinit": {}, "bench-concurrent": {"rate": true}}
      """)
    let problems = try plan(["--scenario", file]).problems
    let place = "--scenario: '\(file)', line"
    #expect(
      problems == [
        "\(place) 1: 'bench-alocation' is no tool of the suite: the nearest name is 'bench-allocation'",
        "\(place) 1: 'bench-e2' is no tool of the suite: the nearest name is 'bench-e2e'",
        "\(place) 1: 'count' is no tool of the suite: write options in a tool's object, as {\"bench-allocation\": {\"count\": 100}}",
        "\(place) 1: 'bench-api' has no object: write {\"count\": 100} behind it",
        "\(place) 1: a key is no tool of the suite: write options in a tool's object, as {\"bench-allocation\": {\"count\": 100}}",
        "\(place) 2: 'bench-dirinit' is there twice",
        "\(place) 2: 'cuont' is no option of bench-dirinit: the nearest name is 'count' (bench-dirinit)",
        "--rate (in '\(file)'): it takes a value: write a text or a number (bench-concurrent)",
      ])
    // The same of a tool that is given the file alone.
    let own = ScenarioFile(
      commandLine: ["--scenario", file], tool: "bench-api", options: [ToolOption("iterations", .value)])
    #expect(own.problems.sentences == Array(problems.prefix(6)))
  }

  /// A night's file may well have more than one night uses; what is wrong in it is wrong all the same.
  @Test func whatAScenarioFileHasForASkippedToolIsCheckedAndNoted() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write(
      "s.json",
      #"{"bench-dirinit": {"count": 7, "threshold": ["create.max < 1s"]}, "bench-api": {}, "bench-e2e": {"count": 1}}"#)
    let settings = try settings(["--skip-efs", "--skip", "bench-api", "--scenario", file])
    #expect(
      settings.notes == [
        "'\(file)' has options for bench-dirinit, which is skipped (--skip-efs): count and threshold are not used"
      ])
    #expect(try self.settings(["--scenario", file]).notes == [])
    let wrong = try scratch.write("wrong.json", #"{"bench-dirinit": {"cuont": 7, "threshold": "creat.max < 1s"}}"#)
    let problems = try plan(["--skip-efs", "--scenario", wrong]).problems
    #expect(problems.count == 2 && problems.allSatisfy { $0.hasSuffix("(bench-dirinit)") }, "\(problems)")
    #expect(problems.first?.contains("the nearest name is 'count'") == true, "\(problems)")
    #expect(problems.last?.hasPrefix("--threshold (in '\(wrong)'): ") == true, "\(problems)")
  }

  // MARK: What is wrong

  @Test func everythingThatIsWrongIsSaidOnceAndAtOnce() throws {
    let (_, problems) = try plan(
      [
        "--repeat", "0", "--deadline", "5", "--skip", "x", "--baseline", "/nonexistent", "--format", "pdf", "--",
        "--nope",
      ],
      ["CLUSTER": "stage", "REGION": "", "GATEWAY_URL": "http://127.0.0.1:1"])
    for word in ["--repeat: '0'", "--deadline: '5'", "--skip: 'x'", "--baseline: ", "--format: 'pdf'", "--nope: "] {
      #expect(problems.count { $0.hasPrefix(word) } == 1, "\(word) in \(problems)")
    }
    #expect(
      problems.contains { $0.lowercased().contains("region") && $0.hasSuffix("(bench-exhaustion, bench-api)") },
      "\(problems)")
  }

  @Test func whatTheParserRefusesIsSaidOnceForAllTools() throws {
    let problems = try plan(["--only", "bench-allocation", "--only", "bench-e2e", "--", "--count"]).problems
    #expect(problems == ["Missing value for '--count <n>'"])
  }

  @Test func aFolderThatCannotBeWrittenIsRefused() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("file", "")
    let command = try BenchSuiteCommand.parse(["--output-dir", file])
    var reader = OptionReader(environment: Self.region)
    _ = reader.suite(command)
    #expect(reader.problems.sentences == ["--output-dir: '\(file)' is no directory"])
  }

  private func problems(writingTo directory: String, at now: Date = Date()) throws -> [String] {
    let command = try BenchSuiteCommand.parse(["--output-dir", directory])
    var reader = OptionReader(environment: Self.region, now: now)
    _ = reader.suite(command)
    return reader.problems.sentences
  }

  /// Else hours of measuring would end with it.
  @Test func aNameOfAResultThatIsTakenIsRefused() throws {
    let scratch = try ScratchDirectory()
    for name in ["summary.md", "junit.xml"] {
      try FileManager.default.createDirectory(atPath: "\(scratch.path)/\(name)", withIntermediateDirectories: false)
    }
    // These can be replaced: an earlier run's, and a link to nowhere.
    _ = try scratch.write("old/summary.md", "")
    symlink("/nonexistent/file", "\(scratch.path)/old/junit.xml")
    #expect(try problems(writingTo: "\(scratch.path)/old") == [])
    #expect(
      try problems(writingTo: scratch.path)
        == ["summary.md", "junit.xml"].map {
          "--output-dir: '\(scratch.path)/\($0)' is a directory, and a result is to have this name: remove it"
        })
    #expect(FileManager.default.fileExists(atPath: "\(scratch.path)/junit.xml"), "it was removed")
  }

  /// The tools write into a folder of the day.
  @Test func aDaysNameThatIsTakenIsRefused() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("2026-11-20", "")
    let day = Date(timeIntervalSince1970: 1_795_132_800)
    #expect(Timestamp(day).day == "2026-11-20")
    #expect(try problems(writingTo: scratch.path, at: day) == ["--output-dir: '\(file)' is no directory"])
  }

  private static let hasFileAttributes: Bool = {
    guard let scratch = try? ScratchDirectory(), let file = try? scratch.write("f", "") else { return false }
    defer { _ = system("chattr -i '\(file)' 2>/dev/null") }
    return system("chattr +i '\(file)' 2>/dev/null") == 0
  }()

  @Test(.enabled(if: hasFileAttributes, "needs chattr and the right to use it"))
  func aResultThatCannotBeReplacedIsRefused() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("summary.json", "")
    _ = system("chattr +i '\(file)'")
    defer { _ = system("chattr -i '\(file)'") }
    #expect(
      try problems(writingTo: scratch.path) == [
        "--output-dir: '\(file)' can't be replaced: Operation not permitted"
      ])
  }
}
