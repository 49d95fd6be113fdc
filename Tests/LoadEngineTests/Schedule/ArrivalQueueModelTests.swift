import Latency
import TestSupport
import Testing

@testable import LoadEngine

/// The queue against a model that keeps every start in an array and looks through all of them at every event.
private struct QueueModel {
  enum Fate: Equatable { case coming, waiting, taken, dropped, abandoned }

  private(set) var starts: [(start: ArrivalQueue.Start, fate: Fate)] = []
  private let drops: Bool
  private let count: Int?
  private let endsAt: Instant?
  private(set) var parked = 0
  private var now = Instant.distantPast
  private var isClosed = false
  private(set) var backlogMax = 0
  /// Drops that a user may turn out to have been free for, and how many of them the generator missed.
  private var provisional: Set<Int> = []
  private(set) var missed = 0

  init(_ offsets: [Nanoseconds], length: Nanoseconds?, _ bounds: ArrivalQueue.Bounds, drops: Bool, beginsAt: Instant) {
    self.drops = drops
    count = bounds.count
    let measuredFrom: Instant? =
      switch bounds.warmup {
      case .iterations(0): beginsAt
      case .iterations(let number): number < offsets.count ? beginsAt + offsets[number] : nil
      case .duration(let length): beginsAt + length
      }
    let lengthEnd = length.map { beginsAt + $0 }
    let durationEnd = bounds.duration.flatMap { duration in measuredFrom.map { $0 + duration } }
    endsAt = [lengthEnd, durationEnd].compactMap(\.self).min()
    var (warmups, measured) = (0, 0)
    for (index, offset) in offsets.enumerated() where beginsAt + offset < endsAt ?? .distantFuture {
      let isWarmup =
        switch bounds.warmup {
        case .iterations(let number): index < number
        case .duration(let length): offset < length
        }
      if isWarmup { warmups += 1 } else { measured += 1 }
      guard isWarmup || measured <= count ?? .max else { break }
      let iteration = Iteration(number: isWarmup ? warmups : measured, isWarmup: isWarmup)
      starts.append((ArrivalQueue.Start(iteration: iteration, intendedAt: beginsAt + offset), .coming))
    }
  }

  func number(_ fate: Fate) -> Int { starts.count { $0.fate == fate && !$0.start.iteration.isWarmup } }

  private var waiting: [Int] { starts.indices.filter { starts[$0].fate == .waiting } }

  private mutating func advance(_ to: Instant) {
    now = max(now, to)
    guard !isClosed else { return }
    for index in starts.indices where starts[index].fate == .coming && starts[index].start.intendedAt <= now {
      starts[index].fate = drops && waiting.count >= parked ? .dropped : .waiting
      if starts[index].fate == .dropped { provisional.insert(index) }
    }
    backlogMax = max(backlogMax, min(number(.waiting), waiting.count - parked))
  }

  private mutating func take() -> ArrivalQueue.Start? {
    guard let index = waiting.first else { return nil }
    starts[index].fate = .taken
    return starts[index].start
  }

  private var isFulfilled: Bool {
    let all = starts.allSatisfy { $0.fate != .coming && $0.fate != .waiting }
    return all && count.map { limit in starts.count { !$0.start.iteration.isWarmup } >= limit } ?? false
  }

  var nextWakeAt: Instant? {
    if isClosed || isFulfilled { return nil }
    if parked > 0, !waiting.isEmpty { return now }
    if let next = starts.first(where: { $0.fate == .coming }) { return next.start.intendedAt }
    return endsAt.flatMap { $0 > now ? $0 : nil }
  }

  /// The provisional drops after `since`, oldest first.
  private mutating func takeDropped(_ since: Instant) -> [Int] {
    guard !isClosed else { return [] }
    let found = provisional.filter { starts[$0].start.intendedAt > since }.sorted()
    provisional.subtract(found)
    return found
  }

  private mutating func miss(_ indices: some Sequence<Int>) {
    for index in indices where !starts[index].start.iteration.isWarmup { missed += 1 }
  }

  mutating func free(_ at: Instant, since: Instant) -> ArrivalQueue.Answer {
    advance(at)
    let dropped = takeDropped(since)
    if let start = take() {
      miss(dropped)
      return .start(start)
    }
    if let first = dropped.first {
      miss(dropped.dropFirst())
      starts[first].fate = .taken
      return .start(starts[first].start)
    }
    guard nextWakeAt != nil else { return .over }
    parked += 1
    return .parked
  }

  mutating func takeForParked(_ at: Instant) -> ArrivalQueue.Start? {
    advance(at)
    guard let start = take() else { return nil }
    parked -= 1
    miss(takeDropped(start.intendedAt))
    return start
  }

