import Latency

/// What the runs of one candidate add up to. It is bounded, however long the runs are.
struct RunRecord: Sendable {
  /// Measured users of one run, or of a part of one.
  struct Tally: Sendable, Equatable {
    var arrivals: UInt64 = 0
    var hits: UInt64 = 0
  }

  /// How many there are of each at one time.
  struct Level {
    var warm: Int
    var starting: Int
    var waiting: Int
    var sessions: Int
    var instances: Int
    var stopped: Int
  }

  /// The numbers of ``Level``, integrated over the measured time in ns.
  struct Integral: Sendable, Equatable {
    var warm = 0.0, starting = 0.0, waiting = 0.0, sessions = 0.0, instances = 0.0, stopped = 0.0
  }

  /// A point of the first run's picture.
  struct Sample: Sendable, Equatable {
    /// Since the measured time began, in ns.
    var time: UInt64
    var warm: Int
    /// The fewest warm tasks since the point before; at the first point as many as then.
    var fewestWarm: Int
    var starting: Int
    var waiting: Int
    var sessions: Int
    var instances: Int
  }

  /// The waits for a task that are counted, in ns: longer than 0, 1, 5 and 20 s.
  static let bounds: [UInt64] = [0, 1_000_000_000, 5_000_000_000, 20_000_000_000]
  /// The parts of a run whose tallies are kept.
  static let partCount = 20
  private static let longestPicture: UInt64 = DailyProfile.day.nanoseconds
  private static let points: UInt64 = 288

  private let warmup: UInt64
  private let end: UInt64
  private let partLength: UInt64
  private let sampleLength: UInt64
  private var nextSample: UInt64
  private var fewestWarm = Int.max

  /// By run.
  private(set) var runs: [Tally] = []
  /// Of the first run, by equal parts of its time.
  private(set) var parts = [Tally](repeating: Tally(), count: Self.partCount)
  private var current = Tally()
  private(set) var refused: UInt64 = 0
  /// Users who had no task when the run had to end.
  private(set) var unserved: UInt64 = 0
  private(set) var waits = LatencyHistogram()
  /// How many waited longer than each of ``bounds``; those who were never served are not in it.
  private(set) var longer: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  private(set) var integral = Integral()
  private(set) var samples: [Sample] = []

  init(_ schedule: RunSchedule) {
    warmup = schedule.warmup.nanoseconds
    end = warmup + schedule.horizon.nanoseconds
    partLength = max(1, (end - warmup + UInt64(Self.partCount) - 1) / UInt64(Self.partCount))
    sampleLength = max(1, min(end - warmup, Self.longestPicture) / Self.points)
    nextSample = warmup
  }

  /// Stands for a record that is elsewhere; it has no room for a wait.
  static let placeholder = RunRecord(RunSchedule())

  mutating func arrive(at time: UInt64, isHit: Bool) {
    current.arrivals += 1
    if isHit { current.hits += 1 }
    guard runs.isEmpty else { return }
    let part = Int((time - warmup) / partLength)
    parts[part].arrivals += 1
    if isHit { parts[part].hits += 1 }
  }

  mutating func refuse() { refused += 1 }

  /// - Parameters:
  ///   - waited: from the arrival until there was a task.
  ///   - assign: from then until the task was ready for its user.
  mutating func serve(waited: UInt64, assign: UInt64) {
    // The shortest length that a histogram records is 1 ns.
    waits.record(max(1, waited + assign))
    guard waited > Self.bounds[0] else { return }
    longer.0 += 1
    guard waited > Self.bounds[1] else { return }
    longer.1 += 1
    if waited > Self.bounds[2] { longer.2 += 1 }
    if waited > Self.bounds[3] { longer.3 += 1 }
  }

  /// The numbers did not change between two instants.
  mutating func hold(from: UInt64, to: UInt64, _ level: Level) {
    guard to > from, to > warmup, from < end else { return }
    if runs.isEmpty, to > nextSample || level.warm < fewestWarm { sample(until: to, level) }
    let length = Double(min(to, end) - max(from, warmup))
    integral.warm += Double(level.warm) * length
    integral.starting += Double(level.starting) * length
    integral.waiting += Double(level.waiting) * length
    integral.sessions += Double(level.sessions) * length
    integral.instances += Double(level.instances) * length
    integral.stopped += Double(level.stopped) * length
  }

  private mutating func sample(until time: UInt64, _ level: Level) {
    fewestWarm = min(fewestWarm, level.warm)
    while nextSample < time, nextSample < end, samples.count <= Self.points {
      samples.append(
        Sample(
          time: nextSample - warmup, warm: level.warm, fewestWarm: fewestWarm, starting: level.starting,
          waiting: level.waiting, sessions: level.sessions, instances: level.instances))
      nextSample += sampleLength
      fewestWarm = level.warm
    }
  }

  mutating func endRun(unserved: Int) {
    runs.append(current)
    current = Tally()
    self.unserved += UInt64(unserved)
  }
}
