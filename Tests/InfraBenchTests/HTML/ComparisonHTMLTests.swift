import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results
import Reports

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

  /// At the edge a point would be another change.
  @Test func aChangeBeyondTheAxisIsAnArrowWithItsNumber() throws {
    let picture = { (change: Double, interval: ClosedRange<Double>?) in
      let row = ForestPlot.Row(
        name: "a", change: change, interval: interval, text: "+900.0%", verdict: "slower", colour: 1,
        isExploratory: false)
      return try MarkupReader(
        "<!DOCTYPE html>\n" + ForestPlot(rows: [row], title: "change", band: nil).picture.source)
    }
    let dots = { (page: MarkupReader) in page.elements.count { $0.name == "circle" } }
    let arrows = { (page: MarkupReader) in page.elements.count { $0.name == "path" && $0.attributes["class"] == "dot" }
    }
    let inside = try picture(250, nil)
    #expect(dots(inside) == 1 && arrows(inside) == 0)
    for (change, interval, number) in [
      (900, nil, "+900"), (900, 800...1000, "+900"), (-900, -1000...5, "−900"), (.infinity, nil, "+inf"),
    ] as [(Double, ClosedRange<Double>?, String)] {
      let page = try picture(change, interval)
      #expect(dots(page) == 0 && arrows(page) == 1 && page.text.contains(number), "\(page.text)")
    }
  }

  @Test func everyVerdictHasRoomBesideItsRow() throws {
    let row = ForestPlot.Row(
      name: String(repeating: "n", count: 99), change: 1, interval: nil, text: "",
      verdict: "no change shown that counts", colour: 1, isExploratory: false)
    let page = try MarkupReader(
      "<!DOCTYPE html>\n" + ForestPlot(rows: [row], title: "change", band: nil).picture.source)
    let verdict = try #require(page.elements.first { $0.attributes["class"] == "name" }?.attributes["x"])
    // 8.1 units a letter in Debian's widest usual font.
    #expect(try #require(Double(verdict)) + 27 * 8.1 <= 720)
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
