import Latency

/// How much of its busiest second a thread had no time for work that came due. The second may begin at any instant.
/// Pure: takes readings, gives the worst second.
///
/// Problem: adjoining windows of a second would miss a stop of 1.2 s, of which each of two windows holds 0.6 s. So a
/// second is judged at every reading: the one that ends there.
struct LoopBusyTime: Sendable, Equatable {
  /// Why a thread had no time.
  enum Cause: Sendable, Equatable {
    /// It used a CPU, or was runnable and waited for one.
    case cpu
    /// It was not runnable and still did not reach its work: because of a lock, a stopped process or a CPU quota.
    case blocked
  }

  /// What happened between two readings.
  struct Span: Sendable, Equatable {
    var length: Nanoseconds
    /// CPU time used and waited for; spread over the span evenly.
    var used: Nanoseconds
    /// How late the second reading was. The span ends with this time.
    var late: Nanoseconds
  }

  private static let second: Nanoseconds = .seconds(1)
  /// The shortest time that counts as a second, because a timer may be a little early.
  private static let nearlyASecond = second - second / 100

  private var spans: [Span] = []
  private var length = Nanoseconds.zero

  /// The highest share of a second, 0…1, and its cause; 0 while less than a second has been seen.
  private(set) var worst: (share: Double, cause: Cause) = (0, .cpu)

  static func == (one: LoopBusyTime, other: LoopBusyTime) -> Bool {
    one.spans == other.spans && one.worst == other.worst
  }

  /// Takes the next span and judges the second that ends with it.
  mutating func add(_ span: Span) {
    guard span.length > .zero else { return }
    spans.append(span)
    length += span.length
    // Spans that lie wholly before the second that ends now are no longer needed.
    while let first = spans.first, length - first.length >= Self.second {
      length -= first.length
      spans.removeFirst()
    }
    if length >= Self.nearlyASecond { judge() }
  }

  /// Begins a new part: a second must not span unwatched time. The worst second so far stays.
  mutating func interrupt() {
    spans = []
    length = .zero
  }

  /// Nanoseconds as a number. With seconds, rounding would make the share of a fully used second not quite 1.
  private func number(_ length: Nanoseconds) -> Double { Double(length.nanoseconds) }

  private mutating func judge() {
    var room = min(length, Self.second)
    let window = room
    var (used, lost) = (0.0, Nanoseconds.zero)
    for span in spans.reversed() where room > .zero {
      let part = min(span.length, room)
      room -= part
      let late = min(span.late, part)
      // A thread that is late because it works counts once: the larger of the two times.
      let own = min(number(span.used) * number(part) / number(span.length), number(part))
      if number(late) > own { lost += late } else { used += own }
    }
    let share = min(1, (used + number(lost)) / number(window))
    if share > worst.share { worst = (share, number(lost) > used ? .blocked : .cpu) }
  }
}
