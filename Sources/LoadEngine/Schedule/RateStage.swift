public import Latency

/// A stage of an open loop: the rate goes linearly from its present value to `target`.
public struct RateStage: Sendable, Equatable {
  /// The length of the stage; with zero the rate jumps.
  public var duration: Nanoseconds
  /// The rate at the stage's end.
  public var target: ArrivalRate

  /// Makes a stage.
  public init(duration: Nanoseconds, target: ArrivalRate) {
    self.duration = duration
    self.target = target
  }
}
