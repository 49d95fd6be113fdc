import Synchronization

/// From when on the generator is judged: its monitor begins anew when users are set up, and once more after the warm-up.
final class Judging: Sendable {
  private let monitor: GeneratorMonitor?
  private let isWarmingUp: Atomic<Bool>

  init(_ monitor: GeneratorMonitor?, hasWarmup: Bool) {
    self.monitor = monitor
    isWarmingUp = Atomic(hasWarmup)
  }

  func restart() { monitor?.restart() }

  /// Told of every measured iteration; the first one ends the warm-up.
  func measuring() {
    guard isWarmingUp.load(ordering: .relaxed), isWarmingUp.exchange(false, ordering: .relaxed) else { return }
    restart()
  }
}
