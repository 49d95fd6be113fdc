import FoundationEssentials

/// HdrHistogram's V2 encoding, which the libraries for Java, C, Go, Python and others read and write.
///
/// It holds the layout and the counts. Decoding takes what these libraries write, with their differences
/// (``HistogramV2Header``), and expects hostile input: all else is refused, and what a file can make it allocate is bounded by
/// the largest layout (five digits over 63 bits: 6 160 384 buckets, 47 MiB).
public enum HistogramV2Codec {
  /// The name of the format in a result document.
  public static let compressedBase64Name = "HdrHistogram-V2-compressed-base64"

  /// The compressed encoding as base64 text, `HISTFAAAA…`.
  public static func encodeCompressedBase64(_ histogram: LatencyHistogram) -> String {
    Data(encodeCompressed(histogram)).base64EncodedString()
  }

  /// The compressed encoding: a cookie, a length, and the plain encoding as a zlib stream.
  public static func encodeCompressed(_ histogram: LatencyHistogram) -> [UInt8] {
    let compressed = Zlib.compress(encode(histogram))
    var bytes: [UInt8] = []
    bytes.append(bigEndian: HistogramV2Header.compressedCookie)
    bytes.append(bigEndian: Int32(compressed.count))
    return bytes + compressed
  }

  /// The plain encoding: a header, and the counts up to the last one that is not 0, zeros as their number.
  public static func encode(_ histogram: LatencyHistogram) -> [UInt8] {
    var payload: [UInt8] = []
    // At least one count, even of an empty histogram: the C library fails on none.
    let end = (histogram.counts.lastIndex { $0 != 0 } ?? 0) + 1
    var zeros: Int64 = 0
    for count in histogram.counts[..<end] {
      if count == 0 {
        zeros += 1
      } else {
        if zeros > 0 {
          ZigZagLEB128.append(-zeros, to: &payload)
          zeros = 0
        }
        ZigZagLEB128.append(Int64(count), to: &payload)
      }
    }
    if zeros > 0 {
      ZigZagLEB128.append(-zeros, to: &payload)
    }
    return HistogramV2Header(payloadLength: payload.count, layout: histogram.layout).bytes + payload
  }

  /// The histogram in a base64 text.
  ///
  /// - Throws: `notBase64`, or what ``decode(_:)`` throws.
  public static func decode(base64 text: String) throws(HistogramError) -> LatencyHistogram {
    guard let data = Data(base64Encoded: text) else {
      throw HistogramError(.notBase64, "the histogram is not base64 text")
    }
    return try decode([UInt8](data))
  }

  /// The histogram in the plain or the compressed encoding; the first bytes tell which.
  ///
  /// - Throws: `unsupportedEncoding`, `wrongLength`, `invalidLayout`, `corruptCompression`, `corruptCounts` or
  ///   `countOverflow` where the bytes are not exactly one histogram.
  public static func decode(_ bytes: [UInt8]) throws(HistogramError) -> LatencyHistogram {
    guard bytes.count >= 8 else {
      throw HistogramError(.wrongLength, "the histogram ends within its header, after \(bytes.count) bytes")
    }
    let cookie: UInt32 = bytes[...].bigEndian(at: 0)
    if HistogramV2Header.isCookie(cookie, HistogramV2Header.compressedCookie) {
      return try decodePlain(decompress(bytes), isWhole: true)
    } else {
      return try decodePlain(bytes, isWhole: false)
    }
  }

  private static func decompress(_ bytes: [UInt8]) throws(HistogramError) -> [UInt8] {
    let length: Int32 = bytes[...].bigEndian(at: 4)
    let stream = bytes[8...]
    guard Int(length) == stream.count else {
      throw HistogramError(
        .wrongLength, "the histogram should hold \(length) compressed bytes, and holds \(stream.count)")
    }
    // The header first: it bounds what may follow.
    guard let start = Zlib.decompress(stream, limit: HistogramV2Header.size) else {
      throw HistogramError(.corruptCompression, "the histogram's compressed bytes are corrupt")
    }
    let header = try HistogramV2Header(start.bytes[...])
    let expected = HistogramV2Header.size + header.payloadLength
    guard let whole = Zlib.decompress(stream, limit: expected + 1) else {
      throw HistogramError(.corruptCompression, "the histogram's compressed bytes are corrupt")
    }
    guard whole.isComplete, header.isLength(whole.bytes.count - HistogramV2Header.size) else {
      throw HistogramError(
        .wrongLength, "the histogram's compressed bytes are cut off, or hold something else than \(expected) bytes")
    }
    return whole.bytes
  }

  /// - Parameter isWhole: whether zlib's end was met. Without it a length that doesn't fit is that of a cut.
  private static func decodePlain(_ bytes: [UInt8], isWhole: Bool) throws(HistogramError) -> LatencyHistogram {
    let header = try HistogramV2Header(bytes[...])
    var payload = bytes[HistogramV2Header.size...]
    guard isWhole || payload.count == header.payloadLength else {
      throw HistogramError(
        .wrongLength, "the histogram should hold \(header.payloadLength) bytes of counts, and holds \(payload.count)")
    }
    // All counts are checked before the first bucket is allocated.
    var recorded: [(index: Int, count: UInt64)] = []
    var total: UInt64 = 0
    var index = 0
    while !payload.isEmpty {
      guard let number = ZigZagLEB128.removeFirst(from: &payload) else {
        throw HistogramError(.corruptCounts, "the histogram's last count is cut off")
      }
      let buckets = number < 0 ? number.magnitude : 1
      guard buckets <= UInt64(header.layout.bucketCount - index) else {
        throw HistogramError(
          .corruptCounts, "the histogram holds counts beyond its \(header.layout.bucketCount) buckets")
      }
      if number > 0 {
        total += number.magnitude
        guard total <= LatencyHistogram.maximumTotalCount else {
          throw HistogramError(.countOverflow, "the histogram holds more than 2^62 values")
        }
        recorded.append((index, number.magnitude))
      }
      index += Int(buckets)
    }
    var histogram = LatencyHistogram(layout: header.layout)
    for (index, count) in recorded {
      histogram.counts[index] = count
    }
    histogram.total = total
    return histogram
  }
}
