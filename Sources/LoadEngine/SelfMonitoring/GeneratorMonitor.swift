import Latency
import NIOCore
import Synchronization
public import Transport

/// Watches the load generator itself during a run: how much CPU it uses, whether a loop's thread is busy for a whole
/// second, and whether a CPU quota stops it.
///
/// Only the measured parts are watched: setting users up before them and ending users afterwards does not count.
public final class GeneratorMonitor: Sendable {
  private struct Usage {
    var cpu = ProcessCPU()
    /// One value per control group, in the order of the files.
    var throttling: [CPUThrottling] = []
    /// The readings at the begin of the present part; nil between parts.
    var throttledBefore: [CPUThrottling]?
    /// Length of the completed parts.
    var watched = Nanoseconds.zero
    var partBegin = MonotonicClock.now()
  }

  private let meters: [LoopMeter]
  private let quota = CPUQuotaFiles.ofThisProcess()
  private let usage: Mutex<Usage>

  /// Starts watching `loops`.
  public convenience init(_ loops: LoopGroup) { self.init(loops.executors) }

  /// Starts watching a tool whose work runs on no loop: its CPU time and quota.
  public convenience init() { self.init([]) }

  private init(_ executors: [LoopExecutor]) {
    meters = executors.map(LoopMeter.init)
    usage = Mutex(Usage(throttledBefore: quota.read()))
    for meter in meters { meter.watch(forgetting: true) }
  }

  /// Forgets everything seen so far: the measured part begins.
  public func restart() {
    for meter in meters { meter.watch(forgetting: true) }
    let reading = quota.read()
    usage.withLock { $0 = Usage(throttledBefore: reading) }
  }

  /// Restarts like ``restart()``, but called on a load thread that must not wait for files. So the quota's files are
  /// read on another thread, and throttling of the warm-up counts until they have been read.
  func restartWhileMeasuring() {
    for meter in meters { meter.watch(forgetting: true) }
    usage.withLock { $0 = Usage(throttledBefore: $0.throttledBefore) }
    Task.detached { [self] in
      let reading = quota.read()
      usage.withLock { if $0.throttledBefore != nil { $0.throttledBefore = reading } }
    }
  }

  /// Continues after ``pause()``: another measured part of the same run begins.
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

  /// Stops watching. Call it when the last answer has been read: later work of the loops affects no latency.
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

  /// Stops watching and judges.
  ///
  /// - Parameters:
  ///   - recording: the run's recording, for its lateness.
  ///   - backlogMax: the most starts that waited at one time.
  ///   - judgesLateness: whether the latencies contain the lateness of starts, as they do in an open loop and in a
  ///     burst.
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

  /// Stops watching and judges a whole run.
  public func finish(_ run: LoadRun) async -> GeneratorReport {
    await finish(run.recording, backlogMax: run.backlogMax, judgesLateness: run.judgesLateness)
  }
}
