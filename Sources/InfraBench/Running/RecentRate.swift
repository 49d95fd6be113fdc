/// How many iterations a second were done of late, from readings of a counter.
struct RecentRate: Sendable {
  private var readings: [(at: UInt64, done: UInt64)]
  /// In ns: long enough to be steady, short enough to show a stall.
  private static let window: UInt64 = 10_000_000_000

  /// Starts with nothing done at `begin`, in ns.
  init(begin: UInt64) { readings = [(begin, 0)] }

  /// Takes a reading and says the rate since the last one that is a window old, or since the begin.
  mutating func add(at now: UInt64, done: UInt64) -> Double {
    readings.append((now, done))
    while readings.count > 2, now - min(now, readings[1].at) >= Self.window { readings.removeFirst() }
    let first = readings[0]
    guard now > first.at, done > first.done else { return 0 }
    return Double(done - first.done) * 1e9 / Double(now - first.at)
  }
}
