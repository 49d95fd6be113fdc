/// The counters that say how good a run was: each over what it is a share of.
struct RateCounter: Sendable {
  let name: String
  /// Whether more of it is better.
  let isGood: Bool
  /// Of all starts that were due; else of the iterations.
  let isOfDue: Bool

  /// In the order of reports. Counters that are neither good nor bad, and parts of others, are left out.
  static let all: [RateCounter] = [
    RateCounter("errors"), RateCounter("timeouts"), RateCounter("warm", isGood: true), RateCounter("cold"),
    RateCounter("misses"), RateCounter("cold_starts"), RateCounter("failed_steps"),
    RateCounter("duplicate_assignments"), RateCounter("isolation_violations"), RateCounter("dropped", isOfDue: true),
    RateCounter("censored", isOfDue: true), RateCounter("unreleased"),
  ]

  private init(_ name: String, isGood: Bool = false, isOfDue: Bool = false) {
    self.name = name
    self.isGood = isGood
    self.isOfDue = isOfDue
  }

  /// The share in a run, 0…1 and beyond where there can be several in one iteration; nil where the run has no such counter or no
  /// iteration.
  func share(in counters: [String: UInt64]) -> Double? {
    guard let number = counters[name] else { return nil }
    let parts = isOfDue ? ["iterations", "dropped", "censored"] : ["iterations"]
    let whole = parts.reduce(0.0) { $0 + Double(counters[$1] ?? 0) }
    return whole > 0 ? Double(number) / whole : nil
  }
}
