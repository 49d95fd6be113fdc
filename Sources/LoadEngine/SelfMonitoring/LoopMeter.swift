import Latency
import Transport

/// Measures how busy one loop's thread is in any second, by its CPU time, its waits for a CPU, and the lateness of this
/// meter's own timer. The lateness also shows other blocks, such as a lock. Its state is confined to the loop.
final class LoopMeter: @unchecked Sendable {
  // @unchecked: `state` is touched on the loop's thread only.

  private struct Reading {
    var load: ThreadUsage
    var spun: Nanoseconds
    var at: Instant
  }

  private struct State {
    var last: Reading?
    /// When the next reading is due.
    var dueAt = Instant.distantPast
    var seconds = LoopBusyTime()
    var timer: LoopTimer?
  }

  /// Between two readings, so that a second is judged to a tenth.
  private static let interval: Nanoseconds = .milliseconds(100)

  private let executor: LoopExecutor
  private var state = State()

  init(_ executor: LoopExecutor) {
    self.executor = executor
  }

  /// Starts watching; callable from any thread. With `forgetting` earlier readings are dropped, otherwise they stay as
  /// another part of the run.
  func watch(forgetting: Bool) {
    let askedAt = MonotonicClock.now()
    onLoop {
      self.state.timer?.cancel()
      if forgetting { self.state.seconds = LoopBusyTime() }
      self.state.seconds.interrupt()
      // A loop that runs this late has been busy since the call.
      self.state.dueAt = askedAt
      self.state.last = Reading(load: self.load(), spun: self.executor.spunFor, at: askedAt)
      self.readAndSchedule()
    }
  }

  /// Stops watching; callable from any thread. Work that was given to the loop before is still watched.
  func pause() {
    onLoop { self.stop() }
  }

  /// Runs `body` at once if the caller is on the loop, because the caller's next work there belongs to another part of
  /// the run.
  private func onLoop(_ body: @escaping @Sendable () -> Void) {
    if executor.isCurrent { body() } else { executor.execute(body) }
  }

  /// The worst second up to now.
  func finish() async -> (share: Double, cause: LoopBusyTime.Cause) {
    await executor.submit {
      self.stop()
      return self.state.seconds.worst
    }
  }

  private func stop() {
    state.timer?.cancel()
    take()
    state.last = nil
  }

  /// Takes a reading and schedules the next one.
  private func readAndSchedule() {
    let now = take()
    let dueAt = now + Self.interval
    state.dueAt = dueAt
    // The reference is weak: a failed run never calls `finish`, and the loop outlives it for the next run.
    let timer = state.timer ?? executor.makeTimer { [weak self] in self?.readAndSchedule() }
    state.timer = timer
    timer.set(for: dueAt)
  }

  @discardableResult
  private func take() -> Instant {
    let now = MonotonicClock.now()
    guard let last = state.last else { return now }
    let reading = Reading(load: load(), spun: executor.spunFor, at: now)
    let used = reading.load.used(since: last.load)
    state.seconds.add(
      LoopBusyTime.Span(
        length: now.elapsed(since: last.at), used: used - (reading.spun - last.spun),
        late: now.elapsed(since: state.dueAt)))
    state.last = reading
    return now
  }

  private func load() -> ThreadUsage { .ofCallingThread() }
}
