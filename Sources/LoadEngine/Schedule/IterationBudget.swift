import Latency

/// Hands out the iterations of a plan one by one. Pure: instants are passed in.
struct IterationBudget {
  private let plan: LoadPlan
  private var startedAt: Instant
  private var warmupsGiven = 0
  private var given = 0
  private var measuringSince: Instant?

  /// Starts the budget at `now`.
  init(_ plan: LoadPlan, startingAt now: Instant) {
    self.plan = plan
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
        warmupsGiven += 1
        return Iteration(number: warmupsGiven, isWarmup: true)
      }
      measuringSince = now
    }
    guard !isFulfilled(at: now) else { return nil }
    given += 1
    return Iteration(number: given, isWarmup: false)
  }

  /// Some measured iterations, which one event loop hands out without asking again.
  struct Share: Equatable {
    var numbers: Range<Int> = 0..<0
    /// When no iteration may begin any more.
    var endsAt: Instant = .distantFuture
  }

  private static let largestShare = 64

  /// Takes a share for one of `loops` event loops: at most an eighth of what would be its part of the rest, so that the
  /// loops end together. Empty while warming up, at the end of a count, and when the time is over.
  mutating func share(of loops: Int, at now: Instant) -> Share {
    guard let since = measuringSince, !isFulfilled(at: now) else { return Share() }
    let rest = plan.count.map { ($0 - given) / (8 * max(1, loops)) } ?? Self.largestShare
    let number = min(Self.largestShare, rest)
    defer { given += number }
    return Share(
      numbers: (given + 1)..<(given + 1 + number), endsAt: plan.duration.map { since + $0 } ?? .distantFuture)
  }

  /// Gives back an iteration that was handed out and not begun.
  mutating func giveBack(_ iteration: Iteration) {
    if iteration.isWarmup { warmupsGiven -= 1 } else { given -= 1 }
  }

  /// A measured iteration for a user whose set-up failed: taken from the count, or beyond the count when it is used up.
  mutating func charge() -> Iteration {
    given += 1
    return Iteration(number: given, isWarmup: false)
  }

  /// Whether no iteration may begin at `now`.
  func isOver(at now: Instant) -> Bool {
    guard let since = measuringSince, let duration = plan.duration else { return false }
    return now.elapsed(since: since) >= duration
  }

  /// How long iterations may still begin, as far as is known.
  func remaining(at now: Instant) -> Nanoseconds {
    if let count = plan.count, given >= count { return .zero }
    guard let since = measuringSince, let duration = plan.duration else { return .max }
    return duration - now.elapsed(since: since)
  }

  private func isWarmingUp(at now: Instant) -> Bool {
    switch plan.warmup {
    case .iterations(let number): warmupsGiven < number
    case .duration(let length): now.elapsed(since: startedAt) < length
    }
  }

  private func isFulfilled(at now: Instant) -> Bool {
    if let count = plan.count, given >= count { return true }
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
