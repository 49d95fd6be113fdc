import Latency
import LoadEngine
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// Timelines that reports draw.
@Suite struct UsualTimelineTests {
  @Test(
    arguments: [
      (nil, 50), (100, 20), (1_000, 20), (5_000, 50), (60_000, 600), (3_600_000, 1_000),
    ] as [(Int?, Int)])
  func aShortRunHasSomeIntervalsAndALongOneNotTooMany(length: Int?, interval: Int) {
    #expect(DefaultTimeline.interval(forLength: length.map { .milliseconds($0) }) == .milliseconds(interval))
  }

  @Test func rowsHoldTheirLatenciesExactly() throws {
    var recording = Recording(AllocationBenchmark.catalogue)
    let metric = AllocationBenchmark.catalogue.metric("allocation")
    for value in [1, 2, 70] { recording.sample(metric, .milliseconds(value)) }
    var timeline = Timeline()
    timeline.append(recording, headline: metric, from: .zero, to: .seconds(1))
    timeline.append(
      Recording(AllocationBenchmark.catalogue), headline: metric, from: .seconds(1), to: .milliseconds(1500))
    timeline.seal()
    let rows = try #require(ResultTimeline(timeline.intervals, of: "allocation")).rows
    guard case .string(let text) = rows[0]["histogram"] else {
      Issue.record("no histogram")
      return
    }
    #expect(try HistogramV2Codec.decode(base64: text) == recording[metric])
    #expect(rows[1]["histogram"] == nil && rows[1]["count"] == 0 && rows[1]["t"] == .double(1))
  }

  @Test func noTableShowsHistograms() {
    var document = SampleDocuments.typical
    document.timeline = SampleDocuments.loadTimeline
    let without = [MarkdownReport(document).text, CSVReport(document).text, TextReport(document).text]
    document.timeline?.rows[0]["histogram"] = "HISTFAAAAB"
    #expect([MarkdownReport(document).text, CSVReport(document).text, TextReport(document).text] == without)
  }
}
