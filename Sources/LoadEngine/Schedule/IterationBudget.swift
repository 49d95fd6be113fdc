import Latency

/// Hands out the iterations of a plan one by one. Pure: instants are passed in.
struct IterationBudget {
  private let plan: LoadPlan
  /// This shard's part of the measured iterations: they are numbered on after the warm-up, as starts are.
  private let measured: Shard
  /// This shard's own part of the plan's count; nil is no bound.
  private let count: Int?
  private var startedAt: Instant
  private var warmupsGiven = 0
  private var given = 0
  private var measuringSince: Instant?

  /// Starts the budget at `now`.
  init(_ plan: LoadPlan, startingAt now: Instant) {
    self.plan = plan
    if case .iterations(let number) = plan.warmup {
      measured = plan.shard.after(max(0, number))
    } else {
      measured = plan.shard
    }
    count = plan.count.map(measured.share)
    startedAt = now
  }

  /// Counts time from `now`, the end of the users' set-up.
  mutating func begin(at now: Instant) { startedAt = now }

  /// When the measured part began; nil while warming up.
  var measurementStartedAt: Instant? { measuringSince }

  /// The next iteration; nil when the plan is fulfilled.
  mutating func next(at now: Instant) -> Iteration? {
    if measuringSince == nil {
      if isWarmingUp(at: now) {
        defer { warmupsGiven += 1 }
        return Iteration(number: plan.shard.number(at: warmupsGiven), isWarmup: true)
      }
      measuringSince = now
    }
    guard !isFulfilled(at: now) else { return nil }
    return charge()
  }

  /// Some measured iterations, which one event loop hands out without asking again.
  struct Share: Equatable {
    /// Their places among the generator's own iterations, from 0.
    var places: Range<Int> = 0..<0
    var shard = Shard.whole
    /// When no iteration may begin any more.
    var endsAt: Instant = .distantFuture

    var isEmpty: Bool { places.isEmpty }

    /// Takes the first one; there must be one.
    mutating func removeFirst() -> Iteration {
      Iteration(number: shard.number(at: places.removeFirst()), isWarmup: false)
    }
  }

  private static let largestShare = 64

  /// Takes a share for one of `loops` event loops: at most an eighth of what would be its part of the rest, so that the
  /// loops end together. Empty while warming up, at the end of a count, and when the time is over.
  mutating func share(of loops: Int, at now: Instant) -> Share {
    guard let since = measuringSince, !isFulfilled(at: now) else { return Share() }
    let rest = count.map { ($0 - given) / (8 * max(1, loops)) } ?? Self.largestShare
    let number = min(Self.largestShare, rest)
    defer { given += number }
    return Share(
      places: given..<(given + number), shard: measured,
      endsAt: plan.duration.map { since + $0 } ?? .distantFuture)
  }

  /// Gives back an iteration that was handed out and not begun.
  mutating func giveBack(_ iteration: Iteration) {
    if iteration.isWarmup { warmupsGiven -= 1 } else { given -= 1 }
  }

  /// A measured iteration for a user whose set-up failed: taken from the count, or beyond the count when it is used up.
  mutating func charge() -> Iteration {
    defer { given += 1 }
    return Iteration(number: measured.number(at: given), isWarmup: false)
  }

  /// Whether no iteration may begin at `now`.
  func isOver(at now: Instant) -> Bool {
    guard let since = measuringSince, let duration = plan.duration else { return false }
    return now.elapsed(since: since) >= duration
  }

  /// How long iterations may still begin, as far as is known.
  func remaining(at now: Instant) -> Nanoseconds {
    if let count, given >= count { return .zero }
    guard let since = measuringSince, let duration = plan.duration else { return .max }
    return duration - now.elapsed(since: since)
  }

  private func isWarmingUp(at now: Instant) -> Bool {
    switch plan.warmup {
    case .iterations(let number): warmupsGiven < plan.shard.share(of: number)
    case .duration(let length): now.elapsed(since: startedAt) < length
    }
  }

  private func isFulfilled(at now: Instant) -> Bool {
    if let count, given >= count { return true }
    return isOver(at: now)
  }
}

/// One iteration of a benchmark.
public struct Iteration: Sendable, Equatable {
  /// The number from 1 over all users. Warm-up iterations are numbered separately.
  public var number: Int
  /// Whether it belongs to the warm-up: no metric and no counter contains it.
  public var isWarmup: Bool

  /// Makes an iteration.
  public init(number: Int, isWarmup: Bool) {
    self.number = number
    self.isWarmup = isWarmup
  }
}
