/// The 40 bytes before the counts of HdrHistogram's V2 encoding, big-endian.
///
/// Source: `encodeIntoByteBuffer` in HdrHistogram's AbstractHistogram.java. What the libraries' headers differ in is read, as it
/// concerns no count: the word size in the cookie, the normalizing index offset (bytes 8…11), the ratio to floating-point values
/// (bytes 32…39, which only double histograms have a use for, and these have another cookie).
struct HistogramV2Header {
  static let size = 40
  static let plainCookie: UInt32 = 0x1c84_9313
  static let compressedCookie: UInt32 = 0x1c84_9314

  /// As the header says it: see ``isLength(_:)``.
  var payloadLength: Int
  var layout: HistogramLayout

  init(payloadLength: Int, layout: HistogramLayout) {
    self.payloadLength = payloadLength
    self.layout = layout
  }

  init(_ bytes: ArraySlice<UInt8>) throws(HistogramError) {
    let start = bytes.startIndex
    // The cookie first: what is no histogram at all should be called so.
    if bytes.count >= 4 {
      try Self.check(cookie: bytes.bigEndian(at: start), is: Self.plainCookie)
    }
    guard bytes.count >= Self.size else {
      throw HistogramError(.wrongLength, "the histogram ends within its header, after \(bytes.count) bytes")
    }
    // The normalizing index offset says how far the writer's own array was turned round. Counts are written in the order of
    // their values whatever it is: by Java, which turns its array where a histogram is shifted, and by JavaScript and by Go up
    // to 1.1, which write a 1 and turn nothing.
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

  /// Whether so many bytes of counts are what the header of a compressed histogram announces. HdrHistogram_c, which writes no
  /// others, counted the header too until November 2015.
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

  /// Bits 4…7 are a word size, which V2 has no use for: readers of the other libraries look at the others alone.
  static func isCookie(_ cookie: UInt32, _ expected: UInt32) -> Bool { (cookie ^ expected) & ~0xf0 == 0 }

  static func check(cookie: UInt32, is expected: UInt32) throws(HistogramError) {
    guard !isCookie(cookie, expected) else { return }
    // Of Java's DoubleHistogram: integers and a ratio that makes floating-point values of them.
    guard ![0x0c72_124e, 0x0c72_124f].contains(cookie) else {
      throw HistogramError(
        .unsupportedEncoding, "a histogram of floating-point values (DoubleHistogram); those of whole numbers are read")
    }
    // V0 ends in 8 and 9, V1 in 1 and 2; bits 4…7 are a word size.
    let isOlder = [0x1c84_9301, 0x1c84_9302, 0x1c84_9308, 0x1c84_9309].contains(cookie & ~0xf0)
    throw HistogramError(
      .unsupportedEncoding,
      isOlder
        ? "the histogram is in HdrHistogram's V0 or V1 encoding; only V2 is read"
        : "not a histogram in HdrHistogram's V2 encoding: it begins with 0x\(String(cookie, radix: 16))")
  }
}

extension ArraySlice<UInt8> {
  /// The integer in the bytes from `index` on, which must be there.
  func bigEndian<Integer: FixedWidthInteger>(at index: Int) -> Integer {
    self[index..<(index + Integer.bitWidth / 8)].reduce(0) { $0 << 8 | Integer($1) }
  }
}

extension [UInt8] {
  mutating func append(bigEndian integer: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
  }
}
