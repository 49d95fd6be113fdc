import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// What the summary, JUnit and standard error say of a suite in every state: nothing that is not whole and met may look green.
@Suite struct SummaryStateTests {
  private static let start = "2026-11-20T21:00:00.123Z"

  private static func tool(
    _ tool: String, _ status: Int32, _ verdict: ResultDocument.Verdict? = nil, reason: String? = nil,
    messages: [String] = []
  ) -> SuiteSummary.Tool {
    var document = SampleDocuments.typical
    document.tool = .init(stringLiteral: tool)
    document.thresholds = []
    if let verdict { document.verdict = verdict }
    return .init(
      tool: tool, exitStatus: status, results: verdict == nil ? [] : [("a.json", document)], reason: reason,
      messages: messages)
  }

  static let cause = "the commonest error (1): http_503: status 503: busy"

  /// A summary, what JUnit's cases of the suite and the tool come to, and what is said on standard error.
  struct Sample: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var summary: SuiteSummary
    /// `<class>: <outcome>: <message>` of each case that did not pass.
    var cases: [String]
    var failures: [String]
  }

  static let samples: [Sample] = [
    Sample(
      testDescription: "running",
      summary: SuiteSummary(
        startedAt: start, state: .running, exitStatus: 1,
        tools: [
          tool("bench-allocation", 0, .pass), .init(tool: "bench-e2e", notStarted: "running"),
          .init(tool: "bench-api", notStarted: "not run", reason: "waiting"),
        ]),
      cases: [
        "bench-suite: error: the suite was still running when this was written: it goes on, or was killed",
        "bench-e2e: error: it was still running when this was written: it goes on, or was killed",
        "bench-api: skipped: waiting",
      ],
      failures: [
        "the suite was still running when this was written: it goes on, or was killed",
        "bench-e2e: it was still running when this was written: it goes on, or was killed",
      ]),
    Sample(
      testDescription: "interrupted by a signal",
      summary: SuiteSummary(
        startedAt: start, state: .interrupted, interruption: "SIGTERM", exitStatus: 143,
        tools: [
          tool("bench-allocation", 143, .interrupted),
          .init(tool: "bench-api", notStarted: "not run", reason: "interrupted"),
        ]),
      cases: [
        "bench-suite: error: the suite was interrupted: SIGTERM",
        "bench-allocation: error: verdict interrupted, exit status 143", "bench-api: skipped: interrupted",
      ],
      failures: [
        "the suite was interrupted: SIGTERM", "bench-allocation: verdict interrupted, exit status 143",
        "bench-allocation: \(cause)",
      ]),
    Sample(
      testDescription: "cut off by the deadline",
      summary: SuiteSummary(
        startedAt: start, state: .interrupted, interruption: "deadline", exitStatus: 1,
        tools: [.init(tool: "bench-api", notStarted: "not run", reason: "interrupted: deadline")]),
      cases: [
        "bench-suite: error: the suite was interrupted: deadline", "bench-api: skipped: interrupted: deadline",
      ], failures: ["the suite was interrupted: deadline"]),
    Sample(
      testDescription: "crashed, worthless, used wrongly, skipped",
      summary: SuiteSummary(
        startedAt: start, exitStatus: 64,
        tools: [
          tool("bench-allocation", 1, reason: "it was killed by SIGKILL"),
          tool("bench-e2e", 1, .error, messages: ["error: nothing was measured: no route; \(cause)"]),
          tool("bench-dirinit", 64, messages: ["error: --count: write a number\nerror: --root: no\nSee 'x --help'.\n"]),
          .init(tool: "bench-exhaustion", notStarted: "skipped", reason: "no CONFIRM_DRAIN"),
          .init(tool: "bench-api", notStarted: "skipped"),
        ]),
      cases: [
        "bench-allocation: error: it was killed by SIGKILL",
        "bench-e2e: error: nothing was measured: no route; \(cause)", "bench-dirinit: error: --count: write a number",
        "bench-exhaustion: skipped: no CONFIRM_DRAIN", "bench-api: skipped: it was not started",
      ],
      failures: [
        "bench-allocation: it was killed by SIGKILL", "bench-e2e: nothing was measured: no route; \(cause)",
        "bench-dirinit: --count: write a number", "bench-dirinit: --root: no", "bench-dirinit: See 'x --help'.",
      ]),
    Sample(
      testDescription: "slower than before",
      summary: SuiteSummary(
        startedAt: start, exitStatus: 99, tools: [tool("bench-allocation", 0, .pass)],
        comparison: .init(with: "2026-11-19", outcome: .regression, decides: true, reasons: ["create P99: +20 %"])),
      cases: ["bench-compare: failure: regression, compared with 2026-11-19"],
      failures: ["bench-compare: regression, compared with 2026-11-19", "bench-compare: create P99: +20 %"]),
    Sample(
      testDescription: "not judged",
      summary: SuiteSummary(
        startedAt: start, exitStatus: 1, tools: [tool("bench-allocation", 0, .pass)],
        comparison: .init(with: "main", outcome: .notJudged, decides: true, reasons: ["too few runs"])),
      cases: ["bench-compare: error: not judged, compared with main"],
      failures: ["bench-compare: not judged, compared with main", "bench-compare: too few runs"]),
    Sample(
      testDescription: "the first night",
      summary: SuiteSummary(
        startedAt: start, exitStatus: 0, tools: [tool("bench-allocation", 0, .pass)],
        comparison: .init(with: nil, outcome: .noEarlierDay, decides: true, reasons: [])),
      cases: ["bench-compare: skipped: no earlier day"], failures: []),
    Sample(
      testDescription: "a comparison without a say",
      summary: SuiteSummary(
        startedAt: start, exitStatus: 0, tools: [tool("bench-allocation", 0, .pass)],
        comparison: .init(with: "2026-11-19", outcome: .regression, decides: false, reasons: ["create P99"])),
      cases: [], failures: []),
  ]

  @Test(
    .enabled(
      if: JUnitReader.isAvailable, "needs Python's lxml and junitparser; INFRABENCH_PYTHON names an interpreter"),
    arguments: samples)
  func jUnitSaysWhatIsNotWholeAndWhy(_ sample: Sample) async throws {
    let reading = try await JUnitReader.read(JUnitReport(sample.summary).xml)
    #expect(reading.faults == [])
    let found = reading.cases.filter { $0.outcome != "passed" }
    #expect(found.map { "\($0.suite): \($0.outcome): \($0.message ?? "")" } == sample.cases)
    #expect(found.allSatisfy { $0.text?.hasPrefix($0.message ?? "-") == true })
  }

  @Test(arguments: samples) func everyReasonIsALineOfStandardErrorAndOfTheSummary(_ sample: Sample) throws {
    #expect(sample.summary.failures == sample.failures)
    let markdown = SummaryReport(sample.summary).markdown
    for failure in sample.failures { #expect(markdown.contains("\n- \(Markdown.escape(failure))\n"), "\(markdown)") }
    #expect(markdown.contains("## What failed") == !sample.failures.isEmpty)
    for item in sample.cases where item.contains(": skipped: ") && !item.hasPrefix("bench-compare") {
      let parts = item.split(separator: ": skipped: ")
      let lines = markdown.split(separator: "\n").filter { $0.hasPrefix("- \(parts[0]) was ") }
      #expect(lines.contains { $0.hasSuffix(": \(Markdown.escape(String(parts[1])))") }, "\(markdown)")
    }
  }

  @Test(
    arguments: zip(
      samples,
      [
        "running", "interrupted: SIGTERM", "interrupted: deadline", "failed", "slower or worse than before", "failed",
        "passed",
        "passed",
      ])) func theHeadingSaysHowItEnded(_ sample: Sample, _ outcome: String)
  {
    #expect(SummaryReport(sample.summary).markdown.hasPrefix("# InfraBench: \(outcome)\n"))
  }

  @Test func theTextOnATerminalSaysWhatIsMissing() {
    let text = SummaryReport(Self.samples[1].summary).text
    #expect(text.hasSuffix("the suite was interrupted: SIGTERM\nbench-api was not run: interrupted\n"), "\(text)")
  }
}
