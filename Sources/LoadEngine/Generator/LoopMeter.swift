import Latency
import NIOCore

/// How busy one loop's thread is, second by second. Its state belongs to the loop.
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

  /// What counts as a full second: a timer is a little early or late.
  private static let nearlyASecond: UInt64 = 990_000_000

  private let eventLoop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    state = NIOLoopBoundBox.makeBoxSendingValue(State(), eventLoop: eventLoop)
  }

  /// Begins anew, from any thread: the first second begins when the loop comes to it. One that does not come to it for a
  /// second is judged by that time.
  func restart() {
    let askedAt = MonotonicClock.now()
    eventLoop.execute {
      self.state.value.task?.cancel()
      let begin = Self.read()
      var busiest = 0.0
      if let last = self.state.value.last, begin.at - askedAt >= Self.nearlyASecond {
        busiest = min(1, begin.load.share(since: last.load, over: begin.at - askedAt))
      }
      self.state.value = State(last: begin, busiest: busiest)
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
    let share = reading.load.share(since: last.load, over: reading.at - last.at)
    state.value.busiest = max(state.value.busiest, share)
    state.value.last = reading
  }

  private static func read() -> Reading { Reading(load: .ofCallingThread(), at: MonotonicClock.now()) }
}
