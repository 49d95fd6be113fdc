import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Reports
@testable import Results

/// A stored file may hold any number wherever a number may be: it has a page, whose pictures stay within their frames.
@Suite struct ExtremeDocumentTests {
  static let values: [JSONValue] = [
    .double(1e300), .double(-1e300), .double(.greatestFiniteMagnitude), .double(.leastNonzeroMagnitude),
    .double(-9.3e18), .int(.min), .int(.max), -1, 0, 0.5, "", nil, true, .array([]), .object([:]),
  ]
  private static let keys = [
    "t", "seconds", "count", "errors", "p50", "p95", "p99", "max", "listed", "running", "warm", "gap", "metric",
    "histogram",
  ]

  /// One row alone, beside a usual one, and rows in which a single value is odd.
  @Test(.wholeSuiteOnly, arguments: values) func anyValueInATimelineHasAPage(_ value: JSONValue) throws {
    let odd = ResultTimeline.Row(Dictionary(Self.keys.map { ($0, value) }, uniquingKeysWith: { $1 }))
    for var document in [HTMLSamples.load, HTMLSamples.pool] {
      document.metrics = [:]
      let usual = try #require(document.timeline?.rows.first)
      for timeline in [[odd], [usual, odd], Self.keys.map { usual.merging([$0: value]) { $1 } }] {
        document.timeline = ResultTimeline(timeline)
        try expectSoundPictures(ResultHTML(document).source)
      }
    }
  }

  @Test(arguments: values) func anyFindingAndParameterHasAPage(_ value: JSONValue) throws {
    var document = HTMLSamples.pool
    document.metrics = [:]
    for name in ["count", "maxInFlight", "concurrency", "rate", "bursts", "stages"] {
      document.parameters[name] = value
    }
    for findings: [String: JSONValue] in [
      ["t0": value, "refill_full": value, "": value],
      [
        "cycle_1": value, "cycle_2": .object(["t0": value, "refill_full": value]),
        "cycle_99999999999999999999": .object(["t0": "9999999.9 s", "refill_full": value]),
      ],
    ] {
      document.findings = findings
      try expectSoundPictures(ResultHTML(document).source)
    }
  }

  @Test(
    .wholeSuiteOnly,
    arguments: [1e300, -1e300, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -1, 0])
  func anyNumberInMetricsAndCountersHasAPage(_ number: Double) throws {
    for var document in [HTMLSamples.load, HTMLSamples.endToEnd] {
      for (name, metric) in document.metrics {
        var metric = metric
        for path in [\MetricDocument.mean, \.min, \.p50, \.p90, \.p95, \.p99, \.p999, \.max] {
          metric[keyPath: path] = number
        }
        (metric.count, metric.clamped, metric.resolution) = (.max, .max, number)
        document.metrics[name] = metric
      }
      for name in Array(document.counters.keys) { document.counters[name] = .max }
      document.thresholds = document.thresholds.map { threshold in
        var threshold = threshold
        threshold.observed = number
        return threshold
      }
      (document.durationSeconds, document.generator.cpuUtilisation) = (number, number)
      document.generator.scheduleLatenessP99Ms = number
      document.generator.backlogMax = .max
      document.errors = [.init(kind: "", count: .max, example: "")]
      document.repetition = .init(run: .min, of: .max, side: "")
      (document.tool, document.startedAt, document.label) = (number < 0 ? "" : document.tool, "", "")
      try expectSoundPictures(ResultHTML(document).source)
    }
  }

  /// Ten thousand rows of all odd values in turn, and as many findings, have a page of a readable length.
  @Test(.wholeSuiteOnly) func tenThousandRowsHaveAPage() throws {
    for var document in [HTMLSamples.load, HTMLSamples.pool] {
      document.metrics = [:]
      let rows = (0..<10_000).map { index in
        ResultTimeline.Row(
          Dictionary(
            Self.keys.enumerated().map { ($1, Self.values[(index + $0) % Self.values.count]) }, uniquingKeysWith: { $1 }
          )
        ).merging(["t": .int(Int64(index))]) { $1 }
      }
      document.timeline = ResultTimeline(rows)
      let source = ResultHTML(document).source
      #expect(source.utf8.count < 2_000_000)
      try expectSoundPictures(source)
    }
    var document = HTMLSamples.load
    document.timeline = ResultTimeline((0..<10_000).map { ["t": .int(Int64($0)), "seconds": 1, "count": 7, "p50": 1] })
    let source = ResultHTML(document).source
    #expect(source.utf8.count < 2_000_000 && source.contains("latency over time"))
    try expectSoundPictures(source)
  }

  @Test(
    .wholeSuiteOnly,
    arguments: [1e300, -1e300, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, .nan, -1, 0])
  func anyChangeHasAComparison(_ number: Double) throws {
    var comparison = ComparisonSamples.comparison()
    comparison.groups[0].metrics.removeLast()
    let intervals: [ClosedRange<Double>?] =
      [nil] + (number.isNaN ? [] : [number...number, min(number, 0)...max(number, 0), -1e300...1e300])
    for interval in intervals {
      for index in comparison.groups[0].metrics[0].statistics.indices {
        comparison.groups[0].metrics[0].statistics[index].change = number
        comparison.groups[0].metrics[0].statistics[index].interval = interval
        comparison.groups[0].metrics[0].statistics[index].old = [number, number]
        comparison.groups[0].metrics[0].statistics[index].pValue = number
      }
      for index in comparison.groups[0].rates.indices {
        comparison.groups[0].rates[index].change = number
        comparison.groups[0].rates[index].interval = interval
        comparison.groups[0].rates[index].new = []
      }
      comparison.groups[0].metrics[0].name = ""
      try expectSoundPictures(ComparisonHTML(comparison).source)
    }
  }

  @Test(arguments: [1e300, -1e300, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -1, 0])
  func anyLatencyHasATrend(_ number: Double) throws {
    var trend = ComparisonSamples.trend()
    for index in trend.groups[0].metrics[0].days.indices {
      trend.groups[0].metrics[0].days[index].p50 = MedianAndRange([number, 1])
      trend.groups[0].metrics[0].days[index].p99 = MedianAndRange([number])
    }
    trend.groups[0].rates[0].days[0].share = try #require(MedianAndRange([number]))
    try expectSoundPictures(TrendHTML(trend, name: "").source)
    for day in ["", "0000-00-00", "9999-12-31", "-1", "99999999999999999999-01-01"] {
      trend.groups[0].metrics[0].days[0].day = day
      try expectSoundPictures(TrendHTML(trend, name: "").source)
    }
  }

  @Test func aTrendOfTenThousandDaysHasAPage() throws {
    var trend = ComparisonSamples.trend()
    let day = trend.groups[0].metrics[0].days[0]
    trend.groups[0].metrics[0].days = (0..<10_000).map { index in
      var day = day
      day.day = (Date(timeIntervalSince1970: 0) + Double(index) * 86_400).formatted(.iso8601.year().month().day())
      return day
    }
    let source = TrendHTML(trend, name: "results").source
    #expect(source.contains("from 1970-01-01 to 1997-05-18"))
  }

  /// Strict markup, and no coordinate that is no number or lies outside of its picture.
  private func expectSoundPictures(_ source: String, _ location: SourceLocation = #_sourceLocation) throws {
    let numbers: Set = ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"]
    for element in try MarkupReader(source).elements {
      for (name, text) in element.attributes where numbers.contains(name) {
        let number = Double(text)
        #expect(number.map { (0...2000).contains($0) } == true, "\(name)=\(text)", sourceLocation: location)
      }
    }
  }
}
