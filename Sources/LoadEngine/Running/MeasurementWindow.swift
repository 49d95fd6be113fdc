import Synchronization

/// The part of a run in which the generator is judged: from the end of the set-up, or of the warm-up, to the last
/// answer.
final class MeasurementWindow: Sendable {
  private let monitor: GeneratorMonitor?
  private let isOneOfSeveral: Bool
  private let isWarmingUp: Atomic<Bool>

  /// - Parameter isOneOfSeveral: whether the monitor watches other parts too, such as the bursts before this one.
  init(_ monitor: GeneratorMonitor?, hasWarmup: Bool, isOneOfSeveral: Bool) {
    self.monitor = monitor
    self.isOneOfSeveral = isOneOfSeveral
    isWarmingUp = Atomic(hasWarmup)
  }

  /// All users are set up.
  func begin() {
    if isOneOfSeveral { monitor?.resume() } else { monitor?.restart() }
  }

  /// Called for every measured iteration; the first one ends the warm-up.
  func measuring() {
    guard isWarmingUp.load(ordering: .relaxed), isWarmingUp.exchange(false, ordering: .relaxed) else { return }
    monitor?.restartWhileMeasuring()
  }

  /// The last answer has been read.
  func end() { monitor?.pause() }
}
