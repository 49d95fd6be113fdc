import Latency

/// How often the pool was really looked at: what the resolution of every time rests on.
struct PollRate: Sendable, Equatable {
  /// In ns, as it was asked for.
  let interval: UInt64
  private(set) var answered: UInt64 = 0
  private(set) var lost: UInt64 = 0
  /// Between the answers to two whole looks in a row, in ns.
  private(set) var longestGap: UInt64 = 0
  private var firstAnswer: UInt64?
  private var lastAnswer: UInt64?

  init(interval: UInt64) { self.interval = interval }

  /// A poll was over at `instant`, in ns of `MonotonicClock`; whole if no view was missing.
  mutating func add(isWhole: Bool, at instant: UInt64) {
    // A gap that never ends is one too.
    if let lastAnswer { longestGap = max(longestGap, instant - min(lastAnswer, instant)) }
    guard isWhole else { return lost += 1 }
    answered += 1
    firstAnswer = firstAnswer ?? instant
    lastAnswer = instant
  }

  /// Whole looks a second, lost ones left out; nil before the second one.
  var effective: Double? {
    guard let firstAnswer, let lastAnswer, lastAnswer > firstAnswer else { return nil }
    return Double(answered - 1) / (Double(lastAnswer - firstAnswer) / 1e9)
  }

  /// `1.96/s of 2.00/s, longest gap 1.02 s, 3 polls lost`.
  var finding: String? {
    guard let effective else { return nil }
    let asked = interval > 0 ? " of \(Figures.decimals(1e9 / Double(interval), 2))/s" : ""
    let losses = lost == 0 ? "" : lost == 1 ? ", 1 poll lost" : ", \(lost) polls lost"
    return "\(Figures.decimals(effective, 2))/s\(asked), longest gap \(RefillText.seconds(longestGap)) s\(losses)"
  }
}
