import Latency
import Synchronization

/// Until when a run may go on to put back, stop and remove what it has made. An orderly end has much time; once the run is
/// interrupted the deadline comes near, as the process is killed soon. Several parts of an end share one deadline.
final class CleanupDeadline: Sendable {
  /// In ns of `MonotonicClock`. Not `Atomic<UInt64>`, whose `min` has compared as if signed (Swift 6.3): `.max` never shrank.
  private let instant: Mutex<UInt64>

  /// In ns: an hour; no deadline at all is more than a sleep can take.
  private static let longestSleep: UInt64 = 3_600_000_000_000

  /// - Parameter bound: from now on, in ns; nil: none.
  init(within bound: UInt64? = nil) {
    instant = Mutex(bound.map { Self.after($0) } ?? .max)
  }

  var hasPassed: Bool { remaining == 0 }

  /// How long it may go on, in ns.
  var remaining: UInt64 {
    let instant = instant.withLock { $0 }
    return instant - min(MonotonicClock.now(), instant)
  }

  /// The deadline comes nearer: `bound` ns from now on, unless it was nearer before.
  func comesNearer(within bound: UInt64) {
    instant.withLock { $0 = min($0, Self.after(bound)) }
  }

  /// Runs `work` until it returns; it is cancelled at the deadline, and has to return soon then.
  ///
  /// - Parameter bound: the deadline comes as near as that, in ns, once the caller's task is cancelled.
  func run<T: Sendable>(onceInterrupted bound: UInt64, _ work: @escaping @Sendable () async -> T) async -> T {
    let task = Task { await work() }
    let alarm = alarm(task)
    defer { alarm.cancel() }
    return await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      comesNearer(within: bound)
      _ = self.alarm(task)
    }
  }

  private func alarm<T>(_ task: Task<T, Never>) -> Task<Void, any Error> {
    Task {
      while !hasPassed { try await Task.sleep(nanoseconds: min(remaining, Self.longestSleep)) }
      task.cancel()
    }
  }

  private static func after(_ bound: UInt64) -> UInt64 {
    let (instant, overflows) = MonotonicClock.now().addingReportingOverflow(bound)
    return overflows ? .max : instant
  }
}
