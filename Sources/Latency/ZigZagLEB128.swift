/// The integers of HdrHistogram's V2 encoding: ZigZag, then seven bits to a byte, lowest first.
///
/// Unlike plain LEB128 the ninth byte holds eight bits, so that 64 bits take at most nine bytes.
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

  /// Takes one integer from the front; `nil` where the bytes end within it.
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
