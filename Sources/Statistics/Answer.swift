/// What can be said of a statistic.
public enum Verdict: Sendable, Equatable {
  /// The new runs' values are lower.
  case lower
  /// The new runs' values are higher.
  case higher
  /// No change is shown, or one that is too small to count.
  case noChange
  /// However far apart the values were, the test could not tell.
  case tooFewRuns
}

/// The answer to a question; every number in it is finite.
public struct Answer: Sendable, Equatable {
  /// The Hodges–Lehmann estimate of the change: new/old − 1 on the ratio scale, new − old on the scale of differences; 0 where
  /// a side has no runs.
  public var change: Double
  /// The changes that the test doesn't reject at `level`. It leaves out 0 exactly where the test rejects there; nil where it has
  /// no bounds, because no data of so few runs could be rejected.
  public var interval: ClosedRange<Double>?
  /// The p of this statistic alone.
  public var pValue: Double
  /// Holm's adjusted p; at most the family's alpha exactly where the statistic's change is significant.
  public var adjustedPValue: Double
  /// The level that Holm's procedure judged this statistic at; `interval` is at this level.
  public var level: Double
  /// What is said of it.
  public var verdict: Verdict
  /// How many further runs would let the test speak; none unless the verdict is `tooFewRuns`.
  public var needed: RunsNeeded
  /// Whether the change is significant, yet smaller than the minimal effect or than the resolution: the verdict is `noChange`.
  public var isBelowMinimum: Bool

  /// An answer of the given parts.
  public init(
    change: Double, interval: ClosedRange<Double>?, pValue: Double, adjustedPValue: Double, level: Double,
    verdict: Verdict, needed: RunsNeeded = RunsNeeded(), isBelowMinimum: Bool = false
  ) {
    self.change = change
    self.interval = interval
    self.pValue = pValue
    self.adjustedPValue = adjustedPValue
    self.level = level
    self.verdict = verdict
    self.needed = needed
    self.isBelowMinimum = isBelowMinimum
  }
}
