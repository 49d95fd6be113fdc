public import Latency
import Synchronization

/// How far a run is, readable at any time from any thread. Warm-up does not count.
public final class ProgressCounter: Sendable {
  /// A latency's percentiles so far.
  public typealias Percentiles = (p50: Nanoseconds, p99: Nanoseconds)

  private let startedCount = Atomic<UInt64>(0)
  private let doneCount = Atomic<UInt64>(0)
  private let failedCount = Atomic<UInt64>(0)
  private let censoredCount = Atomic<UInt64>(0)
  private let readPercentiles = Mutex<(@Sendable () -> Percentiles?)?>(nil)
  private let readDropped = Mutex<(@Sendable () -> UInt64)?>(nil)
  private let readWaiting = Mutex<(@Sendable () -> UInt64)?>(nil)

  /// Starts at nothing.
  public init() {}

  /// Iterations that were begun, as far as the load tells of it.
  public var started: UInt64 { startedCount.load(ordering: .relaxed) }
  /// Finished iterations, failures included.
  public var done: UInt64 { doneCount.load(ordering: .relaxed) }
  /// Failed iterations.
  public var failed: UInt64 { failedCount.load(ordering: .relaxed) }
  /// Starts that found no free user and were dropped.
  public var dropped: UInt64 { readDropped.withLock { $0 }?() ?? 0 }
  /// Starts that are due and wait for a free user.
  public var waiting: UInt64 { readWaiting.withLock { $0 }?() ?? 0 }

  /// Iterations that were begun and have not ended.
  public var inFlight: UInt64 {
    // Ends are read first: an iteration that ends meanwhile is not to make the difference negative.
    let ended = done &+ censoredCount.load(ordering: .relaxed)
    let started = started
    return started > ended ? started - ended : 0
  }

  /// Percentiles so far of what the tool measures; nil as long as there are none.
  public var percentiles: Percentiles? { readPercentiles.withLock { $0 }?() }

  /// Says where ``percentiles`` come from. `percentiles` is called from any thread, a few times a second.
  public func provide(percentiles: @escaping @Sendable () -> Percentiles?) {
    readPercentiles.withLock { $0 = percentiles }
  }

  /// Says where ``dropped`` comes from; see `provide(percentiles:)`.
  public func provide(dropped: @escaping @Sendable () -> UInt64) {
    readDropped.withLock { $0 = dropped }
  }

  /// Says where ``waiting`` comes from; see `provide(percentiles:)`.
  public func provide(waiting: @escaping @Sendable () -> UInt64) {
    readWaiting.withLock { $0 = waiting }
  }

  /// Counts an iteration that is begun; `add` tells of its end.
  public func begin() {
    startedCount.wrappingAdd(1, ordering: .relaxed)
  }

  /// Counts an iteration that ended like this; a censored one is not done.
  public func add(_ ending: IterationRecord.Ending) {
    switch ending {
    case .success: doneCount.wrappingAdd(1, ordering: .relaxed)
    case .failure:
      doneCount.wrappingAdd(1, ordering: .relaxed)
      failedCount.wrappingAdd(1, ordering: .relaxed)
    case .censored: censoredCount.wrappingAdd(1, ordering: .relaxed)
    }
  }
}
