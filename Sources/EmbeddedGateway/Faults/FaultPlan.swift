/// What a gateway can be told to do wrong, so that the tools can be tested against it.
public enum AcquireFault: String, Sendable, CaseIterable {
  /// Answer 503.
  case unavailable = "503"
  /// Never answer.
  case mute
  /// Reset the connection.
  case reset
  /// Answer 200 with a body that is no JSON.
  case rubbish
  /// Announce a longer body than is sent, and close.
  case truncate
  /// Answer the lab dialect's miss although there may be tasks.
  case miss
  /// Hand out the last user's task a second time.
  case duplicate
}

/// Which acquires and which starts go wrong: a pure value, the same for the same seed.
public struct FaultPlan: Sendable, Equatable {
  /// What happens to an acquire that is hit.
  public var acquireFault: AcquireFault?
  /// Only the first so many acquires can be hit; `nil` for all.
  public var firstAcquires: Int?
  /// How probably an acquire is hit, 0–1.
  public var probability: Double = 1
  /// Makes the choice of acquires reproducible.
  public var seed: UInt64 = 0
  /// How many starts of tasks fail, from the first on; `Int.max` for all.
  public var failingStarts = 0
  /// Every acquire is answered so much later, in ns.
  public var acquireDelay: UInt64 = 0

  /// Nothing goes wrong.
  public init() {}

  /// What happens to the acquire with this index, counted from 0.
  public func fault(ofAcquire index: Int) -> AcquireFault? {
    guard let acquireFault, index < firstAcquires ?? .max else { return nil }
    return Self.fraction(seed: seed, index: UInt64(index)) < probability ? acquireFault : nil
  }

  /// Whether the start with this index, counted from 0, fails.
  public func failsStart(_ index: Int) -> Bool { index < failingStarts }

  /// A number in 0..<1 that looks random: the output function of SplitMix64 (Steele, Lea, Flood 2014).
  private static func fraction(seed: UInt64, index: UInt64) -> Double {
    var z = seed &+ (index &+ 1) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    z ^= z >> 31
    return Double(z >> 11) * 0x1p-53
  }
}
