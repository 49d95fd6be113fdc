import Synchronization

/// In which parts of a run the generator is judged: from when all users are set up, without the warm-up, to the last
/// answer.
final class MeasurementWindow: Sendable {
  private let monitor: GeneratorMonitor?
  private let isOneOfSeveral: Bool
  private let isWarmingUp: Atomic<Bool>

  /// `isOneOfSeveral` says that the monitor watches other parts as well, such as the bursts before this one.
  init(_ monitor: GeneratorMonitor?, hasWarmup: Bool, isOneOfSeveral: Bool) {
    self.monitor = monitor
    self.isOneOfSeveral = isOneOfSeveral
    isWarmingUp = Atomic(hasWarmup)
  }

  /// All users are set up.
  func begin() {
    if isOneOfSeveral { monitor?.resume() } else { monitor?.restart() }
  }

  /// Told of every measured iteration; the first one ends the warm-up.
  func measuring() {
    guard isWarmingUp.load(ordering: .relaxed), isWarmingUp.exchange(false, ordering: .relaxed) else { return }
    monitor?.restartWhileMeasuring()
  }

  /// The last answer has been read.
  func end() { monitor?.pause() }
}
