/// All starts of an open loop in the order in which they come due: the schedule, cut to the run's bounds and numbered.
struct DueStarts: IteratorProtocol {
  private let bounds: ArrivalQueue.Bounds
  private let beginsAt: UInt64
  private let scheduleEndsAt: UInt64?
  private var offsets: ArrivalSchedule.Iterator
  private var warmups = 0
  private var measured = 0
  private var offset: UInt64?

  /// When the warm-up is over: after so many starts that is when the next one is due, hence nil until that is reached.
  private(set) var measurementBeginsAt: UInt64?

  init(_ schedule: ArrivalSchedule, bounds: ArrivalQueue.Bounds, beginsAt: UInt64) {
    self.bounds = bounds
    self.beginsAt = beginsAt
    scheduleEndsAt = schedule.length.map(beginsAt.addingSaturated)
    offsets = schedule.makeIterator()
    offset = offsets.next()
    switch bounds.warmup {
    case .iterations(let number): if number <= 0 { measurementBeginsAt = beginsAt }
    case .duration(let nanoseconds): measurementBeginsAt = beginsAt.addingSaturated(nanoseconds)
    }
  }

  /// When the run is over by time: no start is due from then on. Nil without such a bound, or as long as it isn't known.
  var endsAt: UInt64? {
    let durationEnd = bounds.duration.flatMap { measurementBeginsAt?.addingSaturated($0) }
    return [durationEnd, scheduleEndsAt].compactMap(\.self).min()
  }

  /// When no start was due any more, in ns: the end by time, or when the start after the last of `count` would have been
  /// due. Nil as long as that isn't known, and for a schedule without end.
  var startsEndAt: UInt64? {
    let countEnd = isCountReached ? offset.map(beginsAt.addingSaturated) : nil
    return [endsAt, countEnd].compactMap(\.self).min()
  }

  /// When every start is expected to have come due, in ns: exact for a constant arrival without a warm-up by time; nil for
  /// a schedule without end. In constant time, as nobody may walk through a million starts while the load goes on.
  static func expectedEnd(_ schedule: ArrivalSchedule, bounds: ArrivalQueue.Bounds, beginsAt: UInt64) -> UInt64? {
    let (warmups, warmupLength): (Int, UInt64) =
      switch bounds.warmup {
      case .iterations(let number): (max(0, number), schedule.expectedStart(of: UInt64(max(0, number))) ?? 0)
      case .duration(let nanoseconds): (0, nanoseconds)
      }
    let countEnd = bounds.count.flatMap { schedule.expectedStart(of: UInt64(warmups + max(1, $0) - 1)) }
    let durationEnd = bounds.duration.map(warmupLength.addingSaturated)
    return [countEnd, durationEnd, schedule.length].compactMap(\.self).min().map(beginsAt.addingSaturated)
  }

  /// Whether the count is reached: no start will be due whatever the time.
  var isCountReached: Bool { bounds.count.map { measured >= $0 } ?? false }

  mutating func next() -> ArrivalQueue.Start? {
    guard let offset else { return nil }
    let dueAt = beginsAt.addingSaturated(offset)
    if case .iterations = bounds.warmup, measurementBeginsAt == nil, isWarmupFull { measurementBeginsAt = dueAt }
    if let endsAt, dueAt >= endsAt { return nil }
    let isWarmup = measurementBeginsAt.map { dueAt < $0 } ?? true
    if !isWarmup, isCountReached { return nil }
    self.offset = offsets.next()
    return ArrivalQueue.Start(iteration: number(isWarmup: isWarmup), intendedAt: dueAt)
  }

  private var isWarmupFull: Bool {
    if case .iterations(let number) = bounds.warmup { warmups >= number } else { true }
  }

  private mutating func number(isWarmup: Bool) -> Iteration {
    if isWarmup { warmups += 1 } else { measured += 1 }
    return Iteration(number: isWarmup ? warmups : measured, isWarmup: isWarmup)
  }
}
