import Faults
import Latency

/// What plays and what was injected: the answer of `GET /faults`.
struct FaultReport: Encodable, Sendable {
  /// One rule of the plan.
  struct Rule: Encodable, Sendable {
    let fault: String
    /// The rule as it would be written.
    let text: String
    /// `waiting`, `playing` or `over`.
    let state: String
    /// The events that the rule was asked about while it played; 0 for one that strikes by the clock.
    let events: Int
    /// The strikes that took effect.
    let injected: Int
    /// The strikes of the clock that found no task as long as the rule played.
    let withoutTarget: Int
    let lastInjectedMsAgo: Double?
  }

  let seed: UInt64
  /// From the plan's start, in ms.
  let elapsedMs: Double
  /// All strikes that took effect.
  let injected: Int
  /// From the last strike of any rule, in ms; `nil` where there was none.
  let lastInjectedMsAgo: Double?
  let faults: [Rule]

  init(_ injector: FaultInjector?, now: Instant) {
    guard let injector else {
      seed = 0
      elapsedMs = 0
      injected = 0
      lastInjectedMsAgo = nil
      faults = []
      return
    }
    let elapsed = now - injector.startedAt
    seed = injector.plan.seed
    elapsedMs = elapsed.milliseconds
    injected = injector.players.reduce(0) { $0 + $1.injected }
    lastInjectedMsAgo = injector.players.compactMap(\.lastInjectedAt).max().map { (now - $0).milliseconds }
    faults = injector.players.map { player in
      let rule = player.rule
      return Rule(
        fault: rule.kind.rawValue, text: rule.text,
        state: rule.isOver(at: elapsed) ? "over" : rule.plays(at: elapsed) ? "playing" : "waiting",
        events: player.events, injected: player.injected, withoutTarget: player.withoutTarget,
        lastInjectedMsAgo: player.lastInjectedAt.map { (now - $0).milliseconds })
    }
  }
}
