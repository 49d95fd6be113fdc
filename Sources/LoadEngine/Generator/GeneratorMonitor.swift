import Latency
import NIOCore
import Synchronization
public import Transport

/// Watches the load generator itself while a run goes on: how much CPU it used, and whether a loop's thread was busy
/// for nearly a whole second.
public final class GeneratorMonitor: Sendable {
  private struct State {
    var busiestSecond = 0.0
    var cpu = ProcessCPU()
    var meters: [LoopMeter] = []
    var tasks: [RepeatedTask] = []
  }

  private let state = Mutex(State())

  /// Starts watching `loops`.
  public init(_ loops: LoopGroup) {
    for executor in loops.executors { watch(executor.eventLoop) }
  }

  /// Forgets what was seen so far: setting up the users of an open loop is not what its schedule is judged by.
  public func restart() {
    state.withLock { state in
      state.busiestSecond = 0
      state.cpu = ProcessCPU()
      for meter in state.meters { meter.restart() }
    }
  }

  /// Stops watching and judges. `backlogMax` are the most starts that waited at one time.
  public func finish(_ recording: Recording, backlogMax: UInt64 = 0) -> GeneratorReport {
    let (busiestSecond, cpu) = state.withLock { state in
      for task in state.tasks { task.cancel() }
      return (state.busiestSecond, state.cpu)
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
      state.withLock { $0.busiestSecond = max($0.busiestSecond, meter.shareSinceLastReading()) }
    }
    state.withLock { state in
      state.meters.append(meter)
      state.tasks.append(task)
    }
  }
}

/// The load of one loop's thread between readings.
private final class LoopMeter: Sendable {
  private struct Reading {
    var load: LoopLoad
    var at: UInt64
  }

  private let last = Mutex<Reading?>(nil)

  func restart() { last.withLock { $0 = nil } }

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
