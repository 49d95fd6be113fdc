import Latency

/// All starts of an open loop in the order in which they come due: the numbered starts of the schedule, within the
/// run's bounds.
struct DueStarts: IteratorProtocol {
  private let bounds: ArrivalQueue.Bounds
  private let beginsAt: Instant
  private let scheduleEndsAt: Instant?
  private var offsets: ArrivalSchedule.Iterator
  private var warmups = 0
  private var measured = 0
  private var offset: Nanoseconds?

  /// When the warm-up ends. A warm-up by count ends when the start after its last one is due, so this is nil until that
  /// start is reached.
  private(set) var measurementBeginsAt: Instant?

  init(_ schedule: ArrivalSchedule, bounds: ArrivalQueue.Bounds, beginsAt: Instant) {
    self.bounds = bounds
    self.beginsAt = beginsAt
    scheduleEndsAt = schedule.length.map { beginsAt + $0 }
    offsets = schedule.makeIterator()
    offset = offsets.next()
    switch bounds.warmup {
    case .iterations(let number): if number <= 0 { measurementBeginsAt = beginsAt }
    case .duration(let length): measurementBeginsAt = beginsAt + length
    }
  }

  /// When the run ends by time: no start is due from then on. Nil without such a bound, or as long as it is unknown.
  var endsAt: Instant? {
    let durationEnd = bounds.duration.flatMap { duration in measurementBeginsAt.map { $0 + duration } }
    return [durationEnd, scheduleEndsAt].compactMap(\.self).min()
  }

  /// When starts end: the end by time, or the instant at which the start after the last of `count` would have been due.
  /// Nil as long as that is unknown, and for a schedule without end.
  var startsEndAt: Instant? {
    let countEnd = isCountReached ? offset.map { beginsAt + $0 } : nil
    return [endsAt, countEnd].compactMap(\.self).min()
  }

  /// When the last start is expected to come due: exact for evenly spread arrivals without a warm-up by time; nil for a
  /// schedule without end. O(1): iterating over a million starts would disturb the running load.
  static func expectedEnd(_ schedule: ArrivalSchedule, bounds: ArrivalQueue.Bounds, beginsAt: Instant) -> Instant? {
    let (warmups, warmupLength): (Int, Nanoseconds) =
      switch bounds.warmup {
      case .iterations(let number): (max(0, number), schedule.expectedStart(of: UInt64(max(0, number))) ?? .zero)
      case .duration(let length): (0, length)
      }
    let countEnd = bounds.count.flatMap { schedule.expectedStart(of: UInt64(warmups + max(1, $0) - 1)) }
    let durationEnd = bounds.duration.map { warmupLength + $0 }
    return [countEnd, durationEnd, schedule.length].compactMap(\.self).min().map { beginsAt + $0 }
  }

  /// Whether the count is reached, so that no start comes due any more.
  var isCountReached: Bool { bounds.count.map { measured >= $0 } ?? false }

  /// The next start of this shard. All starts of the whole are passed through, so that the warm-up and the count end
  /// where they end in the whole.
  mutating func next() -> ArrivalQueue.Start? {
    while let offset {
      let dueAt = beginsAt + offset
      if case .iterations = bounds.warmup, measurementBeginsAt == nil, isWarmupFull { measurementBeginsAt = dueAt }
      if let endsAt, dueAt >= endsAt { return nil }
      let isWarmup = measurementBeginsAt.map { dueAt < $0 } ?? true
      if !isWarmup, isCountReached { return nil }
      self.offset = offsets.next()
      let isOwn = bounds.shard.owns(warmups + measured)
      let iteration = number(isWarmup: isWarmup)
      if isOwn { return ArrivalQueue.Start(iteration: iteration, intendedAt: dueAt) }
    }
    return nil
  }

  private var isWarmupFull: Bool {
    if case .iterations(let number) = bounds.warmup { warmups >= number } else { true }
  }

  private mutating func number(isWarmup: Bool) -> Iteration {
    if isWarmup { warmups += 1 } else { measured += 1 }
    return Iteration(number: isWarmup ? warmups : measured, isWarmup: isWarmup)
  }
}
