/// What one look at the pool showed: a set of tasks, by the last parts of their ARNs.
package struct Sighting: Sendable, Equatable {
  /// When the question was sent, in ns of `MonotonicClock`.
  package var sentAt: UInt64
  /// When the answer had been read.
  package var answeredAt: UInt64
  package var tasks: Set<String>
  /// Tasks that were counted but not named: some gateways tell `warmCount` alone.
  package var unnamed: Int
  /// Tasks of which the look says neither that they are there nor that they are not.
  package var unknown: Set<String>

  package init(
    sentAt: UInt64, answeredAt: UInt64, tasks: Set<String>, unnamed: Int = 0, unknown: Set<String> = []
  ) {
    self.sentAt = sentAt
    self.answeredAt = answeredAt
    self.tasks = tasks
    self.unnamed = unnamed
    self.unknown = unknown
  }
}

/// Between which two instants something became true, in ns of `MonotonicClock`.
package struct Crossing: Sendable, Equatable {
  /// When the last poll was sent that showed that it was not yet so; 0 if none did.
  package var lastNegativeSentAt: UInt64
  /// When the first poll was answered that showed it.
  package var firstPositiveAnsweredAt: UInt64
}

/// The sightings of one view in order, equal ones in a row kept as one, so that a quiet pool takes no memory.
///
/// Crossings are found afterwards, not on the way: which tasks don't count may be known only later.
struct RefillHistory: Sendable {
  private struct Span {
    var tasks: Set<String>
    var unnamed: Int
    var unknown: Set<String>
    let firstSentAt: UInt64
    let firstAnsweredAt: UInt64
    var lastSentAt: UInt64

    var isSinglePoll: Bool { lastSentAt == firstSentAt }
  }

  private var spans: [Span] = []

  mutating func add(_ sighting: Sighting) {
    if let last = spans.last, last.tasks == sighting.tasks, last.unnamed == sighting.unnamed,
      last.unknown == sighting.unknown
    {
      spans[spans.count - 1].lastSentAt = sighting.sentAt
    } else {
      spans.append(
        Span(
          tasks: sighting.tasks, unnamed: sighting.unnamed, unknown: sighting.unknown, firstSentAt: sighting.sentAt,
          firstAnsweredAt: sighting.answeredAt, lastSentAt: sighting.sentAt))
    }
  }

  /// When `count` tasks were there at one time, not counting `excluded` ones and the first `unnamedBefore` unnamed ones.
  ///
  /// It takes two polls to be gone: a task that is missing from a single poll is still there as far as "not yet" goes, and
  /// as far as "now" goes where the poll after that shows it again. A look that leaves open whether enough tasks are there
  /// denies nothing.
  func crossing(to count: Int, excluding excluded: Set<String>, unnamedBefore: Int) -> Crossing? {
    var lastNegativeSentAt: UInt64 = 0
    for (index, span) in spans.enumerated() {
      let previous = index > 0 ? spans[index - 1] : nil
      let next = index + 1 < spans.count ? spans[index + 1] : nil
      let missed = (previous?.tasks ?? []).subtracting(span.tasks)
      let unnamed = max(0, span.unnamed - unnamedBefore)
      let present = span.tasks.union(span.isSinglePoll ? missed.intersection(next?.tasks ?? []) : [])
      if present.subtracting(excluded).count + unnamed >= count {
        return Crossing(lastNegativeSentAt: lastNegativeSentAt, firstPositiveAnsweredAt: span.firstAnsweredAt)
      }
      let possible = span.tasks.union(span.unknown)
      let lingering = possible.union(missed).subtracting(excluded).count
      let lingeringUnnamed = max(unnamed, (previous?.unnamed ?? 0) - unnamedBefore)
      if !span.isSinglePoll {
        if possible.subtracting(excluded).count + unnamed < count { lastNegativeSentAt = span.lastSentAt }
      } else if lingering + lingeringUnnamed < count {
        lastNegativeSentAt = span.firstSentAt
      }
    }
    return nil
  }

  /// When each task was first there.
  func firstSightings() -> [String: Crossing] {
    var crossings: [String: Crossing] = [:]
    for (index, span) in spans.enumerated() {
      for task in span.tasks where crossings[task] == nil {
        let denial = spans[..<index].last { !$0.unknown.contains(task) }
        crossings[task] = Crossing(
          lastNegativeSentAt: denial?.lastSentAt ?? 0, firstPositiveAnsweredAt: span.firstAnsweredAt)
      }
    }
    return crossings
  }

  /// Every task that was ever there.
  var tasks: Set<String> { spans.reduce(into: []) { $0.formUnion($1.tasks) } }

  /// How many tasks the last sighting showed, beside those that don't count.
  func lastCount(excluding excluded: Set<String>, unnamedBefore: Int) -> Int {
    spans.last.map { $0.tasks.subtracting(excluded).count + max(0, $0.unnamed - unnamedBefore) } ?? 0
  }
}