  mutating func unparked() {
    parked -= 1
    if drops, waiting.count > parked, let last = waiting.last { starts[last].fate = .dropped }
  }

  mutating func close(_ at: Instant) {
    advance(at)
    isClosed = true
    for index in waiting { starts[index].fate = .abandoned }
  }

  mutating func isOver(_ at: Instant) -> Bool {
    advance(at)
    return isOver
  }

  mutating func hasEnded(_ at: Instant) -> Bool {
    advance(at)
    return isClosed || starts.allSatisfy { $0.fate != .coming } && endsAt.map { now >= $0 } ?? true
  }

  private var isOver: Bool {
    if isClosed || isFulfilled { return true }
    if let endsAt { return now >= endsAt }
    return starts.allSatisfy { $0.fate != .coming && $0.fate != .waiting }
  }
}

@Suite struct ArrivalQueueModelTests {
  private static let warmups: [LoadPlan.Warmup] = [.iterations(0), .iterations(7), .duration(60), .duration(0)]

  private func schedule(_ number: Int, seed: UInt64) -> ArrivalSchedule {
    let (low, high) = (ArrivalRate(starts: 1, period: 20), ArrivalRate(starts: 1, period: 3))
    let arrival: ArrivalSchedule.Arrival = number % 2 == 0 ? .constant : .poisson(seed: seed)
    let stages = [RateStage(duration: 200, target: high), RateStage(duration: 100, target: low)]
    return number < 2
      ? ArrivalSchedule(rate: high, arrival: arrival) : ArrivalSchedule(stages: stages, from: low, arrival: arrival)
  }

  /// Every kind of schedule and bounds, with events in random order: all answers and all counters are the model's.
  @Test(arguments: 0..<400 as Range<UInt64>) func theQueueIsItsModel(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let schedule = schedule(Int.random(in: 0..<4, using: &random), seed: seed)
    let bounds = ArrivalQueue.Bounds(
      count: [nil, 0, 1, 30].randomElement(using: &random).flatMap(\.self),
      duration: [nil, 1, 50, 250].randomElement(using: &random).flatMap(\.self),
      warmup: Self.warmups.randomElement(using: &random) ?? .iterations(0))
    let drops = Bool.random(using: &random)
    let begin: Instant = 100
    var queue = ArrivalQueue(schedule, bounds: bounds, dropsWhenBusy: drops, beginsAt: begin)
    var model = QueueModel(
      Array(schedule.prefix { $0 < 5000 }), length: schedule.length, bounds, drops: drops, beginsAt: begin)
    var now: Instant = 80
    for step in 0..<120 {
      now += [0, 0, 1, 3, 9, 30].randomElement(using: &random) ?? .zero
      // Another thread's instant can be a little older.
      let instant = now - Nanoseconds(.random(in: 0..<3, using: &random))
      switch Int.random(in: 0..<20, using: &random) {
      case 0..<9:
        // Its answer had been read some time before its task got to run.
        let since: Instant = instant - ([0, 0, 2, 20].randomElement(using: &random) ?? .zero)
        #expect(queue.userBecameFree(at: instant, since: since) == model.free(instant, since: since))
      case 9..<14 where model.parked > 0: #expect(queue.takeForParked(at: instant) == model.takeForParked(instant))
      case 14 where model.parked > 0:
        queue.unparked()
        model.unparked()
      case 15..<17:
        _ = queue.isOver(at: instant)
        _ = model.isOver(instant)
      case 17: #expect(queue.isOver(at: instant) == model.isOver(instant))
      case 18: #expect(queue.hasEnded(at: instant) == model.hasEnded(instant))
      case 19 where step > 60 && Int.random(in: 0..<4, using: &random) == 0:
        queue.close(at: instant)
        model.close(instant)
      default: continue
      }
      #expect(queue.nextWakeAt == model.nextWakeAt)
      #expect(queue.hasFreeUsers == (model.parked > 0))
      // Nobody who is free waits beside a start that does.
      if model.parked > 0, queue.waiting > 0 { #expect(queue.nextWakeAt.map { $0 <= now } ?? false) }
      #expect(queue.taken == model.number(.taken) && queue.dropped == model.number(.dropped))
      #expect(queue.waiting == model.number(.waiting) && queue.abandoned == model.number(.abandoned))
      #expect(queue.due == queue.taken + queue.dropped + queue.abandoned + queue.waiting)
      #expect(queue.backlogMax == model.backlogMax)
      #expect(queue.missed == UInt64(model.missed))
      #expect(queue.missedLateness?.totalCount ?? 0 == queue.missed)
    }
  }
}
