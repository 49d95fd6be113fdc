public import Latency

/// A stage of an open loop: the rate goes linearly from where it is to `target`.
public struct RateStage: Sendable, Equatable {
  /// How long it takes; zero is a jump.
  public var duration: Nanoseconds
  /// The rate at the stage's end.
  public var target: ArrivalRate

  /// Makes a stage.
  public init(duration: Nanoseconds, target: ArrivalRate) {
    self.duration = duration
    self.target = target
  }
}
