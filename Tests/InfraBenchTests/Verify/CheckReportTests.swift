import FoundationEssentials
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// Checks in documents and reports: what failed is shown with its story, and what was not tested never passes.
struct CheckReportTests {
  static var checks: [CheckRecord] {
    [
      CheckRecord(
        name: "resume", claim: "a user who returns finds the files", verdict: .pass, begin: 0.5, seconds: 1.25,
        counters: ["lost_files", "resume_failed"],
        violations: [
          .init(
            t: 1.5, counter: "lost_files", what: "user-0001 returned, and notes is lost (ENOENT)", events: [0, 1, 2])
        ],
        events: [
          .init(t: 0.6, user: "user-0001", task: "aaaaaaaaaaaaaaaa", what: "is given the task"),
          .init(t: 0.9, user: "user-0001", task: "aaaaaaaaaaaaaaaa", what: "leaves"),
          .init(t: 1.4, user: "user-0001", task: "bbbb", what: "is given the task"),
        ], eventsLeftOut: 7),
      CheckRecord(
        name: "storm", claim: "one task at most", verdict: .pass, reason: "leaks were not looked for", begin: 2,
        seconds: 0.5, counters: ["storm_leaked"], events: [.init(t: 2.1, what: "the pool has 5 warm tasks")]),
      CheckRecord(
        name: "churn", claim: "no task has two users", verdict: .notTested, reason: "no status", begin: 3, seconds: 0,
        counters: ["duplicate_assignments"]),
    ]
  }

  static var document: ResultDocument {
    var document = SampleDocuments.typical
    document.tool = "bench-verify"
    document.counters = ["iterations": 4, "errors": 0, "timeouts": 0, "dropped": 0, "censored": 0, "lost_files": 1]
    document.errors = []
    document.metrics = ["resume": SampleDocuments.metric([21_000_000, 22_000_000])].compactMapValues { $0 }
    document.thresholds = [.init(expression: "lost_files == 0", observed: 1, pass: false)]
    document.verdict = .fail
    document.checks = checks.map { $0.judged(allowing: []) }
    return document
  }

  @Test func reportsAreTheGoldenOnes() throws {
    try Golden.expect(TextReport(Self.document).text, "checks.txt")
    try Golden.expect(MarkdownReport(Self.document).text, "checks.md")
    try Golden.expect(ResultHTML(Self.document).source, "checks.html")
    try Golden.expect(JUnitReport(Self.document).xml, "checks.xml")
  }

  /// A threshold that a run has met allows its counter's violations; nothing else does.
  @Test(
    arguments: [
      ([], .fail), (["lost_files"], .pass), (["resume_failed"], .fail), (["lost_files", "resume_failed"], .pass),
    ] as [(Set<String>, CheckRecord.Verdict)])
  func aCheckFailsByAViolationThatNoThresholdAllows(_ allowed: Set<String>, _ verdict: CheckRecord.Verdict) {
    #expect(Self.checks[0].judged(allowing: allowed).verdict == verdict)
  }

  @Test func whatWasNotTestedIsNeverJudgedAPass() {
    #expect(Self.checks[2].judged(allowing: ["duplicate_assignments"]).verdict == .notTested)
  }

  @Test(.enabled(if: JUnitReader.isAvailable)) func junitHasACaseForEachCheck() async throws {
    let reading = try await JUnitReader.read(JUnitReport(Self.document).xml)
    #expect(reading.faults == [])
    let cases = reading.cases.filter { $0.name.hasPrefix("check ") }
    #expect(cases.map(\.name) == ["check resume", "check storm", "check churn"])
    #expect(cases.map(\.outcome) == ["failure", "passed", "skipped"])
    #expect(cases[2].message == "not tested: no status")
    #expect(cases[0].text?.contains("0.900 s  user-0001  task aaaaaaaa…  leaves") == true)
  }

  @Test(.enabled(if: DocumentSchema.isAvailable)) func theDocumentKeepsToTheSchemaAndIsReadBack() async throws {
    let json = try ResultCoding.encode(Self.document)
    #expect(try await DocumentSchema.faults(in: json) == [])
    let read = try ResultCoding.decode(json, tools: .suite)
    #expect(read.checks == Self.document.checks)
  }

  @Test func hostileTextIsHarmless() throws {
    var document = Self.document
    let evil = "<script>x</script> [a](b) | `c` ``` \u{1b}[31m \n# heading"
    document.checks = [
      CheckRecord(
        name: "resume", claim: evil, verdict: .fail, reason: evil, begin: 0, seconds: 1, counters: ["lost_files"],
        violations: [.init(t: 0, counter: "lost_files", what: evil, events: [0])],
        events: [.init(t: 0, user: evil, task: evil, what: evil)])
    ]
    for text in [MarkdownReport(document).text, TextReport(document).text] {
      #expect(!text.contains("\n# heading") && !text.contains("\u{1b}"))
    }
    let markdown = MarkdownReport(document).text
    // The story is a block of code that nothing in it can end.
    #expect(markdown.ranges(of: "```").count.isMultiple(of: 2))
    #expect(!ResultHTML(document).source.contains("<script>"))
  }

  /// A stored file may hold anything: what a report could not show is refused.
  @Test(
    arguments: [
      { $0.name = "Resume me" }, { $0.begin = -1 }, { $0.seconds = .infinity }, { $0.events[1].t = .nan },
      { $0.violations[0].events = [3] }, { $0.violations[0].events = [-1] }, { $0.eventsLeftOut = -1 },
      {
        $0.verdict = .notTested
        $0.reason = nil
      },
    ] as [@Sendable (inout CheckRecord) -> Void])
  func aBrokenRecordIsRefused(_ breaking: @Sendable (inout CheckRecord) -> Void) {
    var document = Self.document
    #expect(ResultRules.violation(in: document) == nil)
    breaking(&document.checks![0])
    #expect(
      ResultRules.violation(in: document)?.hasPrefix(
        document.checks![0].name == "resume" ? "checks.resume" : "'Resume me'") == true)
  }

  @Test func mergedRunsKeepTheirCountersAndSayWhereTheirChecksAre() throws {
    var second = Self.document
    second.startedAt = "2026-11-20T22:00:00.123Z"
    let runs = try StoredSamples.stored([Self.document, second], in: ScratchDirectory())
    let merged = try ResultMerge.merge(runs)
    #expect(merged.checks == nil && merged.counters["lost_files"] == 2)
    #expect(merged.notes.contains { $0.contains("what each run checked") })
  }
}
