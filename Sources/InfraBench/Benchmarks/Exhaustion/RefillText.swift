import Latency

/// Words about a refill.
enum RefillText {
  /// `22.310–22.820 s (resolution 0.510 s)`.
  static func interval(_ time: RefillTime) -> String {
    guard time.latest > 0 else { return "before t0" }
    return "\(seconds(time.earliest))–\(seconds(time.latest)) s (resolution \(seconds(time.resolution)) s)"
  }

  /// Nanoseconds as seconds with three places.
  static func seconds(_ nanoseconds: UInt64) -> String { Figures.decimals(Double(nanoseconds) / 1e9, 3) }

  static func progress(_ tracker: RefillTracker, at now: UInt64) -> String {
    guard let clockStart = tracker.clockStart, let drained = tracker.drainedCount else { return "draining" }
    let elapsed = (now - min(now, clockStart)) / 1_000_000_000
    return "\(elapsed) s after the drain of \(drained): \(counts(tracker)) tasks are new"
  }

  static func timeout(_ tracker: RefillTracker, after bound: UInt64) -> String {
    "\(DurationText.write(bound)) after the drain of \(tracker.drainedCount ?? 0) only \(counts(tracker)) tasks were new"
  }

  private static func counts(_ tracker: RefillTracker) -> String {
    tracker.views.map { "\(tracker.refilledCount($0)) \($0.rawValue)" }.joined(separator: ", ")
  }
}
