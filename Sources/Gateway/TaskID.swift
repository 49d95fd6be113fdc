/// A task's name, as the gateway gave it.
///
/// Nearly all names have one of two forms: 32 hexadecimal digits, as ECS names its tasks, or a UUID, both in lower case.
/// These take 16 bytes here and are made, compared and written without any allocation. Every other spelling, upper case
/// included, is kept as it is, so that no two names are confused.
public struct TaskID: Hashable, Sendable {
  /// How the name is kept.
  package enum Form: UInt8, Sendable {
    /// 32 digits.
    case digits
    /// 32 digits in groups of 8, 4, 4, 4 and 12.
    case uuid
    /// The text itself.
    case other
  }

  package let form: Form
  /// The number that the digits write; 0 for another form.
  package let number: UInt128
  private let text: String?

  /// The name in `bytes`, which are UTF-8.
  package init(_ bytes: UnsafeRawBufferPointer) {
    if let number = Self.number(in: bytes) {
      (form, self.number, text) = (bytes.count == Self.digitCount ? .digits : .uuid, number, nil)
    } else {
      (form, number, text) = (.other, 0, String(decoding: bytes, as: UTF8.self))
    }
  }

  /// The name `name`.
  public init(_ name: String) {
    let number = name.utf8.withContiguousStorageIfAvailable { Self.number(in: UnsafeRawBufferPointer($0)) } ?? nil
    if let number {
      (form, self.number, text) = (name.utf8.count == Self.digitCount ? .digits : .uuid, number, nil)
    } else {
      (form, self.number, text) = (.other, 0, name)
    }
  }

  /// A name of one of the two short forms.
  package init(_ number: UInt128, _ form: Form) {
    (self.form, self.number, text) = (form, number, nil)
  }

  /// The name as the gateway gave it.
  public var name: String {
    if let text { return text }
    return String(unsafeUninitializedCapacity: byteCount) {
      write(to: $0.baseAddress.map { UnsafeMutableRawPointer($0) })
    }
  }

  /// The length of the name in bytes.
  package var byteCount: Int {
    switch form {
    case .digits: Self.digitCount
    case .uuid: Self.uuidCount
    case .other: text?.utf8.count ?? 0
    }
  }

  /// Writes the name's bytes, ``byteCount`` of them, and returns their number.
  @discardableResult
  package func write(to place: UnsafeMutableRawPointer?) -> Int {
    guard let place else { return 0 }
    switch form {
    case .digits: writeDigits(to: place)
    case .uuid:
      withUnsafeTemporaryAllocation(byteCount: Self.digitCount, alignment: 8) { digits in
        guard let from = digits.baseAddress else { return }
        writeDigits(to: from)
        Self.forEachGroup { start, length, position in
          if start > 0 { place.storeBytes(of: UInt8(ascii: "-"), toByteOffset: position - 1, as: UInt8.self) }
          (place + position).copyMemory(from: from + start, byteCount: length)
        }
      }
    case .other:
      var position = 0
      for byte in (text ?? "").utf8 {
        place.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
        position += 1
      }
    }
    return byteCount
  }

  // MARK: Digits, eight at a time

  private static let digitCount = 32
  private static let uuidCount = 36

  /// Calls `body` for each group of a UUID: where it begins among the digits, how long it is, and where it begins in
  /// the text.
  private static func forEachGroup(_ body: (_ start: Int, _ length: Int, _ position: Int) -> Void) {
    body(0, 8, 0)
    body(8, 4, 9)
    body(12, 4, 14)
    body(16, 4, 19)
    body(20, 12, 24)
  }

  private static func number(in bytes: UnsafeRawBufferPointer) -> UInt128? {
    switch bytes.count {
    case digitCount: return number(ofDigits: bytes)
    case uuidCount:
      return withUnsafeTemporaryAllocation(byteCount: digitCount, alignment: 8) { digits in
        guard let to = digits.baseAddress, let from = bytes.baseAddress else { return nil }
        var isDashed = true
        forEachGroup { start, length, position in
          isDashed = isDashed && (start == 0 || bytes[position - 1] == UInt8(ascii: "-"))
          (to + start).copyMemory(from: from + position, byteCount: length)
        }
        return isDashed ? number(ofDigits: UnsafeRawBufferPointer(digits)) : nil
      }
    default: return nil
    }
  }

  private static func number(ofDigits bytes: UnsafeRawBufferPointer) -> UInt128? {
    var number: UInt128 = 0
    for offset in stride(from: 0, to: digitCount, by: 8) {
      guard let part = eightDigits(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      else { return nil }
      number = number << 32 | UInt128(part)
    }
    return number
  }

  private func writeDigits(to place: UnsafeMutableRawPointer) {
    for index in 0..<4 {
      let part = UInt32(truncatingIfNeeded: number >> UInt128(96 - 32 * index))
      place.storeBytes(of: Self.eightDigits(of: part).littleEndian, toByteOffset: 8 * index, as: UInt64.self)
    }
  }

  /// 01 in each byte.
  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// The value of eight hexadecimal digits in lower case, the first one in the lowest byte; nil for other characters.
  private static func eightDigits(_ text: UInt64) -> UInt32? {
    // Bit 6 tells letters from digits. A letter's low half is 1 for `a`, which stands for 10.
    let letters = text >> 6 & ones
    let values = (text & (ones &* 0x0f)) &+ letters &* 9
    // Each character must be the one that its value is written with, and letters stand for 10 to 15 alone.
    guard values &+ ones &* 0x30 &+ letters &* 0x27 == text, values & (ones &* 0x10) == 0,
      (values &+ ones &* 6) & (ones &* 0x10) == letters << 4
    else { return nil }
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff
    return UInt32(truncatingIfNeeded: quads | quads >> 16).byteSwapped
  }

  /// The eight digits of `value`, the first one in the lowest byte.
  private static func eightDigits(of value: UInt32) -> UInt64 {
    let bytes = UInt64(value.byteSwapped)
    let quads = (bytes | bytes << 16) & 0x0000_ffff_0000_ffff
    let pairs = (quads | quads << 8) & 0x00ff_00ff_00ff_00ff
    let values = (pairs >> 4 & 0x000f_000f_000f_000f) | (pairs & 0x000f_000f_000f_000f) << 8
    let letters = (values &+ ones &* 6) >> 4 & ones
    return values &+ ones &* 0x30 &+ letters &* 0x27
  }
}

extension TaskID: ExpressibleByStringInterpolation {
  /// The name that the literal writes.
  public init(stringLiteral name: String) { self.init(name) }
}

extension TaskID: CustomStringConvertible {
  /// ``name``.
  public var description: String { name }
}
