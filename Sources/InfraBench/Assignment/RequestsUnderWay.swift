/// How many requests for tasks are under way, against what looks at the pool showed. Pure.
///
/// A look is marked when it is begun: what was asked for meanwhile may or may not have been in it.
struct RequestsUnderWay {
  /// The state at a look's beginning.
  struct Mark {
    fileprivate var begun: Int
    fileprivate var answered: Int
  }

  private var begun = 0
  private var answered = 0
  private var uncovered = 0
  private var credits = 0

  var mark: Mark { Mark(begun: begun, answered: answered) }

  /// Begins a request after a look that showed `warmCount`; nil, and nothing is begun, unless there was a warm task
  /// for every request under way and for this one.
  mutating func begin(warmCount: Int, since mark: Mark) -> Ticket? {
    guard warmCount > begun - mark.answered else { return nil }
    begun += 1
    return Ticket(isCovered: true, uncoveredBefore: uncovered)
  }

  /// Begins a request all the same; it may take the warm task that another one counts on.
  mutating func beginUncovered() -> Ticket {
    begun += 1
    uncovered += 1
    return Ticket(isCovered: false, uncoveredBefore: uncovered)
  }

  /// Ends a request; true if there was a warm task for it all the time.
  mutating func end(_ ticket: Ticket) -> Bool {
    answered += 1
    return ticket.isCovered && ticket.uncoveredBefore == uncovered
  }

  /// A request under way.
  struct Ticket: Equatable {
    fileprivate var isCovered: Bool
    fileprivate var uncoveredBefore: Int
  }

  // MARK: Credits, where the gateway tells warm from cold itself

  /// Notes a look that grants as many requests as it showed warm tasks, without those begun meanwhile.
  mutating func grant(warmCount: Int, since mark: Mark) {
    credits = max(0, warmCount - (begun - mark.begun))
  }

  /// Begins a request that an earlier look has granted; nil if there is none left.
  mutating func beginOnCredit() -> Ticket? {
    guard credits > 0 else { return nil }
    credits -= 1
    begun += 1
    return Ticket(isCovered: false, uncoveredBefore: uncovered)
  }

  /// Forgets what was granted.
  mutating func revoke() { credits = 0 }
}
