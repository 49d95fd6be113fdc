import Latency
import PlanReports
import Planning
import Results
import TestSupport
import Testing

@testable import InfraBench

struct PlanReportTests {
  @Test func reportsAreTheGoldenOnes() throws {
    let summary = try PlanSamples.summary()
    try Golden.expect(PlanReport(summary, explains: true).text, "plan.txt")
    try Golden.expect(PlanReport(summary, explains: true).markdown, "plan.md")
    try Golden.expect(PlanHTML(summary).source, "plan.html")
    try Golden.expect(ResultCoding.encode(PlanDocument(summary)), "plan.json")
    let formula = try PlanSamples.withFormula()
    try Golden.expect(PlanReport(formula, explains: true).text, "plan-formula.txt")
    try Golden.expect(PlanHTML(formula).source, "plan-formula.html")
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func documentsAreValid() async throws {
    for summary in [
      try PlanSamples.summary(), try PlanSamples.withFormula(), try PlanSamples.withFormula(requirement: nil),
      try PlanSamples.withFormula(requirement: "hit >= 100%"), Self.empty,
    ] {
      let json = try ResultCoding.encode(PlanDocument(summary))
      #expect(try await DocumentSchema.faults(in: json, schema: .plan) == [])
    }
  }

  /// Nobody comes: no rate, no interval, no wait.
  private static var empty: PlanSummary {
    let model = PlanModel(
      arrivals: .poisson(perSecond: 1e-9), times: PlanTimes(), schedule: RunSchedule(runs: 2, seed: 1))
    return PlanSummary(Plan(model, candidates: [Candidate(poolSize: 1)]), inputs: [])
  }

  @Test func aPlanWithoutUsersHasReportsToo() throws {
    let report = PlanReport(Self.empty, explains: false)
    #expect(report.text.contains("-") && !report.text.contains("nan"))
    _ = try MarkupReader(PlanHTML(Self.empty).source)
  }

  @Test func anAnswerIsASentenceInEachReport() throws {
    let summary = try PlanSamples.withFormula()
    let answer = "a pool of 4 meets hit >= 99%: 99.125% by the formula"
    #expect(PlanReport(summary, explains: false).text.hasSuffix("answer: \(answer)\n"))
    #expect(PlanReport(summary, explains: false).markdown.hasPrefix("## Plan: a pool of 4 meets"))
    #expect(try MarkupReader(PlanHTML(summary).source).text.contains(answer))
    let none = try PlanSamples.withFormula(requirement: "hit >= 99.99%")
    #expect(PlanReport(none, explains: false).text.contains("answer: no candidate meets hit >= 99.99%; the best"))
  }

  @Test func hostileTextBecomesNoMarkup() throws {
    let pages = try [HTMLSamples.hostile, "word"].map {
      try MarkupReader(PlanHTML(PlanSamples.summary(naming: $0)).source)
    }
    #expect(pages[0].elements.map(\.name) == pages[1].elements.map(\.name))
    #expect(Set(pages[0].elements.flatMap(\.attributes.keys)) == Set(pages[1].elements.flatMap(\.attributes.keys)))
  }

  @Test func everyPictureHasWordsAndATable() throws {
    for summary in [try PlanSamples.summary(), try PlanSamples.withFormula()] {
      let source = PlanHTML(summary).source
      let page = try MarkupReader(source)
      let pictures = page.elements.filter { $0.name == "svg" && $0.attributes["class"] == "picture" }
      let subjects = [
        "Hit rate over the pool's size.", "Waits over the pool's size.", "Percentile spectrum.", "Mean wait over ",
        "A pool of ",
      ]
      #expect(pictures.count == subjects.count)
      for (picture, subject) in zip(pictures, subjects) {
        #expect(picture.attributes["aria-label"]?.hasPrefix(subject) == true, "\(picture.attributes)")
      }
      #expect(pictures.allSatisfy { $0.attributes["role"] == "img" && $0.attributes["aria-label"]?.isEmpty == false })
      for figure in source.split(separator: "<figure>").dropFirst() {
        #expect(figure.contains("<figcaption>") && figure.contains("<caption>"))
      }
    }
  }

  private static func waitsPicture(_ pools: [(size: Int, instancePool: Int)]) throws -> String {
    let model = PlanModel(
      arrivals: .poisson(perSecond: 5.0 / 60), times: PlanTimes(), capacity: Capacity(slots: 7, most: 50),
      schedule: RunSchedule(horizon: .seconds(1800), warmup: .seconds(600), runs: 2, seed: 1))
    let candidates = pools.map { Candidate(poolSize: $0.size, instancePool: $0.instancePool) }
    let page = try MarkupReader(PlanHTML(PlanSummary(Plan(model, candidates: candidates), inputs: [])).source)
    let labels = page.elements.filter { $0.name == "svg" }.compactMap { $0.attributes["aria-label"] }
    return try #require(labels.first { $0.hasPrefix("Waits over the pool's size.") })
  }

  /// The candidates of the lab's preset: the one that is shown is alone with its instance pool.
  @Test func waitsOfAllSizesAreDrawnThoughInstancePoolsDiffer() throws {
    let label = try Self.waitsPicture([(0, 2), (2, 2), (3, 2), (4, 2), (5, 3)])
    for name in ["0/2", "2/2", "3/2", "4/2", "5/3"] { #expect(label.contains(" \(name): mean "), "\(label)") }
  }

  @Test func whereASizeIsThereTwiceTheInstancePoolWithTheMostCandidatesIsDrawn() throws {
    let label = try Self.waitsPicture([(1, 0), (2, 0), (3, 0), (3, 1), (4, 1)])
    for size in 1...3 { #expect(label.contains(" \(size): mean "), "\(label)") }
    #expect(!label.contains(" 4: mean "), "\(label)")
  }

  @Test(arguments: [(1, false), (2, true), (4, true), (5, false)])
  func intervalsOfFewRunsAreNoted(_ runs: Int, _ isNoted: Bool) {
    let model = PlanModel(
      arrivals: .poisson(perSecond: 0.1), times: PlanTimes(),
      schedule: RunSchedule(horizon: .seconds(3600), warmup: .seconds(200), runs: runs, seed: 1))
    let notes = PlanSummary(Plan(model, candidates: [Candidate(poolSize: 1)]), inputs: []).notes
    #expect(notes.contains { $0.contains("fewer than five runs") } == isNoted, "\(notes)")
  }

  /// The warm-up has a bound, which sessions that vary very much do not reach.
  @Test func aWarmUpThatIsTooShortEvenAtItsBoundIsNoted() throws {
    var rules = KeepingRules()
    rules.keeper = .ecsService
    var model = PlanModel(arrivals: .poisson(perSecond: 1e-9), times: PlanTimes(), rules: rules)
    model.times.session = .logNormal(try #require(LogNormal(p50: .seconds(3600), p99: .seconds(8000 * 3600))))
    model.schedule = RunSchedule(horizon: .seconds(3600), warmup: model.settling, runs: 2, seed: 1)
    let notes = PlanSummary(Plan(model, candidates: [Candidate(poolSize: 1)]), inputs: []).notes
    #expect(notes.contains { $0.hasPrefix("a run begins with nobody there") && $0.contains("vary much") }, "\(notes)")
    #expect(notes.contains { $0.hasPrefix("the simulation is not held against the formula") }, "\(notes)")
  }

  @Test func oneRunAndAFormulaThatIsNotComparedAreNoted() {
    let model = PlanModel(
      arrivals: .poisson(perSecond: 0.1), times: PlanTimes(),
      schedule: RunSchedule(horizon: .seconds(3600), warmup: .seconds(10), runs: 1, seed: 1))
    let notes = PlanSummary(Plan(model, candidates: [Candidate(poolSize: 1)]), inputs: []).notes
    #expect(
      notes.count == 2 && notes[0].contains("20 parts") && notes[1].contains("ten times E[L] = 100 s"), "\(notes)")
  }
}
