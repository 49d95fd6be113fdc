import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct JUnitTests {
  private static var summary: SuiteSummary {
    let document = SampleDocuments.typical
    var saturated = document
    saturated.tool = "bench-e2e"
    saturated.generator.saturated = true
    return SuiteSummary(
      startedAt: "2026-11-20T21:00:00.123Z", exitStatus: 99,
      tools: [
        .init(tool: "bench-allocation", exitStatus: 99, results: [("a.json", document)]),
        .init(tool: "bench-e2e", exitStatus: 99, results: [("b.json", saturated)]),
        .init(tool: "bench-dirinit", exitStatus: 64, results: []),
        .init(tool: "bench-exhaustion", notStarted: "skipped", reason: "CLUSTER set without SERVICE"),
        .init(tool: "bench-api", notStarted: "not run"),
      ])
  }

  @Test func theReportOfARunIsTheGoldenOne() throws {
    var document = SampleDocuments.typical
    document.label = "nightly"
    try Golden.expect(JUnitReport(document).xml, "report.xml")
  }

  @Test func theReportOfASuiteIsTheGoldenOne() throws {
    try Golden.expect(JUnitReport(Self.summary).xml, "suite.xml")
  }

  @Test(
    arguments: [
      (.pass, false, ""), (.fail, false, ""), (.fail, true, "<failure"), (.pass, true, ""), (.error, false, "<error"),
      (.interrupted, false, "<error"), (.interrupted, true, "<error"),
    ] as [(ResultDocument.Verdict, Bool, String)])
  func whetherTheRunIsWholeIsACaseOfItsOwn(verdict: ResultDocument.Verdict, isSaturated: Bool, element: String) {
    var document = SampleDocuments.typical
    document.verdict = verdict
    document.generator.saturated = isSaturated
    document.thresholds = []
    let xml = JUnitReport(document).xml
    #expect(xml.contains("tests=\"1\""))
    #expect(element.isEmpty ? !xml.contains("<failure") && !xml.contains("<error") : xml.contains(element))
  }

  @Test(
    arguments: [
      (0, .pass, "pass"), (99, .fail, "fail"), (99, .pass, "pass"), (1, .pass, "error"), (1, .fail, "error"),
      (139, .pass, "error"), (64, .pass, "error"), (1, .error, "error"), (1, .interrupted, "interrupted"),
      (130, .pass, "interrupted"), (143, .fail, "interrupted"), (130, .error, "interrupted"),
      (0, nil, "error"), (1, nil, "error"), (130, nil, "interrupted"),
    ] as [(Int32, ResultDocument.Verdict?, String)])
  func aStatusWorseThanTheDocumentsDecidesTheVerdictOfATool(
    status: Int32, documents: ResultDocument.Verdict?, verdict: String
  ) {
    let results = documents.map { known in
      var document = SampleDocuments.typical
      document.verdict = known
      document.thresholds = []
      // Five runs whose results are there.
      return (1...5).map { (file: "\($0).json", document: document) }
    }
    let tool = SuiteSummary.Tool(tool: "bench-allocation", exitStatus: status, results: results ?? [])
    #expect(tool.verdict == verdict)
    let summary = SuiteSummary(startedAt: "2026-11-20T21:00:00.123Z", exitStatus: status, tools: [tool])
    let error = "<error message=\"verdict \(verdict), exit status \(status)\""
    let xml = JUnitReport(summary).xml
    #expect(xml.contains(error) == ["error", "interrupted"].contains(verdict))
    #expect(xml.contains("errors=\"\(xml.contains(error) ? 1 : 0)\""))
    #expect(SummaryReport(summary).markdown.contains("| bench-allocation | \(verdict) |"))
  }

  private func cases(_ xml: String) async throws -> [JUnitReader.Case] {
    let reading = try await JUnitReader.read(xml)
    #expect(reading.faults == [])
    return reading.cases
  }

  @Test(
    .enabled(if: JUnitReader.isAvailable, "needs Python's lxml and junitparser; INFRABENCH_PYTHON names an interpreter")
  )
  func aParserReadsTheCountsTimesAndReasons() async throws {
    #expect(try await cases(JUnitReport(Self.summary).xml).count == 16)
    let cases = try await cases(JUnitReport(SampleDocuments.typical).xml)
    let failed = try #require(cases.first { $0.name == "allocation.p99 < 50ms" })
    #expect(failed.outcome == "failure" && failed.message == "allocation.p99 < 50ms: observed 78.2ms")
    let cause = "the commonest error (1): http_503: status 503: busy"
    #expect(failed.text == "threshold: allocation.p99 < 50ms\nobserved: 78.2ms\n\(cause)")
    var worthless = SampleDocuments.typical
    worthless.verdict = .error
    let whole = try await self.cases(JUnitReport(worthless).xml)[0]
    #expect(whole.outcome == "error" && whole.message == "verdict error; \(cause)")
    #expect(whole.text?.hasSuffix("\nthe target and the generator share their cores") == true)
  }

  @Test func aSaturatedRunThatMayPassFailsForItsThresholdsAlone() {
    var document = SampleDocuments.typical
    document.generator.saturated = true
    document.notes.append(Saturation.allowedNote)
    let tool = SuiteSummary.Tool(tool: "bench-allocation", exitStatus: 99, results: [("a.json", document)])
    let summary = SuiteSummary(startedAt: document.startedAt, exitStatus: 99, tools: [tool])
    for xml in [JUnitReport(document).xml, JUnitReport(summary).xml] {
      #expect(!xml.contains("saturated") && xml.contains("failures=\"2\""))
    }
    #expect(!summary.failures.contains { $0.contains("saturated") })
  }

  /// A CI job may collect the files of several runs, and readers take equal ones for one.
  @Test(
    .enabled(if: JUnitReader.isAvailable, "needs Python's lxml and junitparser; INFRABENCH_PYTHON names an interpreter")
  )
  func runsSideBySideHaveNamesOfTheirOwn() async throws {
    var documents = (1...3).map { number in
      var document = SampleDocuments.typical
      document.repetition = .init(run: number, of: 3)
      return document
    }
    documents += ["a", "b"].map { label in
      var document = SampleDocuments.typical
      document.label = label
      return document
    }
    var keys: Set<String> = []
    for document in documents {
      for item in try await cases(JUnitReport(document).xml) { keys.insert("\(item.className)\n\(item.name)") }
    }
    #expect(keys.count == 5 * 6)
    let suites = ["a", "b"].map { label in
      var summary = Self.summary
      summary.label = label
      return JUnitReport(summary).xml
    }
    let classes = try await cases(suites[0]).map(\.className) + cases(suites[1]).map(\.className)
    #expect(Set(classes).count == 2 * 6)
    // Without a label: two runs that began within one second.
    let starts = ["2026-11-20T21:00:00.123Z", "2026-11-20T21:00:00.124Z"].map { start in
      var document = SampleDocuments.typical
      document.startedAt = start
      return JUnitReport(document).xml
    }
    for attribute in ["id", "timestamp"] {
      let values = starts.map { $0.split(separator: " \(attribute)=\"").dropFirst().first?.prefix { $0 != "\"" } }
      #expect(values[0] != nil && values[0] != values[1], "\(attribute)")
    }
  }

  @Test(
    .enabled(if: JUnitReader.isAvailable, "needs Python's lxml and junitparser; INFRABENCH_PYTHON names an interpreter")
  )
  func hostileTextStaysText() async throws {
    // A surrogate without its other half, as a server's bytes may have it.
    let half = String(decoding: [0xd83d, 0x61] as [UInt16], as: UTF16.self)
    let text = "<b a=\"x\" c='y'>&amp;]]>\u{0}\u{8}\u{1b}[31m\u{fffe}\u{ffff}\u{85}\r\n\ttab é 😀|`@x`\(half)"
    let shown = "<b a=\"x\" c='y'>&amp;]]>[31m\u{85}\r\n\ttab é 😀|`@x`\u{fffd}a"
    var document = SampleDocuments.typical
    document.label = text
    document.errors[0].example = text
    document.thresholds = [
      .init(expression: text, observed: nil, pass: false, reason: text),
      .init(expression: text, observed: nil, pass: true, skipped: true, reason: text),
      .init(expression: text, observed: 1, pass: true),
    ]
    let found = try await cases(JUnitReport(document).xml)
    #expect(found.dropFirst().map(\.name) == [shown, "\(shown) (2)", "\(shown) (3)"])
    #expect(found.allSatisfy { $0.className == "bench-allocation (\(shown))" })
    #expect(
      found[1].text?.hasPrefix("threshold: \(shown)\nobserved: no sample\nreason: \(shown)\nthe commonest") == true)
    #expect(found[2].outcome == "skipped" && found[2].message == shown && found[2].text == shown)
    let tool = SuiteSummary.Tool(
      tool: "bench-allocation", exitStatus: 1, results: [("a.json", document)], reason: text, messages: [text])
    let summary = SuiteSummary(
      startedAt: document.startedAt, state: .interrupted, interruption: text, exitStatus: 1, tools: [tool], label: text)
    #expect(try await cases(JUnitReport(summary).xml)[1].message == shown)
  }

  @Test(
    .enabled(
      if: JUnitReader.isAvailable, "needs Python's lxml and junitparser; INFRABENCH_PYTHON names an interpreter"),
    arguments: [0, 0.0004, 1e9, 1e300, -1, .infinity, .nan] as [Double])
  func everyTimeIsADecimalNumber(seconds: Double) async throws {
    var document = SampleDocuments.typical
    document.durationSeconds = seconds
    #expect(try await cases(JUnitReport(document).xml).count == 6)
  }
}
