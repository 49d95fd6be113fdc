import ArgumentParser

/// A duration on the command line: a decimal number and a unit, `200us`, `5ms`, `1.5s`, up to an hour.
struct Delay: Equatable {
  let nanoseconds: UInt64

  /// Throws what to write instead.
  init(parsing text: String) throws {
    for (unit, factor) in [("us", 1e3), ("ms", 1e6), ("s", 1e9)] where text.hasSuffix(unit) {
      let digits = text.dropLast(unit.utf8.count)
      let isPlain = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
      guard isPlain, let value = Double(digits), value * factor <= 3600e9 else { break }
      nanoseconds = UInt64((value * factor).rounded())
      return
    }
    throw ValidationError("write a number and a unit, such as 200us, 5ms or 1.5s, of at most an hour")
  }
}
