import Testing

@testable import InfraBench

@Suite struct ComparisonHTMLTests {
  @Test func pagesAreTheGoldenOnes() throws {
    try Golden.expect(ComparisonHTML(ComparisonSamples.comparison()).source, "comparison.html")
    try Golden.expect(TrendHTML(ComparisonSamples.trend(), name: "results").source, "trend.html")
  }

  @Test func hostileTextBecomesNoMarkup() throws {
    let pages = { (text: String) in
      [
        ComparisonHTML(ComparisonSamples.comparison(naming: text)).source,
        TrendHTML(ComparisonSamples.trend(naming: text), name: text).source,
      ]
    }
    for (hostile, harmless) in zip(pages(HTMLSamples.hostile), pages("word")) {
      let (hostile, harmless) = (try MarkupReader(hostile), try MarkupReader(harmless))
      #expect(hostile.elements.map(\.name) == harmless.elements.map(\.name))
      #expect(Set(hostile.elements.flatMap(\.attributes.keys)) == Set(harmless.elements.flatMap(\.attributes.keys)))
    }
  }

  /// Not by colour alone.
  @Test func everyVerdictIsInWords() throws {
    let page = try MarkupReader(ComparisonHTML(ComparisonSamples.comparison()).source)
    for words in [
      "slower or worse", "slower", "faster", "no change shown", "too few runs: 5 more needed", "worse", "exploratory",
    ] { #expect(page.text.contains(words), "\(words)") }
  }

  @Test func whatIsCutOffHasAnArrow() {
    let rows = [0.0...5, -1...1200].map { interval in
      ForestPlot.Row(
        name: "a", change: 2, interval: interval, text: "", verdict: "", colour: 0, isExploratory: false)
    }
    let arrows = { (row: ForestPlot.Row) in
      ForestPlot(rows: [row], title: "change", band: nil).picture.source.split(separator: "Z\"/>").count - 1
    }
    #expect(rows.map(arrows) == [0, 1])
  }

  @Test func aTrendOfOneDayOrNoneHasAPage() throws {
    var trend = ComparisonSamples.trend()
    trend.groups[0].metrics[0].days.removeLast(2)
    #expect(try MarkupReader(TrendHTML(trend, name: "results").source).text.contains("2026-11-02"))
    trend.groups[0].metrics[0].days = []
    #expect(throws: Never.self) { try MarkupReader(TrendHTML(trend, name: "results").source) }
    trend.groups = []
    #expect(TrendHTML(trend, name: "results").source.contains("no result to show"))
  }
}
