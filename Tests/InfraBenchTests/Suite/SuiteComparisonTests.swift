import Foundation
import Testing
import TestSupport

@testable import InfraBench
@testable import Comparison
@testable import Reports
@testable import Results

/// What the suite says of its own results beside an earlier day's.
@Suite struct SuiteComparisonTests {
  private func settings(
    _ scratch: ScratchDirectory, decides: Bool = true, baseline: String? = nil
  ) -> SuiteSettings {
    SuiteSettings(
      tools: [], directory: scratch.path, deadline: nil, baseline: baseline, failsOnRegression: decides)
  }

  private func results(
    _ count: Int = 6, factor: Double = 1, day: String = "2026-11-20",
    change: (inout ResultDocument) -> Void = { _ in }
  ) -> [(file: String, document: ResultDocument)] {
    SampleRuns.documents(count, factor: factor, day: day, change: change).enumerated().map {
      ("\(day)/\($0.offset).json", $0.element)
    }
  }

  @Test(
    arguments: [(1.0, .noRegression, 0), (2.0, .regression, 99)]
      as [(Double, SuiteSummary.Comparison.Outcome, Int32)])
  func theLatestEarlierDayDecides(factor: Double, outcome: SuiteSummary.Comparison.Outcome, status: Int32) async throws
  {
    let scratch = try ScratchDirectory()
    try SampleRuns.write(SampleRuns.documents(factor: 9, day: "2026-11-17"), "2026-11-17", in: scratch)
    try SampleRuns.write(SampleRuns.documents(day: "2026-11-18"), "2026-11-18", in: scratch)
    // Other runs of today, a later day, a day without results and another folder are none to compare with.
    try SampleRuns.write(SampleRuns.documents(factor: 9, day: "2026-11-20"), "2026-11-20", in: scratch)
    try SampleRuns.write(SampleRuns.documents(factor: 9, day: "2026-11-21"), "2026-11-21", in: scratch)
    try scratch.write("2026-11-19/other.json", "{}")
    try SampleRuns.write(SampleRuns.documents(factor: 9, day: "2026-11-19"), "2026-11-19-old", in: scratch)
    let comparison = await SuiteComparison.make(of: results(factor: factor), settings(scratch))
    #expect(comparison.finding.with == "2026-11-18" && comparison.finding.outcome == outcome)
    #expect(comparison.exitStatus == status)
    #expect(
      comparison.finding.reasons.contains { $0.hasPrefix("allocation P50 is slower: +100.0%") } == (status == 99),
      "\(comparison.finding)")
    #expect(comparison.text.contains("OLD: 2026-11-18 (6 runs), NEW: this run of 2026-11-20 (6 runs)"))
    #expect(comparison.markdown.hasPrefix("## Comparison: "))
    let silent = await SuiteComparison.make(of: results(factor: factor), settings(scratch, decides: false))
    #expect(silent.exitStatus == 0 && silent.finding.outcome == outcome && !silent.finding.decides)
  }

  @Test func aRunPastMidnightIsComparedWholeWithTheDayBeforeItsFirstResult() async throws {
    let scratch = try ScratchDirectory()
    try SampleRuns.write(SampleRuns.documents(day: "2026-11-18"), "2026-11-18", in: scratch)
    let own = results(3, day: "2026-11-19") + results(3, day: "2026-11-20")
    try SampleRuns.write(own.prefix(3).map(\.document), "2026-11-19", in: scratch)
    let comparison = await SuiteComparison.make(of: own, settings(scratch))
    #expect(comparison.finding.with == "2026-11-18")
    #expect(comparison.text.contains("NEW: this run of 2026-11-19 (6 runs)"))
  }

  /// A run by a profile is compared with an earlier one by the same profile, and is not missed where it was not asked for.
  @Test func runsByAProfileStandBesideThoseByTheSame() async throws {
    let scratch = try ScratchDirectory()
    let byProfile = { (document: inout ResultDocument) in
      document.parameters["gatewayProfile"] = "product"
      document.label = "product"
    }
    let earlier =
      SampleRuns.documents(day: "2026-11-18") + SampleRuns.documents(factor: 5, day: "2026-11-18", change: byProfile)
    try SampleRuns.write(earlier, "2026-11-18", in: scratch)
    let own = results() + results(factor: 5, change: byProfile)
    let both = await SuiteComparison.make(of: own, settings(scratch))
    #expect(both.finding.outcome == .noRegression, "\(both.finding)")
    let slower = await SuiteComparison.make(of: results() + results(factor: 10, change: byProfile), settings(scratch))
    #expect(slower.finding.outcome == .regression && slower.finding.reasons.allSatisfy { $0.contains("+100.0%") })
    let usual = await SuiteComparison.make(of: results(), settings(scratch))
    #expect(usual.finding.outcome == .noRegression, "\(usual.finding)")
  }

  @Test func aFirstDayPassesWithANote() async throws {
    let comparison = await SuiteComparison.make(of: results(), settings(try ScratchDirectory()))
    #expect(comparison.finding.outcome == .noEarlierDay && comparison.exitStatus == 0)
    #expect(comparison.text.hasPrefix("compared with no earlier day: ") && comparison.text.hasSuffix("\n"))
    #expect(comparison.text.split(separator: "\n").count == 1)
  }

  @Test(arguments: [
    ("{\"schema\": \"infrabench.res", "it is no JSON: it may be cut off"),
    (
      "{\"schema\": \"infrabench.result/2\"}",
      "it is of the newer schema 'infrabench.result/2': show it with the suite that wrote it, or a later one"
    ),
  ]) func resultsThatCannotBeReadAreNoFirstDay(text: String, reason: String) async throws {
    let scratch = try ScratchDirectory()
    try SampleRuns.write(SampleRuns.documents(day: "2026-11-17"), "2026-11-17", in: scratch)
    let damaged = try scratch.write("2026-11-18/damaged.json", text)
    try scratch.write("base/damaged.json", text)
    let base = "\(scratch.path)/base"
    // Neither the user's folder nor the latest day, for which the older one would have to stand in silently.
    let places: [(baseline: String?, name: String, file: String)] = [
      (base, base, "\(base)/damaged.json"), (nil, "2026-11-18", damaged),
    ]
    for (baseline, name, file) in places {
      let comparison = await SuiteComparison.make(of: results(), settings(scratch, baseline: baseline))
      #expect(comparison.finding.outcome == .notJudged && comparison.exitStatus == 1, "\(comparison.finding)")
      #expect(comparison.finding.with == name)
      #expect(comparison.finding.reasons == ["none of its results can be read", "left out: \(file): \(reason)"])
      #expect(comparison.text.contains(reason) && comparison.text.split(separator: "\n").count == 1)
    }
  }

  /// Else a day of debug builds would be a line for each of its files.
  @Test func filesLeftOutForOneReasonAreOneReason() async throws {
    let scratch = try ScratchDirectory()
    let change = { (document: inout ResultDocument) in document.build = "debug" }
    try SampleRuns.write(SampleRuns.documents(day: "2026-11-18", change: change), "2026-11-18", in: scratch)
    let finding = await SuiteComparison.make(of: results(change: change), settings(scratch)).finding
    #expect(finding.outcome == .notJudged)
    let left = finding.reasons.filter { $0.contains("left out") }
    #expect(left.count == 1, "\(finding.reasons)")
    #expect(left.first?.hasPrefix("12 files left out, such as ") == true, "\(finding.reasons)")
    #expect(left.first?.contains(": a debug build's run") == true, "\(finding.reasons)")
  }

  @Test func whereNothingEverHappenedTheRunsAreNotCalledTooFew() async throws {
    let scratch = try ScratchDirectory()
    let change = { (document: inout ResultDocument) in document.metrics = [:] }
    try SampleRuns.write(SampleRuns.documents(day: "2026-11-18", change: change), "2026-11-18", in: scratch)
    let comparison = await SuiteComparison.make(of: results(change: change), settings(scratch))
    let reasons = comparison.finding.reasons
    #expect(!reasons.isEmpty && !reasons.contains { $0.contains("too few runs") }, "\(reasons)")
    // Without a sample of the headline nothing was judged.
    #expect(comparison.finding.outcome == .notJudged && comparison.exitStatus == 1, "\(comparison.finding)")
  }

  @Test(arguments: [1, 3]) func withoutEnoughRunsItIsOneLineAndNoPass(runs: Int) async throws {
    let scratch = try ScratchDirectory()
    try SampleRuns.write(SampleRuns.documents(runs, day: "2026-11-18"), "2026-11-18", in: scratch)
    let comparison = await SuiteComparison.make(of: results(runs), settings(scratch))
    #expect(comparison.finding.outcome == .notJudged && comparison.exitStatus == 1)
    #expect(
      comparison.text.split(separator: "\n").count == 1 && comparison.text.contains("--repeat 5"), "\(comparison.text)")
    #expect(comparison.markdown.split(separator: "\n").count == 2)
  }

  @Test func aFolderOfTheUsersIsComparedWithInsteadWithoutThisRunsOwnFiles() async throws {
    let scratch = try ScratchDirectory()
    try SampleRuns.write(SampleRuns.documents(factor: 9, day: "2026-11-18"), "2026-11-18", in: scratch)
    try SampleRuns.write(SampleRuns.documents(day: "2026-11-20"), "base/2026-11-20", in: scratch)
    let own = results(day: "2026-11-20") { $0.environment.hostname = "another" }
    try SampleRuns.write(own.map(\.document), "base/own", in: scratch)
    let base = "\(scratch.path)/base"
    let comparison = await SuiteComparison.make(of: own, settings(scratch, baseline: base))
    #expect(comparison.finding.with == base && comparison.finding.outcome == .noRegression, "\(comparison.finding)")
    #expect(comparison.text.contains("OLD: \(base) (6 runs)"))
    let empty = await SuiteComparison.make(of: own, settings(scratch, baseline: "\(base)/own"))
    #expect(empty.finding.outcome == .noEarlierDay && empty.exitStatus == 0)
  }

  @Test func aToolThatWasNotToBeRunIsNotMissed() async throws {
    let scratch = try ScratchDirectory()
    try SampleRuns.write(SampleRuns.documents(day: "2026-11-18"), "2026-11-18", in: scratch)
    try SampleRuns.write(
      SampleRuns.documents(day: "2026-11-18") { $0.tool = "bench-e2e" }, "2026-11-18", in: scratch)
    let comparison = await SuiteComparison.make(of: results(), settings(scratch))
    #expect(comparison.finding.outcome == .noRegression, "\(comparison.finding)")
  }

  @Test func anotherLoadCannotBeJudged() async throws {
    let scratch = try ScratchDirectory()
    try SampleRuns.write(
      SampleRuns.documents(day: "2026-11-18") { $0.parameters["count"] = 20 }, "2026-11-18", in: scratch)
    let comparison = await SuiteComparison.make(of: results(), settings(scratch))
    #expect(comparison.finding.outcome == .notJudged && comparison.exitStatus == 1)
    #expect(comparison.text.split(separator: "\n").count == 1, "\(comparison.text)")
  }

  @Test func withoutAResultNothingIsJudged() async throws {
    let comparison = await SuiteComparison.make(of: [], settings(try ScratchDirectory()))
    #expect(comparison.finding.outcome == .notJudged && comparison.exitStatus == 1)
  }
}
