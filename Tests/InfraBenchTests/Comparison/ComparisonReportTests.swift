import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

struct ComparisonReportTests {
  /// A day on which the pool was too small: slower, with errors, on another kernel; and a tool with too few runs.
  private static func realistic() async throws -> Comparison {
    let old = SampleRuns.documents() { $0.counters["warm"] = 100 }
    let new = SampleRuns.documents(factor: 1.15, day: "2026-11-21") { document in
      document.environment.kernel = "Linux 6.12"
      document.counters["misses"] = 40
      document.counters["errors"] = 0
      document.label = "nightly"
    }
    func dirinit(_ factor: Double, _ day: String, _ count: Int) -> [ResultDocument] {
      SampleRuns.documents(count, factor: factor, day: day) { document in
        document.tool = "bench-dirinit"
        document.target = .init(kind: "directory", gatewayUrl: nil, ecsEndpointUrl: nil, directory: "/tmp/x")
        document.metrics["create"] = document.metrics.removeValue(forKey: "allocation")
        document.metrics["gateway_latency"] = nil
      }
    }
    let others = SampleRuns.documents(2) { $0.parameters["count"] = 7 }
    var broken = SampleRuns.document(number: 30)
    broken.verdict = .interrupted
    return try await SampleRuns.compare(
      old + dirinit(1, "2026-11-20", 2) + others, new + dirinit(1.5, "2026-11-21", 3) + [broken])
  }

  @Test func theTextIsTheGoldenOne() async throws {
    try Golden.expect(ComparisonReport(try await Self.realistic()).text, "comparison.txt")
  }

  @Test func theMarkdownIsTheGoldenOne() async throws {
    try Golden.expect(ComparisonReport(try await Self.realistic()).markdown, "comparison.md")
  }

  @Test func theJSONIsTheGoldenOne() async throws {
    try Golden.expect(
      try ResultCoding.encode(ComparisonDocument(try await Self.realistic())), "comparison.json")
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func theJSONIsValid() async throws {
    var settings = Comparison.Settings()
    settings.splitsByLabel = true
    let split = try await SampleRuns.compare(
      SampleRuns.documents(1) { $0.label = "a" }, SampleRuns.documents(2, day: "2026-11-21") { $0.label = "a" },
      settings)
    for comparison in [try await Self.realistic(), split] {
      let faults = try await DocumentSchema.faults(
        in: ResultCoding.encode(ComparisonDocument(comparison)), schema: .comparison)
      #expect(faults.isEmpty, "\(faults)")
    }
  }

  private static let hostileText = "<script>|`x`*_[a](b)\\ \u{1b}[31m\r\n# heading\n| cell |\u{7f}\u{9b}&"

  private static func hostile() async throws -> Comparison {
    func harm(_ document: inout ResultDocument) {
      document.label = hostileText
      document.version = hostileText
      document.environment.cpu = hostileText
      document.parameters["command"] = .string(hostileText)
      document.parameters[hostileText] = 1
      document.metrics[hostileText] = document.metrics["allocation"]
    }
    var old = SampleRuns.documents(3)
    for number in old.indices {
      harm(&old[number])
      if number == 2 { old[number].parameters["count"] = .string(hostileText + "2") }
    }
    var new = SampleRuns.documents(3, day: "2026-11-21")
    for number in new.indices { harm(&new[number]) }
    new[0].environment.cpu = "another"
    new[1].label = nil
    // No reader lets such documents through.
    func runs(_ documents: [ResultDocument], from first: Int) -> StoredRuns {
      let runs = documents.enumerated().map { StoredRun($1, file: ResultFile(path: "\($0)", unwritten: first + $0)) }
      return StoredRuns(runs: runs, excluded: [])
    }
    var comparison = try await Comparison.make(old: runs(old, from: 0), new: runs(new, from: 10), names: ("old", "new"))
    comparison.excluded.append(ExcludedFile(file: hostileText, reason: hostileText))
    comparison.oldName = hostileText
    return comparison
  }

  @Test func hostileTextIsHarmlessInMarkdown() async throws {
    let text = ComparisonReport(try await Self.hostile()).markdown
    #expect(!text.contains("<script>") && !text.contains("[a](b)"))
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
    #expect(!text.contains("\n# heading"))
    // A cell stays a cell: every row of a table has as many bars as its header.
    for table in text.split(separator: "\n\n") where table.hasPrefix("|") {
      let bars = table.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
        line.replacing("\\|", with: "").count { $0 == "|" }
      }
      #expect(Set(bars).count == 1, "\(table)")
    }
  }

  @Test func hostileTextIsHarmlessOnATerminal() async throws {
    let comparison = try await Self.hostile()
    #expect(!comparison.groups.isEmpty)
    let text = ComparisonReport(comparison).text
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
    #expect(!text.contains("\n# heading"))
  }

  @Test func aLongListOfFilesIsCutForPeopleAndWholeForMachines() async throws {
    var comparison = try await Self.realistic()
    comparison.excluded = (0..<70).map { ExcludedFile(file: "file-\($0).json", reason: "why") }
    let text = ComparisonReport(comparison).text
    #expect(text.contains("file-49.json: why\n  and 20 more, which --print json names\n") && !text.contains("file-50"))
    #expect(try ResultCoding.encode(ComparisonDocument(comparison)).contains("file-69.json"))
  }

  @Test(
    arguments: [
      (12.34, "+12.3%"), (-0.04, "0.0%"), (-5, "−5.0%"), (1e6, "+1000000.0%"),
    ] as [(Double, String)])
  func changesAreWrittenWithASign(_ change: Double, _ words: String) {
    let statistic = StatisticComparison(
      metric: "m", statistic: .p50, old: [1], new: [2], change: change, interval: -1...2, pValue: 0.00001,
      uncorrectedPValue: 0.1, level: 0.95, verdict: .noChange, isExploratory: false, isBelowMinimum: false)
    #expect(statistic.changeText == words)
    #expect(statistic.intervalText == "−1.0% … +2.0%" && statistic.pText == "<0.0001")
  }
}
