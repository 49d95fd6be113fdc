import CZlib
import Latency
import Testing

@Suite struct HostileHistogramTests {
  private let valid: LatencyHistogram = {
    var random = SplitMix64(seed: 5)
    return histogram((0..<60).map { _ in random.logarithmicValue(upTo: oneHour) })
  }()

  @Test func everyTruncationIsRejected() {
    for bytes in [HistogramV2Codec.encode(valid), HistogramV2Codec.encodeCompressed(valid)] {
      for length in 0..<bytes.count {
        #expect(errorKind { _ = try HistogramV2Codec.decode(Array(bytes[..<length])) } != nil, "\(length) bytes")
      }
    }
  }

  /// The outer length put right, so that zlib itself meets the end.
  @Test func everyTruncatedStreamIsRejected() {
    let stream = Array(HistogramV2Codec.encodeCompressed(valid).dropFirst(8))
    for length in 0..<stream.count {
      #expect(
        errorKind { _ = try HistogramV2Codec.decode(envelope(Array(stream[..<length]))) } != nil, "\(length) bytes")
    }
  }

  @Test func bytesAfterTheEndAreRejected() {
    let plain = HistogramV2Codec.encode(valid)
    let stream = Array(HistogramV2Codec.encodeCompressed(valid).dropFirst(8))
    #expect(errorKind { _ = try HistogramV2Codec.decode(plain + [0]) } == .wrongLength)
    #expect(errorKind { _ = try HistogramV2Codec.decode(envelope(stream) + [0]) } == .wrongLength)
    #expect(errorKind { _ = try HistogramV2Codec.decode(envelope(stream + [0])) } == .wrongLength)
    #expect(errorKind { _ = try HistogramV2Codec.decode(envelope(compressed(plain + [0]))) } == .wrongLength)
  }

  /// Either a typed error or a sound histogram; never a trap.
  @Test func flippedBytesNeverTrap() throws {
    var random = SplitMix64(seed: 6)
    for bytes in [HistogramV2Codec.encode(valid), HistogramV2Codec.encodeCompressed(valid)] {
      for round in 0..<500 {
        var flipped = bytes
        for _ in 0...(round % 3) {
          flipped[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
        }
        do {
          let decoded = try HistogramV2Codec.decode(flipped)
          #expect(decoded.recordedBuckets().reduce(0) { $0 + $1.count } == decoded.totalCount)
          #expect(decoded.min <= decoded.max)
        } catch {
          #expect(!error.message.isEmpty)
        }
      }
    }
  }

  /// A checksum protects the compressed form; only bits that carry nothing (the word size, the level, the padding) may differ.
  @Test func flippedCompressedBytesNeverChangeTheFigures() {
    let bytes = HistogramV2Codec.encodeCompressed(valid)
    var rejections = 0
    for index in bytes.indices {
      var flipped = bytes
      flipped[index] ^= 0x40
      do {
        let decoded = try HistogramV2Codec.decode(flipped)
        #expect(decoded == valid, "byte \(index)")
      } catch {
        rejections += 1
      }
    }
    #expect(rejections >= bytes.count - 3)
  }

  @Test func randomBytesNeverTrap() {
    var random = SplitMix64(seed: 8)
    for round in 0..<900 {
      let noise = (0..<(round % 90)).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(errorKind { _ = try HistogramV2Codec.decode(noise) } != nil)
      #expect(errorKind { _ = try HistogramV2Codec.decode(envelope(noise)) } != nil)
    }
  }

  @Test func zlibBombIsStoppedEarly() {
    // 64 MiB of zeros after an honest header, and before any: neither comes out.
    let honest = HistogramV2Codec.encode(valid)
    let bomb = [UInt8](repeating: 0, count: 64 << 20)
    #expect(errorKind { _ = try HistogramV2Codec.decode(envelope(compressed(honest + bomb))) } == .wrongLength)
    #expect(errorKind { _ = try HistogramV2Codec.decode(envelope(compressed(bomb))) } == .unsupportedEncoding)
    // A header that announces them: more than the buckets can need.
    let announcing = header(payloadLength: 64 << 20) + bomb
    #expect(errorKind { _ = try HistogramV2Codec.decode(envelope(compressed(announcing))) } == .wrongLength)
  }

  @Test(
    arguments: [
      ("", .notBase64), ("HISTF", .notBase64), ("HIST*AAA", .notBase64), ("HISTFAAA", .wrongLength),
      ("histogram", .notBase64), ("AAAAAAAAAAAAAAAA", .unsupportedEncoding),
      // V1 and V0, compressed.
      ("HISTAgAAAAAAAAAA", .unsupportedEncoding), ("HISTCQAAAAAAAAAA", .unsupportedEncoding),
    ] as [(String, HistogramError.Kind)])
  func textThatIsNoHistogramIsRejected(text: String, kind: HistogramError.Kind) {
    let found = errorKind { _ = try HistogramV2Codec.decode(base64: text) }
    // The empty text is base64 of nothing.
    #expect(found == (text.isEmpty ? .wrongLength : kind))
  }

  @Test func headersAreChecked() {
    let cases: [(String, [UInt8], HistogramError.Kind)] = [
      ("negative length", header(payloadLength: -1), .wrongLength),
      ("length beyond the buckets", header(payloadLength: 9 * 33_792 + 1), .wrongLength),
      ("one byte more than with the header in it", header(payloadLength: 41), .wrongLength),
      ("one byte less", header(payloadLength: 39), .wrongLength),
      ("all buckets and the header", header(payloadLength: 9 * 33_792 + 41), .wrongLength),
      ("floating-point values", bigEndian(0x0c72_124e as UInt32) + header().dropFirst(4), .unsupportedEncoding),
      ("no digits", header(digits: 0), .invalidLayout),
      ("six digits", header(digits: 6), .invalidLayout),
      ("negative digits", header(digits: -3), .invalidLayout),
      ("lowest 0", header(lowest: 0), .invalidLayout),
      ("highest below twice the lowest", header(lowest: 3, highest: 5), .invalidLayout),
      ("highest negative", header(highest: .max), .invalidLayout),
      ("no room for the digits", header(lowest: 1 << 61, highest: .max / 2), .invalidLayout),
    ]
    for (name, bytes, kind) in cases {
      #expect(errorKind { _ = try HistogramV2Codec.decode(bytes) } == kind, "\(name)")
      #expect(errorKind { _ = try HistogramV2Codec.decode(envelope(compressed(bytes))) } == kind, "\(name)")
    }
  }

  /// What says nothing of the counts is what the libraries' headers differ in.
  @Test func whatTheLibrariesDifferInIsRead() throws {
    let plain = HistogramV2Codec.encode(valid)
    let payload = Array(plain[40...])
    let length = Int32(payload.count)
    for (name, head) in [
      ("turned by one", header(payloadLength: length, offset: 1)),
      ("turned back", header(payloadLength: length, offset: -4096)),
      ("turned by anything", header(payloadLength: length, offset: .min)),
      ("no word size", bigEndian(0x1c84_9303 as UInt32) + header(payloadLength: length).dropFirst(4)),
      ("no ratio", header(payloadLength: length).dropLast(8) + [UInt8](repeating: 0, count: 8)),
    ] {
      #expect(try HistogramV2Codec.decode(head + payload) == valid, "\(name)")
      #expect(try HistogramV2Codec.decode(envelope(compressed(head + payload))) == valid, "\(name)")
    }
    // Where zlib's checksum says that nothing is missing; else 40 bytes are.
    let counted = header(payloadLength: length + 40) + payload
    #expect(try HistogramV2Codec.decode(envelope(compressed(counted))) == valid)
    #expect(errorKind { _ = try HistogramV2Codec.decode(counted) } == .wrongLength)
  }

  @Test func countsAreChecked() {
    let largest: [UInt8] = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]  // 2^63 − 1
    let smallest = [UInt8](repeating: 0xff, count: 9)  // −2^63
    let half: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]  // 2^62
    let cases: [(String, [UInt8], HistogramError.Kind?)] = [
      ("cut-off count", [0x02, 0x80], .corruptCounts),
      ("zeros up to the end", [0xff, 0x8f, 0x04], nil),  // 33 792 zeros
      ("one zero too many", [0x81, 0x90, 0x04], .corruptCounts),
      ("a count after the last bucket", [0xff, 0x8f, 0x04, 0x02], .corruptCounts),
      ("zeros without end", smallest, .corruptCounts),
      ("2^62 values", half, nil),
      ("one more", half + [0x02], .countOverflow),
      ("a count of 2^63 − 1", largest, .countOverflow),
      ("sums beyond 64 bits", largest + largest + largest, .countOverflow),
    ]
    for (name, counts, kind) in cases {
      let bytes = header(payloadLength: Int32(counts.count)) + counts
      #expect(errorKind { _ = try HistogramV2Codec.decode(bytes) } == kind, "\(name)")
    }
  }

  @Test func histogramWithoutCountsIsEmpty() throws {
    #expect(try HistogramV2Codec.decode(header(payloadLength: 0)) == LatencyHistogram())
  }

  private func header(
    payloadLength: Int32 = 0, offset: Int32 = 0, digits: Int32 = 3, lowest: UInt64 = 1, highest: UInt64 = oneHour
  ) -> [UInt8] {
    bigEndian(0x1c84_9313 as UInt32) + bigEndian(payloadLength) + bigEndian(offset) + bigEndian(digits)
      + bigEndian(lowest) + bigEndian(highest) + bigEndian(1.0.bitPattern)
  }

  private func envelope(_ stream: [UInt8]) -> [UInt8] {
    bigEndian(0x1c84_9314 as UInt32) + bigEndian(Int32(stream.count)) + stream
  }

  private func bigEndian(_ integer: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: integer.bigEndian) { Array($0) }
  }

  private func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var length = compressBound(uLong(bytes.count))
    var stream = [UInt8](repeating: 0, count: Int(length))
    #expect(compress(&stream, &length, bytes, uLong(bytes.count)) == Z_OK)
    return Array(stream[..<Int(length)])
  }
}
