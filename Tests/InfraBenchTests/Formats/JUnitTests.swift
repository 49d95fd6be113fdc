import Foundation
import TestSupport
import Testing

@testable import InfraBench

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

  /// Reads every report as a consumer does, and prints what it found.
  private static let script = """
    import json, sys, xml.etree.ElementTree as ElementTree
    root = ElementTree.parse(sys.argv[1]).getroot()
    assert root.tag == "testsuites"
    totals = dict(tests=0, failures=0, errors=0, skipped=0, time=0.0)
    cases = []
    for suite in root:
        assert suite.tag == "testsuite" and suite.get("name") and len(suite.get("timestamp")) == 19
        own = [case for case in suite if case.tag == "testcase"]
        assert len(own) == len(suite) == int(suite.get("tests"))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name)) == sum(1 for case in own if case.find(tag) is not None), name
        assert abs(float(suite.get("time")) - sum(float(case.get("time")) for case in own)) < 1e-6
        assert len({(case.get("classname"), case.get("name")) for case in own}) == len(own)
        for name in totals: totals[name] += float(suite.get(name))
        cases += [[case.get("name")] + [[child.tag, child.get("message"), child.text] for child in case] for case in own]
    for name, total in totals.items(): assert abs(float(root.get(name)) - total) < 1e-6, name
    json.dump(cases, sys.stdout)
    """

  private func read(_ xml: String) async throws -> [[Any]] {
    let scratch = try ScratchDirectory()
    let result = try await Python.run(["-c", Self.script, try scratch.write("report.xml", xml)])
    #expect(result.status == 0, "\(result.output)")
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[Any]])
  }

  private static let hasPython = Python.canImport("xml.etree.ElementTree")

  @Test(.enabled(if: hasPython, "needs Python; INFRABENCH_PYTHON names an interpreter"))
  func aParserReadsTheCountsTimesAndObservedValues() async throws {
    #expect(try await read(JUnitReport(Self.summary).xml).count == 15)
    let cases = try await read(JUnitReport(SampleDocuments.typical).xml)
    let failed = try #require(cases.first { $0[0] as? String == "allocation.p99 < 50ms" })
    #expect(
      failed[1] as? [String] == [
        "failure", "allocation.p99 < 50ms: observed 78.2ms", "threshold: allocation.p99 < 50ms\nobserved: 78.2ms",
      ])
  }

  @Test(.enabled(if: hasPython, "needs Python; INFRABENCH_PYTHON names an interpreter"))
  func hostileTextStaysText() async throws {
    let text = "<b a=\"x\" c='y'>&amp;]]>\u{0}\u{8}\u{1b}[31m\u{fffe}\u{ffff}\u{85}\r\n\ttab é 😀"
    let shown = "<b a=\"x\" c='y'>&amp;]]>[31m\u{85}\r\n\ttab é 😀"
    var document = SampleDocuments.typical
    document.label = text
    document.thresholds = [
      .init(expression: text, observed: nil, pass: false, reason: text),
      .init(expression: text, observed: nil, pass: true, skipped: true, reason: text),
      .init(expression: text, observed: 1, pass: true),
    ]
    let cases = try await read(JUnitReport(document).xml)
    #expect(cases.dropFirst().map { $0[0] as? String } == [shown, "\(shown) (2)", "\(shown) (3)"])
    #expect((cases[1][1] as? [String])?[2] == "threshold: \(shown)\nobserved: no sample\nreason: \(shown)")
    #expect(cases[2][1] as? [String] == ["skipped", shown, shown])
  }
}
