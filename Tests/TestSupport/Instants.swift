public import Latency

/// Tests write an instant as its number of nanoseconds, as they compare few small ones that no clock has shown. In the tools an
/// instant comes from the clock, and a bare number would be a mistake.
extension Instant: ExpressibleByIntegerLiteral {
  /// The instant so many nanoseconds after the clock's first one.
  public init(integerLiteral nanoseconds: UInt64) { self.init(nanoseconds: nanoseconds) }
}
