import FoundationEssentials
import Latency
import LoadEngine
import Results
import TextFormatting

/// One cycle's refill, as samples and in words.
struct RefillOutcome: Sendable {
  let tracker: RefillTracker
  let phases: ECSStartPhases

  private static let catalogue = ExhaustionBenchmark.catalogue

  /// The known times of the whole refill, by their metrics' names.
  var times: [(metric: String, time: RefillTime)] {
    var times: [(String, RefillTime?)] = [
      (RefillFinding.full, tracker.fullRefill(tracker.strictest)),
      ("refill_first", tracker.firstRefill(tracker.strictest)),
    ]
    times += tracker.views.map { ("refill_full_\($0.rawValue)", tracker.fullRefill($0)) }
    return times.compactMap { name, time in time.map { (name, $0) } }
  }

  /// The times of single new tasks: until a task was listed (the nearest that polls come to its placement), and until
  /// the strictest view showed it.
  private var taskTimes: [(metric: String, time: RefillTime)] {
    let placements = tracker.views.contains(.listed) ? tracker.taskRefills(.listed).values.map { $0 } : []
    return placements.map { ("placement", $0) }
      + tracker.taskRefills(tracker.strictest).values.map { ("refill_task", $0) }
  }

  /// Whether the pool was full before t₀, because the release came too late to time the refill from it.
  var wasFullBeforeClockStart: Bool { tracker.fullRefill(tracker.strictest)?.latest == .zero }

  /// Records the upper ends of the intervals as samples. A task that was there before t₀ gives no sample: 0 would look
  /// like a refill without any delay.
  func record(into recording: inout Recording) {
    for (metric, time) in times + taskTimes where time.latest > .zero {
      recording.sample(Self.catalogue.metric(metric), time.latest)
    }
    for task in tracker.taskRefills(.running).keys {
      let phases = phases[task]
      if let pull = phases?.imagePull { recording.sample(Self.catalogue.metric("ecs_image_pull"), pull) }
      if let start = phases?.pendingToRunning {
        recording.sample(Self.catalogue.metric("ecs_pending_to_running"), start)
      }
    }
  }

  /// By metric: how far below its sample each time may have been, at most.
  var resolutions: [String: Nanoseconds] {
    (times + taskTimes).filter { $0.time.latest > .zero }
      .reduce(into: [:]) { $0[$1.metric] = max($0[$1.metric] ?? .zero, $1.time.resolution) }
  }

  /// The result's findings.
  ///
  /// - Parameter clock: converts instants of `MonotonicClock` to wall-clock times.
  func findings(_ clock: WallClock, timelineFrom startedAt: Instant) -> [String: JSONValue] {
    var findings: [String: JSONValue] = ["drained": .int(Int64(tracker.drainedCount ?? 0))]
    for (metric, time) in times { findings[metric] = .string(RefillFinding.text(from: time.earliest, to: time.latest)) }
    if tracker.drainedCount ?? 0 > 0 { findings["strictest_view"] = .string(tracker.strictest.rawValue) }
    let early = tracker.taskRefills(tracker.strictest).values.count { $0.latest == .zero }
    if early > 0 { findings["tasks_before_t0"] = .int(Int64(early)) }
    if let length = tracker.drainLength, tracker.drainedCount ?? 0 > 0 {
      findings["drain_lasted"] = .string("\(RefillFinding.seconds(length)) s")
    }
    if let clockStart = tracker.clockStart, clockStart >= startedAt, tracker.drainedCount ?? 0 > 0 {
      findings[RefillFinding.start] = .string(RefillFinding.text(ofStart: clockStart - startedAt))
      findings["t0_utc"] = .string(clock.timestamp(of: clockStart).iso8601)
    }
    return findings
  }

  /// Converts instants of `MonotonicClock` to wall-clock times, by both clocks' values at one moment.
  struct WallClock: Sendable {
    private let date: Date
    private let instant: Instant

    /// Reads both clocks now.
    init() {
      date = Date()
      instant = MonotonicClock.now()
    }

    func timestamp(of other: Instant) -> Timestamp {
      Timestamp(date.addingTimeInterval((Double(other.nanoseconds) - Double(instant.nanoseconds)) / 1e9))
    }
  }
}

/// The texts about a refill.
enum RefillText {
  static func progress(_ tracker: RefillTracker, at now: Instant) -> String {
    guard let clockStart = tracker.clockStart, let drained = tracker.drainedCount else { return "draining" }
    let elapsed = now.elapsed(since: clockStart) / .seconds(1)
    return "\(elapsed) s after the drain of \(drained): \(counts(tracker)) tasks are new"
  }

  static func timeout(_ tracker: RefillTracker, after bound: Nanoseconds) -> String {
    "\(DurationText.write(bound)) after the drain of \(tracker.drainedCount ?? 0) only \(counts(tracker)) tasks were new"
  }

  private static func counts(_ tracker: RefillTracker) -> String {
    tracker.views.map { "\(tracker.refilledCount($0)) \($0.rawValue)" }.joined(separator: ", ")
  }
}
