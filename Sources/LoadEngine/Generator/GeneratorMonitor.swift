import Latency
import NIOCore
import Synchronization
public import Transport

/// Watches the load generator itself while a run goes on: how much CPU it used, and whether a loop's thread was busy
/// for nearly a whole second.
public final class GeneratorMonitor: Sendable {
  private struct State {
    var busiestSecond = 0.0
    var tasks: [RepeatedTask] = []
  }

  private let state = Mutex(State())
  private let cpu = ProcessCPU()

  /// Starts watching `loops`.
  public init(_ loops: LoopGroup) {
    for executor in loops.executors { watch(executor.eventLoop) }
  }

  /// Stops watching and judges. `backlogMax` are the most starts that waited at one time.
  public func finish(_ recording: Recording, backlogMax: UInt64 = 0) -> GeneratorReport {
    let busiestSecond = state.withLock { state in
      for task in state.tasks { task.cancel() }
      return state.busiestSecond
    }
    let lateness = recording.lateness
    return GeneratorReport(
      cpuUtilisation: cpu.utilisation,
      latenessP50: lateness.totalCount > 0 ? lateness.value(atPercentile: 50) : nil,
      latenessP99: lateness.totalCount > 0 ? lateness.value(atPercentile: 99) : nil, backlogMax: backlogMax,
      busiestSecond: busiestSecond)
  }

  private func watch(_ eventLoop: any EventLoop) {
    let meter = LoopMeter()
    let task = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .seconds(1)) { [self] _ in
      let share = meter.shareSinceLastReading()
      state.withLock { $0.busiestSecond = max($0.busiestSecond, share) }
    }
    state.withLock { $0.tasks.append(task) }
  }
}

/// The load of one loop's thread between readings.
private final class LoopMeter: Sendable {
  private struct Reading {
    var load: LoopLoad
    var at: UInt64
  }

  private let last = Mutex<Reading?>(nil)

  /// Reads on the loop's own thread; 0 the first time.
  func shareSinceLastReading() -> Double {
    let reading = Reading(load: .ofCallingThread(), at: MonotonicClock.now())
    return last.withLock { last in
      defer { last = reading }
      guard let last else { return 0 }
      return reading.load.share(since: last.load, over: reading.at - last.at)
    }
  }
}
