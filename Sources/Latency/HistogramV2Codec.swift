import FoundationEssentials

/// HdrHistogram's V2 encoding, which its libraries for Java, C, Go, Python and other languages read and write.
///
/// It holds the layout and the counts. Decoding accepts what these libraries write, including their differences
/// (``HistogramV2Header``), and expects hostile input: it refuses everything else, and allocates at most the largest
/// layout (five digits over 63 bits: 6 160 384 buckets, 47 MiB).
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

  /// The plain encoding: a header, and the counts up to the last one that is not 0. A run of zeros is written as its
  /// length.
  public static func encode(_ histogram: LatencyHistogram) -> [UInt8] {
    var payload: [UInt8] = []
    // Even an empty histogram gets one count, because the C library fails without any.
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

  /// Decodes the histogram in a base64 text.
  ///
  /// - Throws: `notBase64`, and the errors of ``decode(_:)``.
  public static func decode(base64 text: String) throws(HistogramError) -> LatencyHistogram {
    guard let data = Data(base64Encoded: text) else {
      throw HistogramError(.notBase64, "the histogram is not base64 text")
    }
    return try decode([UInt8](data))
  }

  /// Decodes a histogram in the plain or the compressed encoding; the first bytes tell which.
  ///
  /// - Throws: `unsupportedEncoding`, `wrongLength`, `invalidLayout`, `corruptCompression`, `corruptCounts` or
  ///   `countOverflow` if the bytes are not exactly one histogram.
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
    // The header is read first, because it bounds the bytes that may follow.
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

  /// - Parameter isWhole: whether the end of the zlib stream was reached. If not, a wrong length means that the bytes
  ///   were cut.
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

/// The 40 bytes before the counts of HdrHistogram's V2 encoding, big-endian.
///
/// Source: `encodeIntoByteBuffer` in HdrHistogram's AbstractHistogram.java. Three fields differ between the libraries
/// and are accepted with any value, because no count depends on them: the word size in the cookie, the normalizing
/// index offset (bytes 8…11), and the ratio to floating-point values (bytes 32…39). Only double histograms use the
/// ratio, and these have another cookie.
struct HistogramV2Header {
  static let size = 40
  static let plainCookie: UInt32 = 0x1c84_9313
  static let compressedCookie: UInt32 = 0x1c84_9314

  /// The length in the header; ``isLength(_:)`` says how it is compared.
  var payloadLength: Int
  var layout: HistogramLayout

  init(payloadLength: Int, layout: HistogramLayout) {
    self.payloadLength = payloadLength
    self.layout = layout
  }

  init(_ bytes: ArraySlice<UInt8>) throws(HistogramError) {
    let start = bytes.startIndex
    // The cookie is checked first, so that bytes that are no histogram are reported as such.
    if bytes.count >= 4 {
      try Self.check(cookie: bytes.bigEndian(at: start), is: Self.plainCookie)
    }
    guard bytes.count >= Self.size else {
      throw HistogramError(.wrongLength, "the histogram ends within its header, after \(bytes.count) bytes")
    }
    // The normalizing index offset says how far the writer's own array is rotated. It is ignored, because counts are
    // always written in the order of their values: by Java, which rotates its array when a histogram is shifted, and by
    // JavaScript and Go up to 1.1, which write 1 without rotating anything.
    layout = try HistogramLayout(
      lowestDiscernibleValue: bytes.bigEndian(at: start + 16),
      highestTrackableValue: bytes.bigEndian(at: start + 24),
      significantDigits: Int(bytes.bigEndian(at: start + 12) as Int32))
    payloadLength = Int(bytes.bigEndian(at: start + 4) as Int32)
    guard (0...(layout.bucketCount * ZigZagLEB128.maximumLength + Self.size)).contains(payloadLength) else {
      throw HistogramError(
        .wrongLength, "\(payloadLength) bytes of counts do not fit \(layout.bucketCount) buckets")
    }
  }

  /// Whether `count` bytes of counts match the header's length. In compressed histograms HdrHistogram_c, which writes
  /// no others, counted the header too until November 2015.
  func isLength(_ count: Int) -> Bool { count == payloadLength || count == payloadLength - Self.size }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.size)
    bytes.append(bigEndian: Self.plainCookie)
    bytes.append(bigEndian: Int32(payloadLength))
    bytes.append(bigEndian: Int32(0))
    bytes.append(bigEndian: Int32(layout.significantDigits))
    bytes.append(bigEndian: layout.lowestDiscernibleValue)
    bytes.append(bigEndian: layout.highestTrackableValue)
    bytes.append(bigEndian: 1.0.bitPattern)
    return bytes
  }

  /// Bits 4…7 are a word size, which V2 does not use. The other libraries ignore them too.
  static func isCookie(_ cookie: UInt32, _ expected: UInt32) -> Bool { (cookie ^ expected) & ~0xf0 == 0 }

  static func check(cookie: UInt32, is expected: UInt32) throws(HistogramError) {
    guard !isCookie(cookie, expected) else { return }
    // The cookies of Java's DoubleHistogram, whose integers and ratio make floating-point values.
    guard ![0x0c72_124e, 0x0c72_124f].contains(cookie) else {
      throw HistogramError(
        .unsupportedEncoding, "a histogram of floating-point values (DoubleHistogram); those of whole numbers are read")
    }
    // Cookies of V0 end in 8 and 9, those of V1 in 1 and 2; bits 4…7 are a word size.
    let isOlder = [0x1c84_9301, 0x1c84_9302, 0x1c84_9308, 0x1c84_9309].contains(cookie & ~0xf0)
    throw HistogramError(
      .unsupportedEncoding,
      isOlder
        ? "the histogram is in HdrHistogram's V0 or V1 encoding; only V2 is read"
        : "not a histogram in HdrHistogram's V2 encoding: it begins with 0x\(String(cookie, radix: 16))")
  }
}

extension ArraySlice<UInt8> {
  /// The big-endian integer in the bytes from `index` on, which must exist.
  func bigEndian<Integer: FixedWidthInteger>(at index: Int) -> Integer {
    self[index..<(index + Integer.bitWidth / 8)].reduce(0) { $0 << 8 | Integer($1) }
  }
}

extension [UInt8] {
  mutating func append(bigEndian integer: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
  }
}

/// The integers of HdrHistogram's V2 encoding: ZigZag, then seven bits to a byte, lowest first.
///
/// Unlike in plain LEB128 the ninth byte holds eight bits, so 64 bits take at most nine bytes.
enum ZigZagLEB128 {
  static let maximumLength = 9

  static func append(_ value: Int64, to bytes: inout [UInt8]) {
    var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    for _ in 1..<maximumLength {
      guard rest > 0x7f else { break }
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Removes one integer from the front; nil if the bytes end within it.
  static func removeFirst(from bytes: inout ArraySlice<UInt8>) -> Int64? {
    var zigzag: UInt64 = 0
    for position in 0..<maximumLength {
      guard let byte = bytes.popFirst() else { return nil }
      let isLast = position == maximumLength - 1
      zigzag |= UInt64(isLast ? byte : byte & 0x7f) << UInt64(7 * position)
      if isLast || byte < 0x80 { break }
    }
    return Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
  }
}
