import Latency
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results
import TextFormatting

@Suite struct SampleNeedsTests {
  @Test(arguments: zip([50, 90, 95, 99, 99.9], [20, 100, 200, 1000, 10_000] as [UInt64]))
  func tenSamplesLieBeyondAPercentileFromThatNumberOn(percentile: Double, samples: UInt64) {
    #expect(TooFewSamples.samples(for: percentile) == samples)
    var histogram = LatencyHistogram()
    histogram.record(1_000, count: samples - 1)
    #expect(histogram.samplesBeyond(percentile: percentile) == 9)
    histogram.record(1_000 as UInt64)
    #expect(histogram.samplesBeyond(percentile: percentile) == 10)
  }

  @Test func metricsThatLackTheSameShareALine() {
    var document = StoredSamples.run(Array(repeating: 1_000_000, count: 1200))
    document.metrics["connect"] = SampleDocuments.metric([1, 2, 3])
    document.metrics["gateway_latency"] = SampleDocuments.metric([1])
    #expect(
      TooFewSamples(document).text == """
        Too few samples (a percentile needs 10 beyond it):
        allocation (1,200): P99.9 needs 10,000
        gateway_latency (1), connect (3): P50 needs 20, P90 100, P95 200, P99 1,000, P99.9 10,000

        """)
    #expect(
      TooFewSamples(document).markdown?.hasSuffix(
        "\n- allocation (1,200): P99.9 needs 10,000\n"
          + "- gateway_latency (1), connect (3): P50 needs 20, P90 100, P95 200, P99 1,000, P99.9 10,000\n") == true)
  }

  @Test func enoughSamplesAreNotWorthALine() {
    let document = StoredSamples.run(Array(repeating: 1_000_000, count: 10_000))
    #expect(TooFewSamples(document).text == nil && TooFewSamples(document).markdown == nil)
    #expect(!ResultRendering(document).text(usesColor: false).contains("Too few"))
  }

  @Test(
    arguments: zip(
      [0, 7, 999, 1000, 123_456, .max] as [UInt64], ["0", "7", "999", "1,000", "123,456", "18,446,744,073,709,551,615"])
  )
  func thousandsAreKeptApart(number: UInt64, text: String) { #expect(NumberText.grouped(number) == text) }
}
