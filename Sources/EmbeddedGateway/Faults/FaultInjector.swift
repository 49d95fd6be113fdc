import Faults
import Glibc
import Latency
import Statistics

/// An event that a fault may strike.
enum FaultEvent: Equatable {
  /// A task is about to be started.
  case start
  /// A task was sent its user.
  case assigned
  /// A task confirms its user.
  case ready
  /// A task that had a user is to end.
  case sessionEnd
  /// An answer is due at this place.
  case answer(FaultPlace)
  /// A call of the ECS-compatible endpoint.
  case ecsCall
  /// The endpoint lists or describes tasks.
  case ecsListing
}

/// A running plan of faults: it decides which event suffers which fault, and counts.
///
/// A pure value: instants are passed in, and every draw comes from the plan's seed. Each rule has its own sequence of
/// draws, so that its choices depend on nothing but the seed, its place in the plan and the number of its events.
///
/// ```swift
/// var injector = FaultInjector(try InjectedFaults(parsing: "start-fails:p=0.5,streak=3"), startedAt: now)
/// if injector.strike(.start, now: now) != nil { /* let the start fail */ }
/// ```
struct FaultInjector {
  /// A rule with the state of its play.
  struct Player {
    let rule: FaultRule
    /// Events that it was asked about while it played.
    private(set) var events = 0
    /// Strikes that took effect.
    fileprivate(set) var injected = 0
    /// Strikes of the clock that found no task as long as the rule played.
    fileprivate(set) var withoutTarget = 0
    fileprivate(set) var lastInjectedAt: Instant?
    /// The next strike of a rule that strikes by the clock, counted from the plan's start.
    fileprivate var nextStrike: Nanoseconds?
    /// Whether that strike was due before and found no task.
    private var isWaiting = false
    private var streakLeft = 0
    private var random: SeededGenerator

    fileprivate init(_ rule: FaultRule, seed: UInt64, index: Int) {
      self.rule = rule
      random = SeededGenerator(seed: seed &+ UInt64(index) &* 0xd1b5_4a32_d192_ed03)
      if rule.trigger == .clock { drawStrike(after: .zero) }
    }

    private var isSpent: Bool { rule.count.map { injected >= $0 } ?? false }

    /// Whether the next event is struck.
    fileprivate mutating func strikes(at elapsed: Nanoseconds) -> Bool {
      guard rule.plays(at: elapsed), !isSpent else { return false }
      events += 1
      guard events > rule.skip else { return false }
      if streakLeft > 0 {
        streakLeft -= 1
        return true
      }
      guard random.fraction() < rule.probability else { return false }
      streakLeft = rule.streak - 1
      return true
    }

    fileprivate mutating func note(_ now: Instant) {
      injected += 1
      lastInjectedAt = now
    }

    /// A strike of the clock found no task: it waits for one, asking every 5 ms, until the play ends.
    fileprivate mutating func foundNoTarget(at elapsed: Nanoseconds) {
      guard rule.plays(at: elapsed) else {
        withoutTarget += 1
        return drawStrike(after: elapsed)
      }
      isWaiting = true
      nextStrike = elapsed + .milliseconds(5)
    }

    /// Whether the strike has waited for a task beyond the end of its play.
    fileprivate func isTooLate(at elapsed: Nanoseconds) -> Bool { isWaiting && !rule.plays(at: elapsed) }

    /// Draws the next strike of a Poisson process that runs only while the rule plays.
    fileprivate mutating func drawStrike(after elapsed: Nanoseconds) {
      nextStrike = nil
      isWaiting = false
      guard !isSpent, var from = rule.nextPlay(from: elapsed) else { return }
      // Each turn begins a play; as the process has no memory, a strike beyond the play's end is drawn anew in the next.
      for _ in 0..<10_000 {
        let strike = from + .seconds(-log(1 - random.fraction()) / rule.rate)
        guard let end = rule.endOfPlay(at: from), strike >= end else {
          nextStrike = strike
          return
        }
        guard let next = rule.nextPlay(from: end) else { return }
        from = next
      }
      nextStrike = from
    }

