import Latency

/// How much of any second, at whatever instant it begins, a thread had no time for what came due. Pure: readings in, the
/// worst second out.
///
/// Windows that follow one another would miss a stop of 1.2 s of which each of two windows holds 0.6 s: so the second that
/// is judged ends at every reading.
struct LoopBusyTime: Sendable, Equatable {
  /// Why a thread had no time.
  enum Cause: Sendable, Equatable {
    /// It used a CPU, or was ready to and waited for one.
    case cpu
    /// It did neither and still did not come to its work: a lock, a stopped process, a CPU quota.
    case blocked
  }

  /// What happened between two readings.
  struct Span: Sendable, Equatable {
    var length: Nanoseconds
    /// CPU time used and waited for; spread over the span evenly.
    var used: Nanoseconds
    /// How much later than it was due the second reading came: the end of the span.
    var late: Nanoseconds
  }

  private static let second: Nanoseconds = .seconds(1)
  /// What counts as a second: a timer is a little early or late.
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
    // What lies wholly before the second that ends now is never asked for again.
    while let first = spans.first, length - first.length >= Self.second {
      length -= first.length
      spans.removeFirst()
    }
    if length >= Self.nearlyASecond { judge() }
  }

  /// Begins a new part: a second does not reach across what was not watched. The worst one stays.
  mutating func interrupt() {
    spans = []
    length = .zero
  }

  /// In nanoseconds: of a second that is wholly used, seconds would make a share that is not quite 1.
  private func number(_ length: Nanoseconds) -> Double { Double(length.nanoseconds) }

  private mutating func judge() {
    var room = min(length, Self.second)
    let window = room
    var (used, lost) = (0.0, Nanoseconds.zero)
    for span in spans.reversed() where room > .zero {
      let part = min(span.length, room)
      room -= part
      let late = min(span.late, part)
      // A thread that works off what it is late with is counted once.
      let own = min(number(span.used) * number(part) / number(span.length), number(part))
      if number(late) > own { lost += late } else { used += own }
    }
    let share = min(1, (used + number(lost)) / number(window))
    if share > worst.share { worst = (share, number(lost) > used ? .blocked : .cpu) }
  }
}
