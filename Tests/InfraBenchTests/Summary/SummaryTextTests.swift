import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// What is in `summary.md` beside the states: notes, hostile text, and a text that is cut.
@Suite struct SummaryTextTests {
  private static func summary(_ notes: [[String]], change: (inout ResultDocument) -> Void = { _ in }) -> SuiteSummary {
    let tools = notes.enumerated().map { number, notes in
      var document = SampleDocuments.typical
      document.tool = .init(stringLiteral: "bench-\(number)")
      document.notes = notes
      change(&document)
      return SuiteSummary.Tool(tool: document.tool.name, exitStatus: 99, results: [("\(number).json", document)])
    }
    let skipped = SuiteSummary.Tool(tool: "bench-api", notStarted: "skipped", reason: "no ECS")
    return SuiteSummary(
      startedAt: "2026-11-20T21:00:00.123Z", exitStatus: 99, tools: tools + [skipped], notes: ["no earlier day"])
  }

  @Test func whatSeveralToolsNoteIsSaidOnce() throws {
    let markdown = SummaryReport(Self.summary([["shared", "a", "two"], ["two", "shared"], ["shared", "b"]])).markdown
    let notes = try #require(markdown.split(separator: "## Notes\n\n").last?.split(separator: "\n\n").first)
    #expect(
      notes.split(separator: "\n")
        == ["- no earlier day", "- shared", "- bench-0: a", "- bench-0, bench-1: two", "- bench-2: b"])
  }

  @Test func aNoteOfTheOnlyToolThatRanNamesIt() {
    let markdown = SummaryReport(Self.summary([["own"]])).markdown
    #expect(markdown.contains("\n- bench-0: own\n"))
  }

  @Test(
    .enabled(if: MarkdownReader.isAvailable, "needs Python's markdown-it-py; INFRABENCH_PYTHON names an interpreter"))
  func hostileTextStaysTextOnOneLine() async throws {
    let text = "a|b`c`*d* _e_ [f](g) <h> &amp; ]]> # i\n- j\n\n| k |\n```\nl\u{1b}[31m ~~m~~ 😀 \\"
    let shown = "a|b`c`*d* _e_ [f](g) <h> &amp; ]]> # i - j  | k | ``` l [31m ~~m~~ 😀 \\"
    var summary = Self.summary([[text], [text]]) { $0.errors[0].example = text }
    summary.label = text
    summary.state = .interrupted
    summary.interruption = text
    summary.tools[2].reason = text
    let reading = try await MarkdownReader.read(SummaryReport(summary).markdown)
    #expect(reading.markup.isSubset(of: ["strong_open", "strong_close"]), "\(reading.markup)")
    #expect(Set(reading.rows) == [12])
    for part in ["InfraBench (\(shown)): interrupted: ", "was skipped: \(shown)", "http_503: \(shown)", "\(shown)"] {
      #expect(reading.texts.contains { $0.contains(part) }, "\(part) in \(reading.texts)")
    }
  }

  /// As for the page of a GitHub job, which shows nothing of a text that is too long.
  @Test func aTextIsCutBehindAWholeLineAndNeverTooLong() {
    let line = "| é😀 | 12.5ms |\n"
    let text = String(repeating: line, count: 50) + "```text\n" + String(repeating: "x\n", count: 200) + "```\nend\n"
    let pointer = "\nThe rest is in summary.md.\n"
    for room in -1...text.utf8.count + 1 {
      let kept = Markdown.cut(text, to: room, pointer: pointer)
      #expect((kept == nil) == (room < pointer.utf8.count), "\(room)")
      guard let kept, kept != text else { continue }
      #expect(room < text.utf8.count && kept.utf8.count <= room && kept.hasSuffix(pointer), "\(room)")
      let fences = kept.split(separator: "\n").count { $0.hasPrefix("```") }
      #expect(fences.isMultiple(of: 2), "\(room)")
      let rows = kept.split(separator: "\n").filter { $0.hasPrefix("|") }
      #expect(rows.allSatisfy { $0 + "\n" == line }, "\(room)")
    }
    #expect(Markdown.cut(text, to: text.utf8.count, pointer: pointer) == text)
  }
}
