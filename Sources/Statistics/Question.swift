/// One statistic of two sets of runs: one value for each run.
public struct Question: Sendable, Equatable {
  /// The values of the old runs; NaN counts as no run.
  public var old: [Double]
  /// The values of the new runs; NaN counts as no run.
  public var new: [Double]
  /// What they are compared on.
  public var scale: Scale
  /// Changes smaller than this, in the values' own unit, cannot be seen (as where a poll's interval is the resolution); 0 where
  /// there is no such bound.
  public var resolution: Double

  /// A statistic's values, one for each run.
  public init(old: [Double], new: [Double], scale: Scale, resolution: Double = 0) {
    self.old = old
    self.new = new
    self.scale = scale
    self.resolution = resolution
  }
}
