import Latency
import LoadEngine

/// The refill's times as samples and as words.
struct RefillOutcome: Sendable {
  private let tracker: RefillTracker
  private let startedAt: UInt64

  private typealias Benchmark = ExhaustionBenchmark

  /// `startedAt` is where the timeline begins, in ns of `MonotonicClock`.
  init(_ tracker: RefillTracker, startedAt: UInt64) {
    self.tracker = tracker
    self.startedAt = startedAt
  }

  /// Each time that is known, by its metric's name.
  var times: [(metric: String, time: RefillTime)] {
    var times: [(String, RefillTime?)] = [
      ("refill_full", tracker.fullRefill(tracker.strictest)), ("refill_first", tracker.firstRefill(tracker.strictest)),
    ]
    times += tracker.views.map { ("refill_full_\($0.rawValue)", tracker.fullRefill($0)) }
    return times.compactMap { name, time in time.map { (name, $0) } }
  }

  /// Whether the release came too late to time the refill from it.
  var wasFullBeforeClockStart: Bool { tracker.fullRefill(tracker.strictest)?.latest == 0 }

  /// Samples are the upper ends of the intervals. A view that was full before t₀ has no time: 0 would be flattery.
  func record(into recording: inout Recording) {
    for (metric, time) in times where time.latest > 0 {
      recording.sample(Benchmark.catalogue.metric(metric), time.latest)
    }
  }

  var findings: [String: JSONValue] {
    var findings: [String: JSONValue] = ["drained": .int(Int64(tracker.drainedCount ?? 0))]
    for (metric, time) in times { findings[metric] = .string(RefillText.interval(time)) }
    if tracker.drainedCount ?? 0 > 0 { findings["strictest_view"] = .string(tracker.strictest.rawValue) }
    if let clockStart = tracker.clockStart, clockStart >= startedAt {
      findings["t0"] = .string("\(RefillText.seconds(clockStart - startedAt)) s into the timeline")
    }
    return findings
  }
}

/// Words about a refill.
enum RefillText {
  /// `22.31–22.82 s (resolution 0.51 s)`.
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
