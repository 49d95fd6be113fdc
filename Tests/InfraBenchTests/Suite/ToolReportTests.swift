import Testing

@testable import InfraBench
@testable import Results

/// The lines on the pipe between a tool and the suite.
@Suite struct ToolReportTests {
  @Test(arguments: [
    ToolReport.result(file: "results/2026-11-20/210000Z-bench-api.json"), .result(file: "a \"b\"\n\u{1f600}/ü.json"),
    .error("no\nline"), .error(""),
  ]) func aLineIsReadAsItWasWritten(report: ToolReport) throws {
    let line = try #require(report.line)
    #expect(line.hasSuffix("\n") && line.dropLast().contains("\n") == false)
    #expect(ToolReport(line: line.dropLast()) == report)
  }

  @Test(arguments: ["", "{}", "[]", #"{"event": "result"}"#, #"{"event": "other", "file": "x"}"#, "result"])
  func anotherLineIsNone(line: String) {
    #expect(ToolReport(line: line) == nil)
  }

  @Test func aLongMessageIsCut() throws {
    let line = try #require(ToolReport.error(String(repeating: "x", count: 1 << 20)).line)
    #expect(line.utf8.count < 4_100)
  }
}
