package import Latency

/// One fault of a plan: its kind, the time during which it plays, and when it strikes within that time.
package struct FaultRule: Sendable, Equatable {
  package let kind: FaultKind
  /// From the plan's start until the fault plays for the first time.
  package var after: Nanoseconds = .zero
  /// How long it plays; `nil`: until the plan is removed.
  package var length: Nanoseconds?
  /// The time from one beginning of the play to the next; `nil`: it plays once.
  package var every: Nanoseconds?
  /// Strikes a second, on average (``FaultKind/Trigger/clock``).
  package var rate = 1.0
  /// The probability that an event is struck, 0–1 (``FaultKind/Trigger/event``).
  package var probability = 1.0
  /// The most strikes; `nil`: no limit.
  package var count: Int?
  /// The first events that are never struck.
  package var skip = 0
  /// The number of events in a row that a strike hits.
  package var streak = 1
  /// The places at which it strikes; empty for a kind that has none.
  package var places: Set<FaultPlace> = []
  /// How late an answer or a confirmation comes.
  package var delay: Nanoseconds = .zero
  /// How long a task lingers, or is not listed; `nil`: until the plan is removed.
  package var hold: Nanoseconds?
  /// The status of an answer, 500–599.
  package var status = 503
  /// The number of bytes of an oversized answer.
  package var size = 5 << 20
  /// How far the endpoint's clock is ahead, in seconds; negative: behind.
  package var skew: Int64 = 3600
  /// Whether the request is carried out before its answer is spoiled.
  package var isWorkDone = false
  /// The rule as it would be written.
  package var text = ""

  package init(_ kind: FaultKind) {
    self.kind = kind
    places = kind.places.first == .warm ? [.warm] : Set(kind.places).subtracting([.ecs])
    switch kind {
    case .slowInit: delay = .seconds(1)
    case .answerSlow: delay = .milliseconds(500)
    case .answerStall: length = .seconds(1)
    case .oldSessionLingers: hold = .seconds(2)
    default: break
    }
  }

  package var trigger: FaultKind.Trigger { kind.trigger(at: places) }

  /// Whether the rule plays `elapsed` after the plan's start.
  package func plays(at elapsed: Nanoseconds) -> Bool {
    guard elapsed >= after else { return false }
    guard let length else { return true }
    let time = elapsed - after
    return (every.map { time % $0 } ?? time) < length
  }

  /// The first time from `elapsed` on at which the rule plays; `nil` where it has played for the last time.
  package func nextPlay(from elapsed: Nanoseconds) -> Nanoseconds? {
    if elapsed <= after { return after }
    if plays(at: elapsed) { return elapsed }
    guard let every else { return nil }
    return after + every * ((elapsed - after) / every + 1)
  }

  /// The end of the play that runs `elapsed` after the plan's start; `nil` where none runs, or it has no end.
  package func endOfPlay(at elapsed: Nanoseconds) -> Nanoseconds? {
    guard plays(at: elapsed), let length else { return nil }
    guard let every else { return after + length }
    return after + every * ((elapsed - after) / every) + length
  }

  /// Whether the rule has played for the last time.
  package func isOver(at elapsed: Nanoseconds) -> Bool { nextPlay(from: elapsed) == nil }
}

/// A checked plan of faults: a pure value. Equal seeds strike equal events.
package struct InjectedFaults: Sendable, Equatable {
  package var rules: [FaultRule]
  /// The seed of all draws.
  package var seed: UInt64

  /// A plan without faults.
  package init() {
    rules = []
    seed = 0
  }

  /// Whether there is no fault in the plan.
  package var isEmpty: Bool { rules.isEmpty }
}
