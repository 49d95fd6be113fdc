import Foundation
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// The page of a GitHub job, which GitHub drops where it is larger than 1 MiB.
@Suite struct StepSummaryTests {
  private let text = "# Summary\n" + String(repeating: "| ünïcode row |\n", count: 5_000)

  @Test func whatFitsIsAppendedWhole() throws {
    let scratch = try ScratchDirectory()
    let page = try scratch.write("page.md", "before\n")
    #expect(StepSummary.append(text, to: page, whole: "results/summary.md") == nil)
    #expect(try String(contentsOfFile: page, encoding: .utf8) == "before\n" + text)
  }

  @Test(arguments: [0, 1, 10, 1_000, 40_000]) func withWhatIsThereItNeverPassesTheLimit(room: Int) throws {
    let scratch = try ScratchDirectory()
    let before = String(repeating: "x", count: StepSummary.limit - room)
    let page = try scratch.write("page.md", before)
    let problem = StepSummary.append(text, to: page, whole: "results/summary.md")
    let after = try String(contentsOfFile: page, encoding: .utf8)
    #expect(after.utf8.count <= StepSummary.limit && after.hasPrefix(before))
    let added = after.dropFirst(before.count)
    if room < 100 {
      #expect(added.isEmpty && problem?.contains("results/summary.md") == true)
    } else {
      #expect(problem == nil && added.hasPrefix("# Summary\n"))
      #expect(added.hasSuffix("all of it is in results/summary.md.\n"), "\(added.suffix(100))")
      // No row is cut in the middle.
      #expect(added.split(separator: "\n").dropFirst().dropLast().allSatisfy { $0 == "| ünïcode row |" })
    }
  }

  @Test func aTextWithoutALineEndIsCutToThePointer() {
    let cut = StepSummary.fit(String(repeating: "x", count: 1_000), into: 500, whole: "s.md")
    #expect(cut?.trimmingCharacters(in: .newlines).hasPrefix("Cut here") == true)
  }

  @Test func aPageThatCannotBeWrittenIsSaid() {
    let problem = StepSummary.append("x", to: "/nonexistent/page.md", whole: "s.md")
    #expect(problem == "/nonexistent/page.md cannot be written: No such file or directory")
  }
}
