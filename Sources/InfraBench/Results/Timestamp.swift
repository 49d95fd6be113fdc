package import FoundationEssentials

/// An instant in UTC as results write it.
package struct Timestamp: Sendable {
  /// `2026-11-20`
  package let day: String
  /// `210000`
  package let compactTime: String
  /// `2026-11-20T21:00:00.123Z`
  package let iso8601: String

  package init(_ date: Date) {
    iso8601 = date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    day = String(iso8601.prefix(10))
    compactTime = iso8601.dropFirst(11).prefix(8).filter { $0 != ":" }
  }

  /// Whether `text` is an instant as results write it, of a day and a time that there are.
  static func isWritten(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    let form = Array("0000-00-00T00:00:00.000Z".utf8)
    let zero = UInt8(ascii: "0")
    let isInForm =
      bytes.count == form.count
      && zip(bytes, form).allSatisfy { $1 == zero ? (zero...UInt8(ascii: "9")).contains($0) : $0 == $1 }
    guard isInForm, CalendarDay(text.prefix(10)) != nil else { return false }
    func number(at place: Int) -> Int { Int(bytes[place] - zero) * 10 + Int(bytes[place + 1] - zero) }
    return number(at: 11) < 24 && number(at: 14) < 60 && number(at: 17) < 60
  }
}
