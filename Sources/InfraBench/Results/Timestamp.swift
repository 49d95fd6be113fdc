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
}
