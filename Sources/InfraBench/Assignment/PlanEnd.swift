import LoadEngine
import Synchronization

/// When a plan with a duration is over, as far as waiting for it is concerned.
final class PlanEnd: Sendable {
  private let load: LoadSettings
  /// When the first iteration of warm-up, and of the measurement, was begun.
  private let begun = Mutex<(warmup: UInt64?, measured: UInt64?)>((nil, nil))

  init(_ load: LoadSettings) {
    self.load = load
  }

  /// The end, in ns of `MonotonicClock`, of the part that an iteration begun at `now` belongs to.
  func of(_ iteration: Iteration, at now: UInt64) -> UInt64 {
    let since = begun.withLock { begun in
      if iteration.isWarmup {
        begun.warmup = begun.warmup ?? now
        return begun.warmup ?? now
      }
      begun.measured = begun.measured ?? now
      return begun.measured ?? now
    }
    if iteration.isWarmup {
      guard case .duration(let length) = load.warmup else { return .max }
      return since + length
    }
    return load.length.map { since + $0 } ?? .max
  }
}
