import Glibc
import Latency
import ProcessControl
import Synchronization

/// Runs work that SIGINT, SIGTERM, SIGHUP and SIGQUIT end early instead of killing the process.
///
/// The sender of a signal waits some seconds before it sends SIGKILL. Within them, in this order: the result is written, tasks
/// that are held are given back, processes that were started are stopped.
package final class Interruption: Sendable {
  private struct State {
    var signal: Int32?
    var isWritten = false
    var isOverdue = false
    /// What the signal begins with.
    var whenSignalled: (@Sendable () -> Void)?
    /// Says what is known, when the process has to end before the run has said it.
    var lastWords: (@Sendable () async -> Void)?
    /// It is saying them, and ends then.
    var saysLastWords = false
  }

  private let state = Mutex(State())

  /// From the signal on. The shortest patience in the field: GitHub's runner sends SIGTERM 7.5 s after SIGINT. Within
  /// that time bench-suite has to write its summary too.
  private static let bound: Nanoseconds = SuitePipe.current == nil ? .seconds(7) : .seconds(6)

  /// The signal that is ending the work; nil as long as none has come.
  package var signal: Int32? { state.withLock { $0.signal } }

  /// The work's result.
  ///
  /// The first signal cancels the work, which then has to return soon; see ``TerminationEscalation`` for a second one. The
  /// process is ended when the bound is over and the result is written.
  package static func run<T: Sendable>(_ work: @escaping @Sendable (Interruption) async -> T) async -> T {
    let interruption = Interruption()
    // First, so that no signal finds the work begun and nobody to end it in order.
    let signals = await TerminationSignals.trap()
    let task = Task { await work(interruption) }
    let watcher = Task {
      // Children end by themselves when this process's end of their pipe closes.
      await signals.watch(farewell: { farewell("ended at once by a second signal") }) { number in
        interruption.begin(number)
        task.cancel()
      }
    }
    let result = await task.value
    watcher.cancel()
    return result
  }

  /// Calls `body` when the signal comes, at once if it has; nil: nothing is to be done then any more.
  func whenSignalled(_ body: (@Sendable () -> Void)?) {
    let isDue = state.withLock { state in
      state.whenSignalled = state.signal == nil ? body : nil
      return state.signal != nil
    }
    if isDue { body?() }
  }

  /// Another run begins, whose result is not written yet.
  func startsRun() {
    state.withLock { state in
      state.isWritten = false
      state.lastWords = nil
    }
  }

  /// The result is on the disk: what is left to be done is bounded.
  ///
  /// - Parameter lastWords: says the result on standard output and returns when it is there, or soon; called when the bound
  ///   is over before the run says its result itself.
  func isWritten(lastWords: @escaping @Sendable () async -> Void) {
    let isOverdue = state.withLock { state in
      state.isWritten = true
      if !state.saysLastWords { state.lastWords = lastWords }
      return state.isOverdue
    }
    if isOverdue { Task.detached { await self.end() } }
  }

  /// Whether the run may say its result on standard output: not where that has just been done, as the bound is over. If it
  /// may, ``isWritten(lastWords:)`` follows, and the process is not ended before.
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
    // Not on the thread that has to see a second signal.
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

/// Until when a run may go on to put back, stop and remove what it has made. An orderly end has much time; once the run is
/// interrupted the deadline comes near, as the process is killed soon. Several parts of an end share one deadline.
final class CleanupDeadline: Sendable {
  /// Not `Atomic<UInt64>`, whose `min` has compared as if signed (Swift 6.3): `.max` never shrank.
  private let instant: Mutex<Instant>

  /// An hour; no deadline at all is more than a sleep can take.
  private static let longestSleep: Nanoseconds = .seconds(3600)

  /// - Parameter bound: from now on; nil: none.
  init(within bound: Nanoseconds? = nil) {
    instant = Mutex(bound.map { MonotonicClock.now() + $0 } ?? .distantFuture)
  }

  var hasPassed: Bool { remaining == .zero }

  /// How long it may go on.
  var remaining: Nanoseconds {
    MonotonicClock.now().remaining(until: instant.withLock { $0 })
  }

  /// The deadline comes nearer: `bound` from now on, unless it was nearer before.
  func comesNearer(within bound: Nanoseconds) {
    instant.withLock { $0 = min($0, MonotonicClock.now() + bound) }
  }

  /// Runs `work` until it returns; it is cancelled at the deadline, and has to return soon then.
  ///
  /// - Parameter bound: the deadline comes as near as that, once the caller's task is cancelled.
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
  /// - Parameter endsWithCaller: whether it is cancelled when the caller's task is: cleaning up is not.
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