    /// One of `count` targets.
    fileprivate mutating func pick(of count: Int) -> Int { min(count - 1, Int(random.fraction() * Double(count))) }
  }

  let plan: InjectedFaults
  let startedAt: Instant
  private(set) var players: [Player]

  init(_ plan: InjectedFaults, startedAt: Instant) {
    self.plan = plan
    self.startedAt = startedAt
    players = plan.rules.enumerated().map { Player($0.element, seed: plan.seed, index: $0.offset) }
  }

  private func elapsed(_ now: Instant) -> Nanoseconds { now > startedAt ? now - startedAt : .zero }

  /// The fault that this event suffers, already counted; `nil` for none. The plan's first rule that strikes wins.
  mutating func strike(_ event: FaultEvent, now: Instant) -> FaultRule? {
    let elapsed = elapsed(now)
    for index in players.indices where players[index].rule.isStruck(by: event) {
      guard players[index].strikes(at: elapsed) else { continue }
      players[index].note(now)
      return players[index].rule
    }
    return nil
  }

  /// The next instant at which ``due(now:target:)`` has something to do.
  var nextDue: Instant? { players.compactMap(\.nextStrike).min().map { startedAt + $0 } }

  /// The rules that strike by the clock and are due. For each, `targets` says how many tasks it could strike; its owner
  /// strikes the one with the index that is given back.
  mutating func due(now: Instant, targets: (FaultRule) -> Int) -> [(rule: FaultRule, target: Int)] {
    let elapsed = elapsed(now)
    var found: [(FaultRule, Int)] = []
    for index in players.indices {
      guard let strike = players[index].nextStrike, strike <= elapsed else { continue }
      let count = players[index].isTooLate(at: elapsed) ? 0 : targets(players[index].rule)
      guard count > 0 else {
        players[index].foundNoTarget(at: elapsed)
        continue
      }
      players[index].note(now)
      found.append((players[index].rule, players[index].pick(of: count)))
      players[index].drawStrike(after: elapsed)
    }
    return found
  }

  /// The end of the stall that an answer at `place` meets now; `nil` where none plays. The answer counts as struck.
  mutating func stallEnd(at place: FaultPlace, now: Instant) -> Instant? {
    let elapsed = elapsed(now)
    var last: Nanoseconds?
    for index in players.indices {
      let rule = players[index].rule
      guard rule.kind == .answerStall, rule.places.contains(place), let end = rule.endOfPlay(at: elapsed) else {
        continue
      }
      players[index].note(now)
      last = max(last ?? .zero, end)
    }
    return last.map { startedAt + $0 }
  }

  /// How far the ECS endpoint's clock is ahead at a call, in seconds. The call counts as struck.
  mutating func clockSkew(now: Instant) -> Int64 {
    let elapsed = elapsed(now)
    for index in players.indices
    where players[index].rule.kind == .ecsSkewedClock && players[index].rule.plays(at: elapsed) {
      players[index].note(now)
      return players[index].rule.skew
    }
    return 0
  }

  /// A place among `count`, for an event that this rule has struck.
  mutating func pick(of count: Int, for rule: FaultRule) -> Int {
    guard let index = players.firstIndex(where: { $0.rule == rule }) else { return 0 }
    return players[index].pick(of: count)
  }
}

extension FaultRule {
  /// Whether the rule is one of this event's.
  fileprivate func isStruck(by event: FaultEvent) -> Bool {
    switch (kind, event) {
    case (.startFails, .start), (.taskDiesAssigned, .assigned), (.restartStopsNew, .assigned), (.neverReady, .ready),
      (.slowInit, .ready), (.oldSessionLingers, .sessionEnd), (.ecsThrottling, .ecsCall),
      (.ecsAccessDenied, .ecsCall), (.ecsExpiredToken, .ecsCall), (.ecsTaskFlickers, .ecsListing):
      true
    case (.socketBreaks, .assigned), (.socketHalfCloses, .assigned), (.socketMute, .assigned):
      places == [.assigned]
    case (.answerStall, .answer): false
    case (_, .answer(let place)): FaultPlace.answers.contains(place) && places.contains(place)
    default: false
    }
  }
}
