import Latency
package import LoadEngine
import TextFormatting

/// Progress on standard error: on a terminal a live line, refreshed four times a second; elsewhere a plain line every
/// ten seconds.
package enum ProgressReport {
  private static let liveInterval = Duration.milliseconds(250)
  private static let plainInterval = Duration.seconds(10)

  /// Runs `work`, and reports `progress` meanwhile. The live line is gone when it returns.
  package static func showing<T: Sendable>(
    _ progress: ProgressCounter, of load: LoadSettings, console: Console, _ work: () async -> T
  ) async -> T {
    guard console.showsTalk else { return await work() }
    let reporter = Task { await report(progress, of: load, console: console) }
    let result = await work()
    reporter.cancel()
    await reporter.value
    return result
  }

  private static func report(_ progress: ProgressCounter, of load: LoadSettings, console: Console) async {
    let begin = MonotonicClock.now()
    var rate = RecentRate(begin: begin)
    let interval = console.hasLiveLine ? liveInterval : plainInterval
    while (try? await Task.sleep(for: interval)) != nil {
      let now = MonotonicClock.now()
      let line = ProgressLine(
        progress, of: load, elapsed: now - begin, rate: rate.add(at: now, done: progress.done))
      if console.hasLiveLine { console.showLive(line.text) } else { console.note(line.text) }
    }
    console.endLive()
  }
}

/// The state of a run that goes on, in one line.
struct ProgressLine: Sendable {
  var elapsed: Nanoseconds
  var done: UInt64
  /// The number of iterations that will be done, where it is known.
  var count: Int?
  /// Iterations per second in the last seconds.
  var rate: Double
  /// Percentiles of the tool's main metric.
  var percentiles: ProgressCounter.Percentiles?
  var failed: UInt64
  /// Nil where the load has no count of what is in flight.
  var inFlight: UInt64?
  var dropped: UInt64
  /// Arrivals that are due and find no free user.
  var waiting: UInt64

  init(_ progress: ProgressCounter, of load: LoadSettings, elapsed: Nanoseconds, rate: Double) {
    self.elapsed = elapsed
    done = progress.done
    count = load.ownCount
    self.rate = rate
    percentiles = progress.percentiles
    failed = progress.failed
    inFlight = progress.started > 0 ? progress.inFlight : nil
    dropped = progress.dropped
    waiting = progress.waiting
  }

  /// `12 s: 2400 of 5000 done, 200/s, 0 failed, 3 dropped, 7 waiting, P50 1.02ms, P99 4.10ms, 12 in flight`. Unknown
  /// figures, and counts of 0 other than that of failures, are left out. What goes wrong comes first, because a narrow
  /// terminal shows the beginning only.
  var text: String {
    var facts = ["\(done)\(count.map { " of \($0)" } ?? "") done"]
    if done > 0 { facts.append("\(NumberText.fixed(rate, significant: 3))/s") }
    facts.append("\(failed) failed")
    if dropped > 0 { facts.append("\(dropped) dropped") }
    if waiting > 0 { facts.append("\(waiting) waiting") }
    if let percentiles {
      facts.append("P50 \(percentiles.p50)")
      facts.append("P99 \(percentiles.p99)")
    }
    if let inFlight { facts.append("\(inFlight) in flight") }
    return "\(elapsed / .seconds(1)) s: " + facts.joined(separator: ", ")
  }
}

/// The iterations per second of the last ten seconds, from readings of a counter.
struct RecentRate: Sendable {
  private var readings: [(at: Instant, done: UInt64)]
  /// The span of the rate: long enough to be steady, short enough to show a stall.
  private static let window: Nanoseconds = .seconds(10)

  /// Starts with nothing done at `begin`.
  init(begin: Instant) { readings = [(begin, 0)] }

  /// Takes a reading; returns the rate since the last reading that is a window old, or since the begin.
  mutating func add(at now: Instant, done: UInt64) -> Double {
    readings.append((now, done))
    while readings.count > 2, now.elapsed(since: readings[1].at) >= Self.window { readings.removeFirst() }
    let first = readings[0]
    guard now > first.at, done > first.done else { return 0 }
    return Double(done - first.done) / (now - first.at).seconds
  }
}
