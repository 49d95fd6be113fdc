import ArgumentParser
import Testing

@testable import InfraBench

/// Which tool a command line of the program infrabench means.
struct InvocationTests {
  private static func read(_ words: String...) -> String {
    switch Invocation(words, tools: InfraBenchCommand.tools) {
    case .tool(let tool, let arguments): "\(tool.programName) \(arguments)"
    case .own(let arguments): "own \(arguments)"
    case .wrong(let problem): problem
    }
  }

  @Test func eachToolIsFoundByEachOfItsNames() {
    #expect(InfraBenchCommand.tools.count == 12)
    for tool in InfraBenchCommand.tools {
      let (long, short) = (tool.programName, tool.shortName)
      #expect(long == "bench-" + short)
      let meant = "\(long) [\"--count\", \"--help\", \"\"]"
      #expect(Self.read("infrabench", short, "--count", "--help", "") == meant)
      #expect(Self.read("/usr/bin/infrabench", long, "--count", "--help", "") == meant)
      // A launcher gives the name alone, a shell the path of a symbolic link.
      #expect(Self.read(long, "--count", "--help", "") == meant)
      #expect(Self.read("../bin/\(long)", "--count", "--help", "") == meant)
      #expect(Self.read("infrabench", "help", short) == "\(long) [\"--help\"]")
      #expect(Self.read("infrabench", "help", long) == "\(long) [\"--help\"]")
    }
  }

  /// Under a tool's name a tool's name is a word for the tool, which refuses it.
  @Test func aToolCalledByItsOwnNameReadsAllWordsItself() {
    #expect(Self.read("bench-api", "allocation", "--version") == "bench-api [\"allocation\", \"--version\"]")
  }

  @Test func optionsBeforeAToolAreOfInfrabenchItself() {
    for word in ["--help", "-h", "--version", "--generate-completion-script", "---completion", "--", "-"] {
      #expect(Self.read("infrabench", word, "api") == "own [\"\(word)\", \"api\"]")
    }
    #expect(Self.read("infrabench", "help") == "own [\"--help\"]")
  }

  @Test(
    arguments: [
      ("alocation", "allocation"), ("bench-alocation", "bench-allocation"), ("E2E", "e2e"), ("suit", "suite"),
      ("compare-", "compare"), ("bench_api", "bench-api"),
    ])
  func aWrongNameIsToldTheNearestRightOne(wrong: String, right: String) {
    let refusal = "'\(wrong)' is no tool of infrabench: the nearest name is '\(right)'"
    #expect(Self.read("infrabench", wrong, "--help") == refusal)
    #expect(Self.read("infrabench", "help", wrong) == refusal)
    if wrong.hasPrefix("bench-") { #expect(Self.read("/opt/\(wrong)") == refusal) }
  }

  @Test func aHostileNameIsShownCutAndHarmless() {
    let long = String(repeating: "a", count: 10_000)
    #expect(Self.read("infrabench", long) == "'\(long.prefix(64))' is no tool of infrabench")
    #expect(!Self.read("infrabench", "\u{1b}]0;x\u{7}").contains("\u{1b}"))
    #expect(Self.read("infrabench", "").hasPrefix("'' is no tool of infrabench"))
  }

  @Test func withoutAToolThereIsNothingToDo() {
    let refusal = "no tool is named: write 'infrabench allocation', for example"
    #expect(Self.read("infrabench") == refusal)
    #expect(Self.read("/usr/bin/infrabench") == refusal)
    // Linux before 5.18 starts programs without any word, not even a name.
    #expect(Self.read() == refusal)
  }

  @Test func helpListsEachToolWithWhatItDoes() throws {
    try Golden.expect(InfraBenchCommand.helpMessage(columns: 100), "infrabench-help.txt")
  }
}
