import Testing

@testable import InfraBench
@testable import Results

/// A tool that is in one list of the suite's tools is in the other.
struct SuiteToolsTests {
  @Test func everyToolThatRunsIsOneWhoseResultsAreRead() {
    // bench-suite measures; bench-verify is run by itself.
    #expect(SuiteTool.all.map(\.name) + [VerifyBenchmark.tool] == ToolDescriptions.suite.all.map(\.name))
    // Each has a size for --quick, but bench-exhaustion, which drains the pool once in any case.
    let sized = SuiteTool.all.filter { !SuiteSize.quick.words(for: $0.name, beside: []).isEmpty }
    #expect(SuiteTool.all.map(\.name).filter { $0 != ExhaustionBenchmark.tool } == sized.map(\.name))
  }

  /// A result of another version may have what its tool's description lacks: it means what it means elsewhere.
  @Test func whatADescriptionLacksHasTheMeaningOfItsName() {
    let tool = ToolDescriptions.suite.description(of: "bench-dirinit")
    #expect(tool.isKnown && tool.metrics == DirInitBenchmark.description.metrics)
    #expect(tool.isSetUp("upgrade") && tool.counter("polls")?.share == ToolDescription.Counter.Share.none)
    #expect(tool.judgedCounters.contains { $0.name == "misses" && $0.meaning == .bad })
    #expect(tool.judgedCounters.map(\.name).prefix(3) == ["errors", "timeouts", "isolation_violations"])
    #expect(tool.judgedCounters.last == .unreleased)
    #expect(
      tool.shaping(["seed": 1, "cluster": "c", "count": 5, "ofALaterVersion": true]).keys.sorted() == [
        "count", "ofALaterVersion",
      ])
    let unknown = ToolDescriptions.suite.description(of: "bench-of-tomorrow")
    #expect(!unknown.isKnown && unknown.headlines == [] && unknown.isSetUp("name_lookup"))
    #expect(unknown.sorted(["b", "allocation", "a"]) == ["a", "allocation", "b"])
  }
}
