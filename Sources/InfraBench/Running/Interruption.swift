import Glibc
import Latency
import ProcessControl
import Synchronization

/// Runs work so that SIGINT, SIGTERM, SIGHUP and SIGQUIT end it early and do not kill the process.
///
/// The sender of a signal waits some seconds before it sends SIGKILL. Within them, in this order, the result is
/// written, the tasks that the run holds are given back, and the processes that it started are stopped.
package final class Interruption: Sendable {
  private struct State {
    var signal: Int32?
    var isWritten = false
    var isOverdue = false
    /// The first action after the signal.
    var whenSignalled: (@Sendable () -> Void)?
    /// Prints what is known, where the process has to end before the run has printed it.
    var lastWords: (@Sendable () async -> Void)?
    /// Whether the last words are being printed; the process ends after them.
    var saysLastWords = false
  }

  private let state = Mutex(State())

  /// From the signal to the end of the process. The shortest wait in the field is GitHub's: its runner sends SIGTERM
  /// 7.5 s after SIGINT. Within that time bench-suite has to write its summary too.
  private static let bound: Nanoseconds = SuitePipe.current == nil ? .seconds(7) : .seconds(6)

  /// The signal that ends the work; nil as long as none has come.
  package var signal: Int32? { state.withLock { $0.signal } }

  /// Runs the work, and returns its result.
  ///
  /// The first signal cancels the work, which then has to return soon; see ``TerminationEscalation`` for a second one.
  /// The process ends when the bound is over and the result is written.
  package static func run<T: Sendable>(_ work: @escaping @Sendable (Interruption) async -> T) async -> T {
    let interruption = Interruption()
    // Signals are caught first, so that none comes when the work has begun and nothing would end it in order.
    let signals = await TerminationSignals.trap()
    let task = Task { await work(interruption) }
    let watcher = Task {
      // Child processes end by themselves when this process's end of their pipe closes.
      await signals.watch(farewell: { farewell("ended at once by a second signal") }) { number in
        interruption.begin(number)
        task.cancel()
      }
    }
    let result = await task.value
    watcher.cancel()
    return result
  }

  /// Calls `body` when the signal comes, at once if it has come; nil: nothing is to be done any more.
  func whenSignalled(_ body: (@Sendable () -> Void)?) {
    let isDue = state.withLock { state in
      state.whenSignalled = state.signal == nil ? body : nil
      return state.signal != nil
    }
    if isDue { body?() }
  }

  /// Another run begins; its result is not written yet.
  func startsRun() {
    state.withLock { state in
      state.isWritten = false
      state.lastWords = nil
    }
  }

  /// The result is on the disk, so the time for the rest is bounded.
  ///
  /// - Parameter lastWords: Prints the result to standard output, and returns when it is there, or soon. It is called
  ///   if the bound is over before the run prints its result itself.
  func isWritten(lastWords: @escaping @Sendable () async -> Void) {
    let isOverdue = state.withLock { state in
      state.isWritten = true
      if !state.saysLastWords { state.lastWords = lastWords }
      return state.isOverdue
    }
    if isOverdue { Task.detached { await self.end() } }
  }

  /// Whether the run may print its result to standard output; false where the last words have just done that, because
  /// the bound is over. If it may, ``isWritten(lastWords:)`` follows, and the process does not end before that.
  func mayReport() -> Bool {
    state.withLock { state in
      state.isWritten = false
      state.lastWords = nil
      return !state.saysLastWords
    }
  }

  private func begin(_ number: Int32) {
    let body = state.withLock { state in
      state.signal = number
      return state.whenSignalled.take()
    }
    // The thread that has to see a second signal must not be blocked.
    Task.detached { body?() }
    Task.detached {
      try? await Task.sleep(for: Self.bound)
      let isWritten = self.state.withLock { state in
        state.isOverdue = true
        return state.isWritten
      }
      if isWritten { await self.end() }
    }
  }

  private func end() async {
    let (isFirst, lastWords) = state.withLock { state in
      defer { state.saysLastWords = true }
      return (!state.saysLastWords, state.lastWords.take())
    }
    guard isFirst else { return }
    await lastWords?()
    TerminationSignals.endAtOnce(
      by: signal ?? SIGTERM, saying: Self.farewell("ended \(Self.bound / .seconds(1)) s after the signal"))
  }

  private static func farewell(_ what: String) -> String {
    (Terminal.ofStandardError() == nil ? "" : Terminal.eraseLine)
      + "\(what): what this run has started or holds may be left as it is\n"
  }
}

/// The deadline for putting back, stopping and removing what a run has made. An orderly end has much time. An
/// interrupted run is killed soon, so its deadline is brought forward. Several parts of an end share one deadline.
final class CleanupDeadline: Sendable {
  /// No `Atomic<UInt64>`: its `min` has compared as if signed (Swift 6.3), so that `.max` never became smaller.
  private let instant: Mutex<Instant>

  /// An hour: an endless time is longer than a sleep can take.
  private static let longestSleep: Nanoseconds = .seconds(3600)

  /// - Parameter bound: The time from now to the deadline; nil: no deadline.
  init(within bound: Nanoseconds? = nil) {
    instant = Mutex(bound.map { MonotonicClock.now() + $0 } ?? .distantFuture)
  }

  var hasPassed: Bool { remaining == .zero }

  /// The time left until the deadline.
  var remaining: Nanoseconds {
    MonotonicClock.now().remaining(until: instant.withLock { $0 })
  }

  /// Brings the deadline forward to `bound` from now, unless it is nearer already.
  func comesNearer(within bound: Nanoseconds) {
    instant.withLock { $0 = min($0, MonotonicClock.now() + bound) }
  }

  /// Runs `work` until it returns. At the deadline it is cancelled, and has to return soon.
  ///
  /// - Parameter bound: The most time that is left once the caller's task is cancelled.
  func run<T: Sendable>(onceInterrupted bound: Nanoseconds, _ work: @escaping @Sendable () async -> T) async -> T {
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
      while !hasPassed { try await Task.sleep(for: min(remaining, Self.longestSleep)) }
      task.cancel()
    }
  }
}

/// Work that is cut off when its time is over.
enum TimeLimit {
  /// Runs `work` for at most `bound`; then it is cancelled, and has to return soon.
  ///
  /// - Parameter endsWithCaller: Whether it is cancelled with the caller's task; cleaning up must not be.
  @discardableResult
  static func run<T: Sendable>(
    for bound: Nanoseconds, endsWithCaller: Bool = false, _ work: @escaping @Sendable () async -> T
  ) async -> T {
    let task = Task { await work() }
    let alarm = Task {
      try await Task.sleep(for: bound)
      task.cancel()
    }
    defer { alarm.cancel() }
    return await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      if endsWithCaller { task.cancel() }
    }
  }
}

extension Result {
  /// The outcome of asynchronous work that may throw; `Result` has an initializer for synchronous work only.
  init(catching work: () async throws(Failure) -> Success) async {
    do throws(Failure) {
      self = .success(try await work())
    } catch {
      self = .failure(error)
    }
  }
}
