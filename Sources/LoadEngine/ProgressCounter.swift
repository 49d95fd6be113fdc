import Synchronization

/// How far a run is, readable at any time from any thread.
public final class ProgressCounter: Sendable {
  private let doneCount = Atomic<UInt64>(0)
  private let failedCount = Atomic<UInt64>(0)

  /// Starts at nothing.
  public init() {}

  /// Finished iterations, failures included.
  public var done: UInt64 { doneCount.load(ordering: .relaxed) }
  /// Failed iterations.
  public var failed: UInt64 { failedCount.load(ordering: .relaxed) }

  /// Counts an iteration that ended like this; a censored one does not count.
  public func add(_ ending: IterationRecord.Ending) {
    switch ending {
    case .success: doneCount.wrappingAdd(1, ordering: .relaxed)
    case .failure:
      doneCount.wrappingAdd(1, ordering: .relaxed)
      failedCount.wrappingAdd(1, ordering: .relaxed)
    case .censored: break
    }
  }
}

extension ProgressCounter {
  // TEMPORARY until branch sched
  func provide(_ percentiles: @escaping @Sendable () -> (p50: UInt64, p99: UInt64)?) {}
  func provide(dropped: @escaping @Sendable () -> UInt64) {}
  func began() {}
  func ended() {}
}
