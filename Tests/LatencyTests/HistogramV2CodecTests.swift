import Latency
import Testing

@Suite struct HistogramV2CodecTests {
  @Test func everyShapeSurvivesTheRoundTrip() throws {
    for (name, histogram) in try histogramsOfManyShapes() {
      #expect(try HistogramV2Codec.decode(HistogramV2Codec.encode(histogram)) == histogram, "\(name)")
      #expect(try HistogramV2Codec.decode(HistogramV2Codec.encodeCompressed(histogram)) == histogram, "\(name)")
      let text = HistogramV2Codec.encodeCompressedBase64(histogram)
      #expect(text.hasPrefix("HISTFAAAA"), "\(name)")
      #expect(try HistogramV2Codec.decode(base64: text) == histogram, "\(name)")
    }
  }

  @Test func clampedCountStaysBehind() throws {
    let decoded = try HistogramV2Codec.decode(HistogramV2Codec.encode(histogram([0, 5])))
    #expect(decoded.clampedCount == 0)
    #expect(decoded.recordedBuckets() == histogram([1, 5]).recordedBuckets())
  }

  /// Byte for byte, after the format's description: 5 has bucket 5 and count 1, then 194 zeros, then bucket 200, count 64.
  @Test func plainEncodingIsTheDocumentedOne() {
    var small = histogram([5])
    small.record(200, count: 64)
    let header: [UInt8] = [
      0x1c, 0x84, 0x93, 0x13, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 3,
      0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x03, 0x46, 0x30, 0xb8, 0xa0, 0,
      0x3f, 0xf0, 0, 0, 0, 0, 0, 0,
    ]
    #expect(HistogramV2Codec.encode(small) == header + [0x09, 0x02, 0x83, 0x03, 0x80, 0x01])
  }

  @Test func emptyHistogramEncodesOneZero() {
    #expect(HistogramV2Codec.encode(LatencyHistogram()).dropFirst(40) == [0x01])
  }
}
