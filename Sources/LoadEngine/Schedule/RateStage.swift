/// A stage of an open loop: the rate goes linearly from where it is to `target`.
public struct RateStage: Sendable, Equatable {
  /// In ns; 0 is a jump.
  public var duration: UInt64
  /// The rate at the stage's end.
  public var target: ArrivalRate

  /// Makes a stage.
  public init(duration: UInt64, target: ArrivalRate) {
    self.duration = duration
    self.target = target
  }
}
