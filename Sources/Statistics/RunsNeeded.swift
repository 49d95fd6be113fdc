/// How many further runs a comparison needs before its test can speak.
public struct RunsNeeded: Sendable, Equatable {
  /// Further runs of the old side.
  public var old: Int
  /// Further runs of the new side.
  public var new: Int
  /// Further runs of both sides together.
  public var total: Int { old + new }

  /// No further runs unless told otherwise.
  public init(old: Int = 0, new: Int = 0) {
    self.old = old
    self.new = new
  }
}

extension RankTest {
  /// The smallest p that samples of these sizes can have, whatever is measured: 2 / C(old + new, old), at most 1; 1 where a side
  /// is empty. Beyond 10,000 pairs, that of the normal approximation.
  public static func smallestPValue(old: Int, new: Int) -> Double {
    MannWhitneyDistribution.smallestP(old: old, new: new)
  }

  /// The fewest further runs after which the test can reject at `alpha`, spread so that both sides become as even as possible;
  /// an odd one goes to the new side. None where it can already.
  public static func runsNeeded(old: Int, new: Int, alpha: Double) -> RunsNeeded {
    let wanted = alpha > 0 ? alpha : 0
    let (old, new) = (max(0, old), max(0, new))
    var needed = RunsNeeded()
    // Of all ways to spread the same number of runs the most even one has the smallest p: C(n + m, n) is largest there.
    while smallestPValue(old: old + needed.old, new: new + needed.new) > wanted {
      if old + needed.old < new + needed.new { needed.old += 1 } else { needed.new += 1 }
    }
    return needed
  }
}
