import Latency
package import LoadEngine

/// Progress on standard error: on a terminal a live line, refreshed four times a second; elsewhere a plain line every ten
/// seconds.
package enum ProgressReport {
  private static let liveInterval = Duration.milliseconds(250)
  private static let plainInterval = Duration.seconds(10)

  /// Runs `work`, telling of `progress` meanwhile. When it returns the live line is gone.
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
