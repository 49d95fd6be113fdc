import ArgumentParser
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Options from a file: the command line wins over it, it over the environment, and nothing wrong in it goes unsaid.
@Suite struct ScenarioFileTests {
  private static let options = ToolOption.all(of: AllocationCommand.self)

  /// What bench-allocation makes of a file beside a command line.
  private func read(
    _ json: String, _ commandLine: [String] = [], environment: [String: String] = [:]
  ) throws -> (command: AllocationCommand, problems: [String]) {
    let scratch = try ScratchDirectory()
    let words = ["--scenario", try scratch.write("load.json", json)] + commandLine
    let scenario = ScenarioFile(commandLine: words, tool: "bench-allocation", options: Self.options)
    let command = try #require(
      try AllocationCommand.parseAsRoot(scenario.arguments + words) as? AllocationCommand)
    var reader = OptionReader(environment: environment, scenario: scenario)
    _ = command.prepare(&reader)
    // The directory's name differs from run to run.
    return (command, reader.problems.sentences.map { $0.replacing(scratch.path + "/", with: "") })
  }

  @Test func everyKindOfOptionIsRead() throws {
    let (command, problems) = try read(
      #"{"count": 7, "duration": "30s", "threshold": ["errors == 0", "allocation.p99 < 1s"], "header": "X: y", "hold": true,"#
        + #" "insecure": false, "seed": 9007199254740991, "label": "größe"}"#)
    #expect(problems == [])
    #expect(command.load.count == "7" && command.load.duration == "30s" && command.load.seed == "9007199254740991")
    #expect(command.output.thresholds == ["errors == 0", "allocation.p99 < 1s"] && command.output.label == "größe")
    #expect(command.target.headers == ["X: y"] && command.hold && !command.target.insecure)
  }

  @Test func theCommandLineWinsOverTheFileAndTheFileOverTheEnvironment() throws {
    let environment = ["GATEWAY_URL": "http://from.environment"]
    let file = #"{"gateway-url": "http://from.file", "count": 5, "threshold": ["errors == 0"], "hold": false}"#
    #expect(try read(file, environment: environment).command.target.gatewayURL == "http://from.file")
    for form in [["--gateway-url", "http://from.flag"], ["--gateway-url=http://from.flag"]] {
      let command = try read(file, form + ["--threshold", "errors < 9", "--hold"], environment: environment).command
      #expect(command.target.gatewayURL == "http://from.flag")
      // A repeatable option replaces the file's: it is not added to it.
      #expect(command.output.thresholds == ["errors < 9"])
      #expect(command.load.count == "5" && command.hold)
    }
  }

  @Test func anOverriddenValueIsNotJudgedButItsTypeIs() throws {
    #expect(try read(#"{"count": "many"}"#, ["--count", "5"]).problems == [])
    #expect(try read(#"{"count": true}"#, ["--count", "5"]).problems.count == 1)
  }

  @Test func everythingWrongIsSaidTogetherAndWhereItStands() throws {
    let (_, problems) = try read(
      """
      {
        "concurency": 5, "cuont": 1, "poolSize": 3, "GATEWAY_URL": "x", "--count": 2,
        "count": "many", "count": 3,
        "hold": "yes", "duration": true, "timeout": null, "warmup": ["5"], "header": {"X": "s3cret"},
        "threshold": ["errors == 0", 5, false],
        "scenario": "other.json", "help": true, "version": true,
        "label": "a\\u0000b", "print": "xml"
      }
      """, ["--concurrency", "0"])
    #expect(
      problems == [
        "--scenario: 'load.json', line 2: 'concurency' is no option of bench-allocation: the nearest name is 'concurrency'",
        "--scenario: 'load.json', line 2: 'cuont' is no option of bench-allocation: the nearest name is 'count'",
        "--scenario: 'load.json', line 2: 'poolSize' is no option of bench-allocation: the nearest name is 'pool-size'",
        "--scenario: 'load.json', line 2: 'GATEWAY_URL' is no option of bench-allocation: the nearest name is 'gateway-url'",
        "--scenario: 'load.json', line 2: '--count' is no option of bench-allocation: the nearest name is 'count'",
        "--scenario: 'load.json', line 3: 'count' is there twice",
        "--hold (in 'load.json'): it is a flag: write true or false",
        "--duration (in 'load.json'): it takes a value: write a text or a number",
        "--timeout (in 'load.json'): it takes a value: write a text or a number",
        "--warmup (in 'load.json'): it takes a value: write a text or a number",
        "--header (in 'load.json'): it takes a value: write a text or a number, or an array of texts",
        "--threshold (in 'load.json'): it takes a value: write a text or a number, or an array of texts",
        "--scenario: 'load.json', line 6: 'scenario' can't be given in a file: leave it out",
        "--scenario: 'load.json', line 6: 'help' can't be given in a file: leave it out",
        "--scenario: 'load.json', line 6: 'version' can't be given in a file: leave it out",
        "--label (in 'load.json'): its text holds U+0000, which no option can",
        "--count (in 'load.json'): 'many' is wrong: write a whole number from 1 to 1000000000",
        "--concurrency: '0' is wrong: write a whole number from 1 to 20000",
        "--print (in 'load.json'): 'xml' is unknown: write text, json or md",
      ])
  }

  /// Where a value ends up must not depend on what it looks like.
  @Test(arguments: [
    "", "-", "--", "-1", "--hold", "--count=5", "=", "a=b", "=b", "\u{301}x", "-\u{301}", " ", "---", "\r\n", "--label",
  ])
  func aValueIsAValueWhateverItLooksLike(_ text: String) throws {
    let json = try ResultCoding.encode(["label": text, "output-dir": "somewhere"])
    let command = try read(json).command
    #expect(command.output.label.map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
    #expect(command.output.outputDir == "somewhere" && !command.hold && command.load.count == nil)
    let header = try read(ResultCoding.encode(["header": [text, text]])).command.target.headers
    #expect(header == [text, text])
  }

  @Test(arguments: [
    #"{"header": "s3cret"}"#, #"{"header": ["X: s3cret\u0001"]}"#, #"{"header": {"Authorization": "s3cret"}}"#,
    #"{"header": [["s3cret"]]}"#, #"{"header": "Host: s3cret"}"#, #"{"Authorization: s3cret": true}"#,
    "{\"header\": \"s3cret\n\"}", #"{"header": "X: s3cret", "header": "X: s3cret"}"#, #"["s3cret"]"#, "s3cret",
    #"{"header": "X: s3cret\u0000"}"#, #"{"X: s3cret": 1, "X: s3cret": 1}"#,
    #"{"gateway-url": "http://u:s3cret@h"}"#,
  ])
  func noMessageHoldsASecret(_ json: String) throws {
    let problems = try read(json).problems
    #expect(!problems.isEmpty && !problems.joined().contains("s3cret"), "\(problems)")
  }

  @Test(arguments: ["[]", "5", "\"text\"", "null", "", "{", "{\"count\": 5", "{count: 5}", "{\"count\": 5,}", "{} {}"])
  func aFileThatIsNoObjectIsOneProblem(_ json: String) throws {
    let problems = try read(json).problems
    #expect(problems.count == 1 && problems[0].hasPrefix("--scenario: 'load.json' is no JSON"), "\(problems)")
  }

  @Test func aFileThatCannotBeReadIsOneProblem() throws {
    let scratch = try ScratchDirectory()
    let large = try scratch.write("large.json", "{\"label\": \"" + String(repeating: "x", count: 1 << 20) + "\"}")
    let spaces = try scratch.write("spaces.json", "{" + String(repeating: " ", count: (1 << 20) - 2) + "}")
    for (path, reason) in [
      ("/nonexistent/x", "No such file"), (scratch.path, "Is a directory"), (large, "larger than 1 MiB"),
      ("/dev/zero", "larger than 1 MiB"), ("", "write a file's path"), ("\u{1b}[31m", "' [31m' cannot be read"),
    ] {
      for words in [["--scenario", path], ["--count", "5", "--scenario=\(path)"]]
      where !path.isEmpty || words.count == 2 {
        let scenario = ScenarioFile(commandLine: words, tool: "t", options: Self.options)
        #expect(scenario.arguments == [] && scenario.problems.sentences.count == 1)
        #expect(scenario.problems.sentences.first?.contains(reason) ?? false, "\(scenario.problems.sentences)")
      }
    }
    #expect(ScenarioFile(commandLine: ["--scenario", spaces], tool: "t", options: Self.options).problems.isEmpty)
  }

  @Test func manyUnknownKeysAreSummedUp() throws {
    let keys = (0..<1000).map { "\"x\($0)\": 1" }.joined(separator: ",")
    let problems = try read("{\(keys)}").problems
    #expect(problems.count == 21 && problems.last == "--scenario: 'load.json': 980 more keys are no options")
  }

  @Test(arguments: [
    (["--scenario", "f"], ["f"]), (["--scenario=f"], ["f"]), (["--scenario=", "f"], ["f"]), (["--scenario", ""], [""]),
    (["--scenario"], []), (["--scenario", "--count"], []), (["--", "--scenario", "f"], []),
    (["--label", "--", "x"], []),
    (["--scenario", "a", "--scenario=b"], ["a", "b"]), (["--scenario=a=b"], ["a=b"]), (["--scenarios", "f"], []),
    (["-scenario", "f"], []), (["scenario", "f"], []),
  ])
  func theFileIsFoundAsTheParserFindsIt(_ words: [String], _ files: [String]) {
    #expect(GivenOptions(words).scenarioFiles == files)
    // The parser is the judge; it takes the last of several, and refuses some of these.
    guard let command = try? AllocationCommand.parse(words) else { return }
    #expect(command.scenario.scenario == files.last)
  }

  @Test func aFileGivenTwiceIsRefused() {
    let words = ["--scenario", "/nonexistent/a", "--scenario", "/nonexistent/b"]
    #expect(
      ScenarioFile(commandLine: words, tool: "t", options: Self.options).problems.sentences
        == ["--scenario: it is given twice: write one file"])
  }

  /// The help is written by the parser too, but not from the description that is read here.
  @Test(
    arguments: [
      AllocationCommand.self, ConcurrentCommand.self, DirInitCommand.self, EndToEndCommand.self, ExhaustionCommand.self,
    ] as [any BenchmarkCommand.Type])
  func everyToolsOptionsAreKnown(_ command: any BenchmarkCommand.Type) {
    let options = ToolOption.all(of: command)
    let helpLines = command.helpMessage(columns: 200).split(separator: "\n").filter { $0.hasPrefix("  -") }
    let inHelp = helpLines.compactMap { $0.split(separator: " ").first { $0.hasPrefix("--") }?.dropFirst(2) }
    #expect(Set(options.map(\.name)) == Set(inHelp.map(String.init)) && options.count == inHelp.count)
    #expect(options.contains(ToolOption("threshold", .repeatable)) && options.contains(ToolOption("quiet", .flag)))
    #expect(options.contains(ToolOption("scenario", .value)) && options.contains(ToolOption("output-dir", .value)))
  }
}

@Suite struct NearestNameTests {
  @Test(arguments: [
    ("", "", 0), ("a", "", 1), ("", "ab", 2), ("rate", "rate", 0), ("rat", "rate", 1), ("rtae", "rate", 1),
    ("cuont", "count", 1), ("kitten", "sitting", 3), ("ca", "abc", 3), ("output-dir", "outputdir", 1), ("é", "e", 1),
  ])
  func distanceIsTheNumberOfEdits(_ first: String, _ second: String, _ edits: Int) {
    #expect(NearestName.distance(first, second) == edits)
    #expect(NearestName.distance(second, first) == edits)
  }

  @Test func theNearestIsFoundWhateverItsCase() {
    let names = ["count", "duration", "pool-size", "max-tasks", "task-start-delay"]
    for (word, name) in [
      ("Count", "count"), ("poolSize", "pool-size"), ("POOL_SIZE", "pool-size"), ("max_task", "max-tasks"),
      ("druation", "duration"), ("taskStartDelay", "task-start-delay"),
    ] { #expect(NearestName.of(word, in: names) == name) }
    #expect(NearestName.of("x", in: []) == nil)
  }
}
