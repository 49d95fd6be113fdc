/// An instant in the forms of credential documents: ISO 8601 with `Z`, `UTC`, an offset or none (UTC), its basic form
/// `20300101T000000Z`, fractions, and RFC 1123's `Tue, 01 Jan 2030 00:00:00 GMT`.
///
/// botocore's reader (dateutil) accepts more; a form that is ambiguous there, such as `01/02/30`, is refused here.
enum Timestamp {
  /// Seconds since 1970, without the fraction; `nil` for any other text or a date that does not exist.
  static func epochSeconds(_ text: String) -> Int64? {
    var reading = TimestampReading(text)
    let isNamed = reading.rest.first.map { !TimestampReading.isDigit($0) } ?? true
    guard let date = (isNamed ? nil : reading.isoDate()) ?? reading.datedByName(), let time = reading.time(),
      let offset = reading.offset(), reading.rest.isEmpty, time.second < 60,
      let instant = SigningDate(
        year: date.year, month: date.month, day: date.day, hour: time.hour, minute: time.minute, second: time.second)
    else { return nil }
    return instant.epochSeconds - offset
  }
}

/// The unread bytes of a timestamp. Each part returns `nil` where the bytes do not have its form.
private struct TimestampReading {
  private(set) var rest: ArraySlice<UInt8>

  private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

  /// Reads `text` without the blanks at both ends.
  init(_ text: String) {
    let start = Array(text.utf8).drop { $0 == UInt8(ascii: " ") }
    rest = start.prefix((start.lastIndex { $0 != UInt8(ascii: " ") } ?? start.startIndex - 1) + 1 - start.startIndex)
  }

  static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// `2030-01-31` or `20300131`, and the `T`, `t` or blank that divides it from the time.
  mutating func isoDate() -> (year: Int64, month: Int64, day: Int64)? {
    var attempt = self
    guard let year = attempt.number(digits: 4...4) else { return nil }
    let isExtended = attempt.take("-")
    guard let month = attempt.number(digits: 2...2), attempt.take("-") == isExtended,
      let day = attempt.number(digits: 2...2), attempt.take("T") || attempt.take("t") || attempt.take(" ")
    else { return nil }
    self = attempt
    return (year, month, day)
  }

  /// `Tue, 01 Jan 2030 ` (RFC 1123, section 5.2.14), the weekday optional.
  mutating func datedByName() -> (year: Int64, month: Int64, day: Int64)? {
    if let name = word() {
      guard name.count == 3, take(",") else { return nil }
      skipBlanks()
    }
    guard let day = number(digits: 1...2), take(" "), let name = word(),
      let month = Self.months.firstIndex(of: name), take(" "), let year = number(digits: 4...4), take(" ")
    else { return nil }
    return (year, Int64(month) + 1, day)
  }

  /// `23:59:59`, `235959`, either without the seconds or with a fraction of them.
  mutating func time() -> (hour: Int64, minute: Int64, second: Int64)? {
    guard let hour = number(digits: 2...2) else { return nil }
    let isExtended = take(":")
    guard let minute = number(digits: 2...2) else { return nil }
    let hasSeconds = isExtended ? take(":") : rest.first.map(Self.isDigit) ?? false
    guard hasSeconds else { return (hour, minute, 0) }
    guard let second = number(digits: 2...2) else { return nil }
    if take(".") || take(",") {
      guard number(digits: 1...18) != nil else { return nil }
    }
    return (hour, minute, second)
  }

  /// `Z`, `UTC`, `GMT`, `±h`, `±hh`, `±hhmm`, `±hh:mm` or nothing, in seconds east of Greenwich. A name of UTC may
  /// follow a zero offset, `+0000 UTC`.
  mutating func offset() -> Int64? {
    skipBlanks()
    let isEast = take("+")
    let isWest = !isEast && take("-")
    guard isEast || isWest else { return isRestOfUTC() ? 0 : nil }
    guard let hours = number(digits: 1...2) else { return nil }
    let isExtended = take(":")
    let minutes = number(digits: 2...2)
    guard isExtended ? minutes != nil : true, hours < 24, (minutes ?? 0) < 60 else { return nil }
    let offset = (isWest ? -1 : 1) * (hours * 3_600 + (minutes ?? 0) * 60)
    if offset == 0 {
      skipBlanks()
      return isRestOfUTC() ? 0 : nil
    }
    return offset
  }

  /// Whether the rest is empty or a name of UTC; takes it.
  private mutating func isRestOfUTC() -> Bool {
    let name = word()
    return rest.isEmpty && (name.map { ["z", "utc", "gmt"].contains($0) } ?? true)
  }

  private mutating func skipBlanks() { rest = rest.drop { $0 == UInt8(ascii: " ") } }

  private mutating func take(_ character: Character) -> Bool {
    guard let byte = rest.first, byte == character.asciiValue else { return false }
    rest = rest.dropFirst()
    return true
  }

  private mutating func number(digits: ClosedRange<Int>) -> Int64? {
    let found = rest.prefix(digits.upperBound).prefix { Self.isDigit($0) }
    guard found.count >= digits.lowerBound else { return nil }
    rest = rest.dropFirst(found.count)
    return found.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }

  /// The letters at this place, in lower case; `nil` without any.
  private mutating func word() -> String? {
    let letters = rest.prefix {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
    }
    rest = rest.dropFirst(letters.count)
    return letters.isEmpty ? nil : String(decoding: letters.map { $0 | 0x20 }, as: UTF8.self)
  }
}

/// The `Date` header, `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate of RFC 9110, section 5.6.7).
enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Seconds since 1970, `nil` for any other text.
  static func epochSeconds(_ text: String) -> Int64? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), let year = Int64(parts[3]),
      let month = months.firstIndex(where: { $0 == parts[2] })
    else { return nil }
    let time = parts[4].split(separator: ":").compactMap { Int64($0) }
    guard time.count == 3 else { return nil }
    return SigningDate(
      year: year, month: Int64(month) + 1, day: day, hour: time[0], minute: time[1], second: time[2])?.epochSeconds
  }
}
