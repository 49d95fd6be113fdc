import Latency
import NIOCore
import Transport

/// Measures how busy one loop's thread is in any second, by its CPU time, its waits for a CPU, and the lateness of this
/// meter's own timer. The lateness also shows other blocks, such as a lock. Its state is confined to the loop.
final class LoopMeter: Sendable {
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
    var timer: Scheduled<Void>?
  }

  /// Between two readings, so that a second is judged to a tenth.
  private static let interval: Nanoseconds = .milliseconds(100)

  private let executor: LoopExecutor
  private let state: NIOLoopBoundBox<State>

  private var eventLoop: any EventLoop { executor.eventLoop }

  init(_ executor: LoopExecutor) {
    self.executor = executor
    state = NIOLoopBoundBox.makeBoxSendingValue(State(), eventLoop: executor.eventLoop)
  }

  /// Starts watching; callable from any thread. With `forgetting` earlier readings are dropped, otherwise they stay as
  /// another part of the run.
  func watch(forgetting: Bool) {
    let askedAt = MonotonicClock.now()
    onLoop {
      self.state.value.timer?.cancel()
      if forgetting { self.state.value.seconds = LoopBusyTime() }
      self.state.value.seconds.interrupt()
      // A loop that runs this late has been busy since the call.
      self.state.value.dueAt = askedAt
      self.state.value.last = Reading(load: self.load(), spun: self.executor.spunFor, at: askedAt)
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
    if eventLoop.inEventLoop { body() } else { eventLoop.execute(body) }
  }

  /// The worst second up to now.
  func finish() async -> (share: Double, cause: LoopBusyTime.Cause) {
    let worst = eventLoop.submit {
      self.stop()
      return self.state.value.seconds.worst
    }
    return (try? await worst.get()) ?? (0, .cpu)
  }

  private func stop() {
    state.value.timer?.cancel()
    state.value.timer = nil
    take()
    state.value.last = nil
  }

  /// Takes a reading and schedules the next one.
  private func readAndSchedule() {
    let now = take()
    let dueAt = now + Self.interval
    state.value.dueAt = dueAt
    let loop = eventLoop.assumeIsolated()
    state.value.timer = loop.scheduleTask(deadline: NIODeadline(dueAt)) { [weak self] in
      // The reference is weak: a failed run never calls `finish`, and the loop outlives it for the next run.
      self?.readAndSchedule()
    }
  }

  @discardableResult
  private func take() -> Instant {
    let now = MonotonicClock.now()
    guard let last = state.value.last else { return now }
    let reading = Reading(load: load(), spun: executor.spunFor, at: now)
    let used = reading.load.used(since: last.load)
    state.value.seconds.add(
      LoopBusyTime.Span(
        length: now.elapsed(since: last.at), used: used - (reading.spun - last.spun),
        late: now.elapsed(since: state.value.dueAt)))
    state.value.last = reading
    return now
  }

  private func load() -> ThreadUsage { .ofCallingThread() }
}
