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

  /// Iterations that were begun, as counted by ``begin()``.
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
    // Ends are read first: an iteration that ends between the two reads must not make the difference negative.
    let ended = done &+ censoredCount.load(ordering: .relaxed)
    let started = started
    return started > ended ? started - ended : 0
  }

  /// The headline's percentiles so far; nil without a sample.
  public var percentiles: Percentiles? { readPercentiles.withLock { $0 }?() }

  /// Sets the source of ``percentiles``. It is called from any thread, a few times a second.
  public func provide(percentiles: @escaping @Sendable () -> Percentiles?) {
    readPercentiles.withLock { $0 = percentiles }
  }

  /// Sets the source of ``dropped``; see ``provide(percentiles:)``.
  public func provide(dropped: @escaping @Sendable () -> UInt64) {
    readDropped.withLock { $0 = dropped }
  }

  /// Sets the source of ``waiting``; see ``provide(percentiles:)``.
  public func provide(waiting: @escaping @Sendable () -> UInt64) {
    readWaiting.withLock { $0 = waiting }
  }

  /// Counts an iteration that begins; ``add(_:)`` counts its end.
  public func begin() {
    startedCount.wrappingAdd(1, ordering: .relaxed)
  }

  /// Counts the end of an iteration. A censored one leaves ``inFlight`` without being ``done``.
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
