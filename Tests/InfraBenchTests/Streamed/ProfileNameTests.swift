import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Reports
@testable import Results

/// By which profile a gateway was spoken to, in what reads results.
@Suite struct ProfileNameTests {
  private static func document(_ profile: String?, given: Bool = false) -> ResultDocument {
    var document = SampleDocuments.typical
    document.target.profile = profile
    if given { document.parameters["gatewayProfile"] = profile.map { .string($0) } }
    return document
  }

  @Test func everyReportNamesIt() throws {
    let document = Self.document("my-gateway")
    let place = "embedded http://127.0.0.1:41235, profile my-gateway"
    #expect(TextReport(document).text.contains(" · \(place)\n"))
    #expect(MarkdownReport(document).text.contains("- target \(place)\n"))
    #expect(try MarkupReader(ResultHTML(document).source).text.contains("target: \(place)"))
    #expect(CSVReport(document).text.contains(",run,profile,,,,,,my-gateway\r\n"))
    #expect(try OpenMetricsReport(document).text.contains(#"target="embedded",profile="my-gateway",version="#))
  }

  @Test func documentsFromBeforeItAreShownWithoutIt() throws {
    let json = try ResultCoding.encode(Self.document(nil))
    #expect(!json.contains("profile"))
    let document = try ResultCoding.decode(json, tools: .suite)
    for text in [
      TextReport(document).text, MarkdownReport(document).text, ResultHTML(document).source, CSVReport(document).text,
      try OpenMetricsReport(document).text,
    ] { #expect(!text.contains("profile")) }
  }

  /// Two ways through one gateway are two series; one that was found out follows from the target.
  @Test func aGivenProfileIsALabelOfAllSamples() throws {
    let given = try OpenMetricsReport(Self.document("lab", given: true)).text
    #expect(given.contains(#"infrabench_errors_total{tool="bench-allocation",target="embedded",profile="lab"} 1"#))
    #expect(given.split(separator: "\n").allSatisfy { $0.split(separator: "profile=").count <= 2 })
    let found = try OpenMetricsReport(Self.document("lab")).text
    #expect(found.contains(#"infrabench_errors_total{tool="bench-allocation",target="embedded"} 1"#))
  }

  @Test func hostileNamesAreHarmless() throws {
    let document = Self.document(HTMLSamples.hostile + "\n# heading\n| cell |", given: true)
    #expect(try MarkupReader(ResultHTML(document).source).elements.allSatisfy { $0.name != "script" })
    #expect(
      !TextReport(document).text.contains("\n# heading") && !MarkdownReport(document).text.contains("\n# heading"))
    #expect(!MarkdownReport(document).text.contains("<script>"))
  }

  // MARK: Runs beside one another

  private func runs(_ profile: String?, day: String = "2026-11-20") -> [ResultDocument] {
    SampleRuns.documents(day: day) { $0.target.profile = profile }
  }

  @Test func runsByTwoProfilesDifferInMoreThanTheirLatencies() async throws {
    let differences = try await SampleRuns.compare(runs("embedded"), runs("lab", day: "2026-11-21"))
      .environmentDifferences
    #expect(
      differences == [
        EnvironmentDifference(
          sentence: "the gateway's profile differs: 'embedded' in OLD, 'lab' in NEW", isSerious: true)
      ])
    #expect(
      try EnvironmentDifferences.sentences(within: SampleRuns.stored(runs("embedded") + runs("lab")).runs)
        == ["the gateway's profile is not the same in all runs: 'embedded' and 'lab'"])
  }

  @Test func runsFromBeforeProfilesDifferFromNone() async throws {
    let comparison = try await SampleRuns.compare(runs(nil), runs("embedded", day: "2026-11-21"))
    #expect(comparison.environmentDifferences == [] && comparison.groups.count == 1)
    let mixed = try await SampleRuns.compare(
      runs("lab") + runs("embedded", day: "2026-11-19"), runs(nil, day: "2026-11-21"))
    #expect(
      mixed.environmentDifferences.map(\.sentence) == [
        "the gateway's profile differs: 'embedded' and 'lab' in OLD, not told in NEW"
      ])
  }

  /// Told to speak in two ways they were asked for two things.
  @Test func runsByTwoGivenProfilesAreNoPairs() async throws {
    let given = SampleRuns.documents(day: "2026-11-21") {
      $0.target.profile = "lab"
      $0.parameters["gatewayProfile"] = "lab"
    }
    let comparison = try await SampleRuns.compare(runs("embedded"), given)
    #expect(comparison.groups.isEmpty && comparison.onlyOnOneSide.count == 2)
    #expect(
      comparison.workloadDifferences == [
        "bench-allocation is not compared: gatewayProfile is absent in OLD and 'lab' in NEW"
      ])
  }

  @Test func runsByTwoProfilesAreNotMerged() throws {
    let scratch = try ScratchDirectory()
    let documents = [("embedded", "10"), ("lab", "11"), (nil, "12")].map { profile, hour in
      var document = StoredSamples.run([1_000_000], startedAt: "2026-11-20T\(hour):00:00.000Z", seed: Int64(hour) ?? 0)
      document.target.profile = profile
      return document
    }
    let results = try StoredSamples.stored(documents, in: scratch)
    let problems = MergeCheck(results).problems.map { $0.replacing(scratch.path + "/", with: "") }
    #expect(problems == ["'run-1.json' was spoken to by the profile lab, and 'run-0.json' by embedded"])
    // One that doesn't tell is of any; together they don't tell either.
    #expect(try ResultMerge.merge([results[0], results[2]]).target.profile == nil)
  }
}
