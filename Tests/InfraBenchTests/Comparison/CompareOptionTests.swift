import ArgumentParser
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison

struct CompareOptionTests {
  private let scratch: ScratchDirectory

  init() throws {
    scratch = try ScratchDirectory()
    try scratch.write("old/x", "")
    try scratch.write("new/x", "")
  }

  private func read(_ arguments: [String]) throws -> (settings: CompareSettings, problems: [String]) {
    var reader = OptionReader(environment: [:])
    let settings = reader.comparison(try CompareCommand.parse(arguments))
    return (settings, reader.problems.sentences)
  }

  private var sides: [String] { ["\(scratch.path)/old", "\(scratch.path)/new"] }

  @Test func theDefaultsAreTheContracts() throws {
    let (settings, problems) = try read(sides)
    #expect(problems.isEmpty)
    let expected = CompareSettings.compare(
      old: sides[0], new: sides[1], .init(), isStrict: false, failsOnRegression: false)
    #expect(settings == expected)
    #expect(Comparison.Settings().minEffect == 0.05 && Comparison.Settings().alpha == 0.05)
  }

  @Test(arguments: [("0%", 0), ("5%", 0.05), ("2.5%", 0.025), ("1000%", 10)] as [(String, Double)])
  func effectsAreWrittenInPercent(_ text: String, _ share: Double) throws {
    guard case .compare(_, _, let settings, _, _) = try read(sides + ["--min-effect", text]).settings else { return }
    #expect(abs(settings.minEffect - share) < 1e-12)
  }

  @Test(arguments: [
    ["--min-effect", "5"], ["--min-effect", "-5%"], ["--min-effect", "%"], ["--min-effect", "1001%"],
    ["--min-effect", "5 %"], ["--min-effect", "nan%"],
    ["--alpha", "0"], ["--alpha", "0.5"], ["--alpha", "5%"], ["--alpha", "-0.1"], ["--alpha", "1e-2"],
    ["--metric", "alocation"], ["--since", "2026-11-20"],
    ["--by-label", "--label-old", "a", "--label-new", "b"],
  ])
  func wrongValuesAreNamed(_ arguments: [String]) throws {
    // The parser takes what begins with a dash for an option.
    let joined = arguments.count == 2 ? ["\(arguments[0])=\(arguments[1])"] : arguments
    let problems = try read(sides + joined).problems
    #expect(problems.count == 1 && problems[0].hasPrefix(arguments[0] + ": "), "\(problems)")
  }

  @Test func theNearestMetricIsNamed() throws {
    #expect(try read(sides + ["--metric", "alocation"]).problems[0].hasSuffix("did you mean 'allocation'?"))
    #expect(try read(sides + ["--metric", "allocation", "--metric", "errors"]).problems.isEmpty)
  }

  @Test(arguments: ["nope", "x", "", "latency", "p99", "en"])
  func aNameThatIsLikeNoMetricsSuggestsNone(_ name: String) throws {
    let problems = try read(sides + ["--metric", name]).problems
    #expect(problems == ["--metric: no tool has a metric or a rate '\(name)'"])
  }

  @Test(arguments: [
    ("cod", "cold"), ("end_to_ned", "end_to_end"), ("proces_start", "process_start"), ("refill", "refill_full"),
    ("Allocation", "allocation"), ("error", "errors"),
  ])
  func aNameThatIsNearlyAMetricsSuggestsIt(_ name: String, _ metric: String) throws {
    #expect(try read(sides + ["--metric", name]).problems.first?.hasSuffix("did you mean '\(metric)'?") == true)
  }

  /// As '--html -x' is, which the parser refuses itself.
  @Test func aPathLikeAnOptionIsNoPath() throws {
    #expect(try read(["--trend=-x"]).problems == ["--trend: '-x' begins with a dash, as options do: write './-x'"])
    var reader = OptionReader(environment: [:])
    reader.checkPage("--html", "-x.html")
    #expect(reader.problems.sentences == ["--html: '-x.html' begins with a dash, as options do: write './-x.html'"])
  }

  @Test(arguments: [[], ["a"], ["a", "b", "c"]])
  func twoSidesAreNeeded(_ paths: [String]) throws {
    #expect(try read(paths.map { _ in sides[0] }).problems.contains { $0.hasPrefix("OLD NEW: write two files") })
  }

  @Test func bothSidesMustBeThereAndDiffer() throws {
    #expect(try read(["/nonexistent/a", "/nonexistent/b"]).problems.count == 2)
    #expect(try read([sides[0], sides[0]]).problems.count == 1)
    #expect(try read([sides[0], sides[0], "--label-old", "a", "--label-new", "a"]).problems.count == 1)
    #expect(try read([sides[0], sides[0], "--label-old", "a", "--label-new", "b"]).problems.isEmpty)
  }

  @Test func aTrendIsOfOneFolderAndJudgesNothing() throws {
    let trend = ["--trend", sides[0]]
    #expect(try read(trend + ["--since", "2026-11-20", "--by-label", "--metric", "allocation"]).problems.isEmpty)
    let wrong = try read(
      trend + [
        sides[1], "--since", "yesterday", "--min-effect", "5%", "--alpha", "0.1", "--strict", "--fail-on-regression",
        "--label-old", "a", "--label-new", "b",
      ]
    ).problems
    #expect(wrong.count == 8, "\(wrong)")
    for day in ["2026-13-01", "2026-02-29", "2026-1-1", "26-01-01", "2026-01-01T00", "2026/01/01"] {
      #expect(try read(trend + ["--since=\(day)"]).problems.count == 1, "\(day)")
    }
    #expect(try read(trend + ["--since", "2028-02-29"]).problems.isEmpty)
    #expect(try read(["--trend", "/nonexistent"]).problems.count == 1)
  }

  @Test func theHelpIsTheGoldenOne() throws {
    try Golden.expect(CompareCommand.helpMessage(columns: 100), "bench-compare-help.txt")
  }
}
