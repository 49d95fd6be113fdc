import Latency
import NIOCore
import Synchronization
public import Transport

/// Watches the load generator itself while a run goes on: how much CPU it used, whether a loop's thread had no time left
/// for any whole second, and whether a CPU quota stopped it.
///
/// Only the measured parts are watched: what sets users up before them, and takes them down afterwards, is not what a run
/// is judged by.
public final class GeneratorMonitor: Sendable {
  private struct Usage {
    var cpu = ProcessCPU()
    /// Of each control group, in the order of the files.
    var throttling: [CPUThrottling] = []
    /// The readings at the begin of the part that is being watched; nil between parts.
    var throttledBefore: [CPUThrottling]?
    /// Length of the parts, and the begin of the one that is being watched.
    var watched = Nanoseconds.zero
    var partBegin = MonotonicClock.now()
  }

  private let meters: [LoopMeter]
  private let quota = CPUQuotaFiles.ofThisProcess()
  private let usage: Mutex<Usage>

  /// Starts watching `loops`.
  public convenience init(_ loops: LoopGroup) { self.init(loops.executors) }

  /// Starts watching a tool whose work is done by no loop: its CPU time and quota.
  public convenience init() { self.init([]) }

  private init(_ executors: [LoopExecutor]) {
    meters = executors.map(LoopMeter.init)
    usage = Mutex(Usage(throttledBefore: quota.read()))
    for meter in meters { meter.watch(forgetting: true) }
  }

  /// Forgets what was seen so far: a measured part begins.
  public func restart() {
    for meter in meters { meter.watch(forgetting: true) }
    let reading = quota.read()
    usage.withLock { $0 = Usage(throttledBefore: reading) }
  }

  /// The same on a load thread that has work to do: the files of the quota are read elsewhere, and until they are what the
  /// quota did in the warm-up counts too.
  func restartWhileMeasuring() {
    for meter in meters { meter.watch(forgetting: true) }
    usage.withLock { $0 = Usage(throttledBefore: $0.throttledBefore) }
    Task.detached { [self] in
      let reading = quota.read()
      usage.withLock { if $0.throttledBefore != nil { $0.throttledBefore = reading } }
    }
  }

  /// Goes on after ``pause()``: another measured part of the same run begins.
  public func resume() {
    for meter in meters { meter.watch(forgetting: false) }
    let reading = quota.read()
    usage.withLock { usage in
      guard usage.throttledBefore == nil else { return }
      usage.cpu.resume()
      usage.throttledBefore = reading
      usage.partBegin = MonotonicClock.now()
    }
  }

  /// Stops watching, as the last answer has been read: what the loops do from now on is in no latency.
  public func pause() {
    for meter in meters { meter.pause() }
    let reading = quota.read()
    usage.withLock { usage in
      guard let before = usage.throttledBefore else { return }
      usage.throttledBefore = nil
      usage.cpu.pause()
      let added = zip(reading, before).map { $0.since($1) }
      usage.throttling = usage.throttling.isEmpty ? added : zip(usage.throttling, added).map { $0 + $1 }
      usage.watched += MonotonicClock.now() - usage.partBegin
    }
  }

  /// Stops watching and judges. `backlogMax` are the most starts that waited at one time; `judgesLateness` says whether
  /// the lateness of starts is in the latencies, as it is in an open loop and in a burst.
  public func finish(
    _ recording: Recording, backlogMax: UInt64 = 0, judgesLateness: Bool = true
  ) async -> GeneratorReport {
    pause()
    var worst: (share: Double, cause: LoopBusyTime.Cause) = (0, .cpu)
    for meter in meters {
      let own = await meter.finish()
      if own.share > worst.share { worst = own }
    }
    let (utilisation, throttling, watched) = usage.withLock { ($0.cpu.utilisation, $0.throttling, $0.watched) }
    let lateness = recording.lateness
    var report = GeneratorReport(
      cpuUtilisation: utilisation,
      latenessP50: lateness.totalCount > 0 ? Nanoseconds(lateness.value(atPercentile: 50)) : nil,
      latenessP99: lateness.totalCount > 0 ? Nanoseconds(lateness.value(atPercentile: 99)) : nil,
      starts: lateness.totalCount, backlogMax: backlogMax, busiestSecond: worst.share)
    report.wasBlocked = worst.cause == .blocked
    report.lateStarts = lateness.totalCount - lateness.countAtOrBelow(GeneratorReport.latenessBound.nanoseconds)
    report.latest = lateness.totalCount > 0 ? Nanoseconds(lateness.max) : nil
    report.judgesLateness = judgesLateness
    let throttled = throttling.max { $0.time < $1.time }
    report.throttledPeriods = throttled?.periods ?? 0
    report.throttledShare = throttled?.share(of: watched) ?? 0
    return report
  }

  /// The same of a whole run.
  public func finish(_ run: LoadRun) async -> GeneratorReport {
    await finish(run.recording, backlogMax: run.backlogMax, judgesLateness: run.judgesLateness)
  }
}
