import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct ChartTests {
  private static func histogram(_ values: [UInt64]) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for value in values { histogram.record(value) }
    return histogram
  }

  @Test(
    arguments: [
      [1], [1, 1], [3_600_000_000_000], [1, 3_600_000_000_000], Array(1...1000), Array(repeating: 5_000_000, count: 9),
    ] as [[UInt64]])
  func picturesOfOddHistogramsHaveFiniteNumbers(_ values: [UInt64]) throws {
    let line = try #require(SpectrumLine("m", Self.histogram(values)))
    let spectrum = try #require(SpectrumChart([line])).picture
    let map = HeatMap([try #require(LatencyInterval(HTMLSamples.interval(0, values)))])?.picture
    for picture in [spectrum, try #require(map)] {
      let page = try MarkupReader("<!DOCTYPE html>\n" + picture.source)
      let numbers: Set = ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"]
      for (name, value) in page.elements.flatMap(\.attributes) where numbers.contains(name) {
        let number = try #require(Double(value), "\(name)=\(value)")
        #expect(number >= 0 && number <= 720, "\(name)=\(value)")
      }
    }
  }

  @Test func anEmptyHistogramHasNoPicture() throws {
    #expect(SpectrumLine("m", LatencyHistogram()) == nil && SpectrumChart([]) == nil)
    #expect(HeatMap([try #require(LatencyInterval(HTMLSamples.interval(0, [])))]) == nil)
    #expect(HeatMap([]) == nil && LatencyBands([]) == nil)
  }

  @Test func aSpectrumEndsWhereItsSamplesEnd() throws {
    let line = try #require(SpectrumLine("m", Self.histogram((1...1000).map { $0 * 1_000_000 })))
    // 99 of 100 lie at two, 90 of 100 at one; half a sample beyond the last one is 2000.
    #expect(SpectrumLine.place(of: 99) == 2 && SpectrumLine.place(of: 90) == 1)
    #expect(abs(line.end - 3.301) < 0.001 && abs(line.fewFrom - 2) < 1e-9)
    #expect(line.points.count <= 242 && line.points.last?.milliseconds == line.range.max)
    for (percentile, value) in [(50.0, 500.0), (90, 900), (99, 990)] {
      let place = SpectrumLine.place(of: percentile)
      let point = try #require(line.points.first { $0.place >= place - 1e-9 })
      #expect(abs(point.milliseconds / value - 1) < 0.04 && abs(line.value(at: percentile) / value - 1) < 0.001)
    }
  }

  @Test(.wholeSuiteOnly) func aHeatMapHasEverySampleInOneCell() throws {
    let intervals = (0..<200).compactMap { second in
      LatencyInterval(HTMLSamples.interval(Double(second), (1...25).map { $0 * $0 * 100_000 + UInt64(second) }))
    }
    let map = try #require(HeatMap(intervals))
    #expect(map.merged == 3)
    let cells = map.picture.source.split(separator: "<title>").dropFirst().compactMap { cell in
      cell.prefix { $0 != "<" }.split(separator: ": ").last.flatMap { Int($0) }
    }
    #expect(cells.reduce(0, +) == 200 * 25)
    #expect(cells.count <= 80 * 24)
  }

  /// A pool that is empty after a second gives no sample from then on.
  @Test func aHeatMapReachesToTheEndOfItsTimeline() throws {
    let rows = [HTMLSamples.interval(0, [1_000_000]), HTMLSamples.interval(9, [])]
    let picture = try #require(HeatMap(rows.compactMap { LatencyInterval($0) })).picture.source
    #expect(picture.contains("over 10 seconds"))
    let cell = try MarkupReader("<!DOCTYPE html>\n" + picture).elements.first { $0.attributes["class"] == "h h6" }
    #expect(cell?.attributes["width"].flatMap(Double.init).map { $0 < 65 } == true)
  }

  @Test func withoutHistogramsOfAllIntervalsThereAreLines() throws {
    let rows = SampleDocuments.loadTimeline.rows.compactMap { LatencyInterval($0) }
    #expect(rows.count == 3 && HeatMap(rows) == nil)
    let picture = try #require(LatencyBands(rows)).picture.source
    // The interval without a sample is a gap: two stretches of each of four lines.
    #expect(picture.split(separator: "<path").count - 1 == 8)
  }

  @Test func phasesAddUpToTheWhole() throws {
    let stacks = PhaseStack.of(HTMLSamples.endToEnd)
    #expect(stacks.map(\.whole.name) == ["end_to_end", "end_to_end_cold"])
    #expect(
      stacks[0].parts.map(\.name) == [
        "acquire", "workspace", "process_start", "rest of init_user", "first_response", "rest of end_to_end",
      ])
    #expect(abs(stacks[0].sum - stacks[0].whole.milliseconds) < 1e-6 && stacks[0].excess == 0)
    #expect(stacks[0].parts.map { $0.isRest } == [false, false, false, true, false, true])
    // Polled phases overlap: 6000 ms of 5400.
    #expect(stacks[1].overlaps && abs(stacks[1].excess - 600) < 5)
    #expect(StackedBars.of(stacks).count == 2)
  }

  @Test func phasesOfOtherTools() {
    var document = HTMLSamples.endToEnd
    document.tool = "bench-dirinit"
    let time = SampleDocuments.metric([14_000_000])
    let whole = SampleDocuments.metric([33_000_000])
    document.metrics = ["create": whole, "mkdir": time, "write_token": time].compactMapValues { $0 }
    #expect(PhaseStack.of(document).map { $0.parts.map(\.name) } == [["mkdir", "write_token", "rest of create"]])
    document.metrics["create"] = nil
    #expect(PhaseStack.of(document).isEmpty)
  }

  @Test func thePoolsMarksComeFromTheFindings() {
    let cycles = RefillMarks(HTMLSamples.pool).cycles
    #expect(cycles.map(\.drained) == [1, 6] && cycles.map(\.refilled) == [3.5...4, nil])
    var document = HTMLSamples.pool
    for odd: JSONValue in ["", "x", "1e999 s", "-5 s", 7, nil] {
      document.findings = ["t0": odd, "refill_full": "2–1 s"]
      #expect(RefillMarks(document).cycles.isEmpty)
    }
  }

  @Test func missedLooksAreAGapOfTheLines() throws {
    let picture = try #require(PoolChart(HTMLSamples.pool)).picture.source
    // One gap of two looks; listed and running are cut in two, warm isn't.
    #expect(picture.split(separator: "class=\"gap\"").count - 1 == 1)
    #expect(picture.split(separator: "<path").count - 1 == 5)
    #expect(picture.contains(">t0<") && picture.contains(">refilled<"))
  }

  @Test(
    arguments: [
      (0, 10, [0, 2, 4, 6, 8, 10]), (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-3, 22, [0, 5, 10, 15, 20]),
      (5, 5, [5]), (0, .infinity, [0]),
    ] as [(Double, Double, [Double])])
  func linearTicksAreRound(_ lower: Double, _ upper: Double, _ expected: [Double]) {
    let ticks = Ticks.linear(from: lower, to: upper, count: 5)
    #expect(ticks.count == expected.count && zip(ticks, expected).allSatisfy { abs($0 - $1) < 1e-9 }, "\(ticks)")
  }

  @Test func logarithmicTicksAreFewAndInside() {
    for (lower, upper) in [(0.001, 3_600_000), (1, 30), (4, 400), (1, 1.05), (1e-6, 9e12)] {
      let ticks = Ticks.logarithmic(from: lower, to: upper)
      #expect(ticks.count <= 10 && ticks.allSatisfy { $0 >= lower * 0.99 && $0 <= upper * 1.01 }, "\(ticks)")
    }
  }

  @Test func ticksKeepTheZerosOfAnExponent() {
    #expect(Ticks.number(1.5e300) == "1.5e+300" && Ticks.number(20) == "20" && Ticks.number(2.5) == "2.5")
  }

  @Test func everyPartOfAStackHasItsNameBesideIt() throws {
    let picture = StackedBars.of(PhaseStack.of(HTMLSamples.endToEnd)).map(\.picture.source).joined()
    for name in ["acquire", "workspace", "process_start", "first_response"] {
      #expect(picture.contains(">\(name)</text>"), "\(name)")
    }
  }

  @Test(
    arguments: [
      (0, "0"), (0.00025, "250 ns"), (0.25, "250 µs"), (2.5, "2.5 ms"), (100, "100 ms"), (20_000, "20 s"),
    ] as [(Double, String)])
  func ticksHaveUnits(_ milliseconds: Double, _ text: String) {
    #expect(Ticks.time(milliseconds) == text)
  }

  @Test func axesKeepOddValuesInside() {
    for axis in [Axis(linear: 0, 0), Axis(linear: .nan, .infinity), Axis(logarithmic: 0, 0), Axis(latencies: [])] {
      for value in [0, -1, 1e300, Double.nan, .infinity, -.infinity] {
        #expect((0...1).contains(axis.position(of: value)))
      }
    }
  }
}
