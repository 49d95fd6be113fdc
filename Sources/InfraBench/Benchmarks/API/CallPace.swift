import LoadEngine

/// When the next calls may be made, so that there are never more than a rate allows. Pure.
///
/// The calls of one iteration follow one another at once; the next iteration waits until the rate has room for as many.
struct CallPace: Sendable {
  private let rate: ArrivalRate?
  private var lastCount = 1
  /// In ns of `MonotonicClock`.
  private(set) var nextAt: UInt64 = 0

  /// A pace of at most `rate` calls; without one calls may follow at once.
  init(_ rate: ArrivalRate?) { self.rate = rate }

  /// Notes calls that were begun at `begin`. Time that was not used is lost: there is no catching up.
  ///
  /// How many calls were made until one failed is not known: then they count as many as those of the iteration before.
  mutating func made(_ calls: Int, from begin: UInt64, isComplete: Bool) {
    let count = max(1, isComplete ? calls : max(calls + 1, lastCount))
    if isComplete { lastCount = count }
    guard let rate, rate.starts > 0 else { return }
    nextAt = UInt64(clamping: UInt128(begin) + UInt128(count) * UInt128(rate.period) / UInt128(rate.starts))
  }
}
