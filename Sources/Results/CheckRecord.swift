import TextFormatting

/// A property that the target must have, and whether a run found that it has it. A violation is shown with the events
/// that led to it.
///
/// Reports show checks without knowing what they are about.
package struct CheckRecord: Codable, Sendable, Equatable {
  package enum Verdict: String, Codable, Sendable {
    case pass, fail
    /// It could not be tried. That is no pass: ``CheckRecord/reason`` says why.
    case notTested = "not_tested"
  }

  /// Something that happened, on the run's one time line.
  package struct Event: Codable, Sendable, Equatable {
    /// Seconds since the begin of the run.
    package var t: Double
    /// Who it happened to; nil: to the pool as a whole.
    package var user: String?
    package var task: String?
    package var what: String

    package init(t: Double, user: String? = nil, task: String? = nil, what: String) {
      self.t = t
      self.user = user
      self.task = task
      self.what = what
    }
  }

  package struct Violation: Codable, Sendable, Equatable {
    /// Seconds since the begin of the run.
    package var t: Double
    /// The counter that counts it.
    package var counter: String
    package var what: String
    /// The indices in ``CheckRecord/events`` of what led to it.
    package var events: [Int]

    package init(t: Double, counter: String, what: String, events: [Int]) {
      self.t = t
      self.counter = counter
      self.what = what
      self.events = events
    }
  }

  /// One word, such as `resume`.
  package var name: String
  /// What must hold: a clause.
  package var claim: String
  package var verdict: Verdict
  /// Why it was not tested, or which part of it was not; nil where all of it was.
  package var reason: String?
  /// When it began, and how long it took, in seconds of the run's time line.
  package var begin: Double
  package var seconds: Double
  /// The counters of its violations.
  package var counters: [String]
  /// The first violations of each counter; the counters have the number of all.
  package var violations: [Violation]
  /// The events that led to the violations; without any, the first events of the check. In the order of time.
  package var events: [Event]
  /// The number of events that were left out.
  package var eventsLeftOut: Int

  package init(
    name: String, claim: String, verdict: Verdict, reason: String? = nil, begin: Double, seconds: Double,
    counters: [String], violations: [Violation] = [], events: [Event] = [], eventsLeftOut: Int = 0
  ) {
    self.name = name
    self.claim = claim
    self.verdict = verdict
    self.reason = reason
    self.begin = begin
    self.seconds = seconds
    self.counters = counters
    self.violations = violations
    self.events = events
    self.eventsLeftOut = eventsLeftOut
  }
}

extension CheckRecord {
  /// The record with its verdict: a check fails by a violation, unless a threshold allows as many as there were.
  ///
  /// - Parameters:
  ///   - allowed: the counters on which the run has a threshold that was met.
  package func judged(allowing allowed: Set<String>) -> CheckRecord {
    guard verdict != .notTested else { return self }
    var record = self
    record.verdict = violations.allSatisfy { allowed.contains($0.counter) } ? .pass : .fail
    return record
  }

  /// `pass`, `FAIL` or `not tested`, for people.
  package var words: String {
    switch verdict {
    case .pass: "pass"
    case .fail: "FAIL"
    case .notTested: "not tested"
    }
  }

  /// The text of an event: `3.215 s  user-1  task 1f6e…  what`.
  package func line(_ event: Event) -> String {
    let parts = [
      NumberText.decimals(event.t, 3) + " s", event.user, event.task.map { "task \(Self.short($0))" }, event.what,
    ]
    return parts.compactMap(\.self).joined(separator: "  ")
  }

  /// The beginning of an id that is too long to be read.
  package static func short(_ id: String) -> String { id.utf8.count > 12 ? "\(id.prefix(8))…" : id }
}
