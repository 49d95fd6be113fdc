import Latency
import NIOCore

/// How busy one loop's thread is, second by second: by its CPU time and its waits for a CPU, and by how late it comes to
/// this, which also tells of what blocked it otherwise, such as a lock. Its state belongs to the loop.
final class LoopMeter: Sendable {
  private struct Reading {
    var load: LoopLoad
    var at: UInt64
  }

  private struct State {
    var last: Reading?
    var busiest = 0.0
    var task: RepeatedTask?
  }

  private static let second: UInt64 = 1_000_000_000
  /// What counts as a full one: a timer is a little early or late.
  private static let nearlyASecond = second - second / 100

  private let eventLoop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    state = NIOLoopBoundBox.makeBoxSendingValue(State(), eventLoop: eventLoop)
  }

  /// Begins anew, from any thread: the first second begins when the loop comes to it.
  func restart() {
    let askedAt = MonotonicClock.now()
    eventLoop.execute {
      self.state.value.task?.cancel()
      let begin = Self.read()
      self.state.value = State(last: begin, busiest: Self.share(ofLateness: begin.at - askedAt))
      self.state.value.task = self.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) {
        [weak self] task in
        // A run that failed never finished it, and the loop goes on to another.
        guard let self else { return task.cancel() }
        look()
      }
    }
  }

  /// The highest share of a full second, up to now.
  func finish() async -> Double {
    let busiest = eventLoop.submit {
      self.state.value.task?.cancel()
      self.look()
      return self.state.value.busiest
    }
    return (try? await busiest.get()) ?? 0
  }

  /// Judges the time since the last reading if it is a second or more; a busy loop comes late to this.
  private func look() {
    let reading = Self.read()
    guard let last = state.value.last, reading.at - last.at >= Self.nearlyASecond else { return }
    let elapsed = reading.at - last.at
    let share = reading.load.share(since: last.load, over: elapsed)
    let late = Self.share(ofLateness: elapsed - min(elapsed, Self.second))
    state.value.busiest = max(state.value.busiest, share, late)
    state.value.last = reading
  }

  /// The share of a second, 0…1, in which a loop did not come to what was due, in ns.
  private static func share(ofLateness lateness: UInt64) -> Double { min(1, Double(lateness) / Double(second)) }

  private static func read() -> Reading { Reading(load: .ofCallingThread(), at: MonotonicClock.now()) }
}
