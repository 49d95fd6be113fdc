import Latency
import NIOCore
import Synchronization
public import Transport

/// Watches the load generator itself while a run goes on: how much CPU it used, and whether a loop's thread was busy
/// for nearly a whole second.
public final class GeneratorMonitor: Sendable {
  private let meters: [LoopMeter]
  private let cpu = Mutex(ProcessCPU())

  /// Starts watching `loops`.
  public init(_ loops: LoopGroup) {
    meters = loops.executors.map { LoopMeter($0.eventLoop) }
    for meter in meters { meter.restart() }
  }

  /// Forgets what was seen so far: setting up users and warming up are not what a run is judged by.
  public func restart() {
    cpu.withLock { $0 = ProcessCPU() }
    for meter in meters { meter.restart() }
  }

  /// Stops watching and judges. `backlogMax` are the most starts that waited at one time.
  public func finish(_ recording: Recording, backlogMax: UInt64 = 0) async -> GeneratorReport {
    let utilisation = cpu.withLock { $0.utilisation }
    var busiestSecond = 0.0
    for meter in meters { busiestSecond = max(busiestSecond, await meter.finish()) }
    let lateness = recording.lateness
    return GeneratorReport(
      cpuUtilisation: utilisation,
      latenessP50: lateness.totalCount > 0 ? lateness.value(atPercentile: 50) : nil,
      latenessP99: lateness.totalCount > 0 ? lateness.value(atPercentile: 99) : nil,
      starts: lateness.totalCount, backlogMax: backlogMax, busiestSecond: busiestSecond)
  }
}
