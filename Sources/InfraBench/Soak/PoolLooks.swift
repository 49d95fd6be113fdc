import Latency
import Results

/// What looks at a pool say of one minute. Pure: instants are passed in. A look counts until the next one, but for
/// ``validity`` at most: a gateway that does not answer any more must not be recorded as the pool that it last had. The
/// time before and after a look that failed counts for nothing.
struct PoolLooks: Sendable {
  /// One look at the gateway's status.
  struct Look: Sendable, Equatable {
    var warm: Int
    var assigned: Int
    /// Nil where the status does not list tasks.
    var starting: Int?
    /// Nil without a warm task, or without times of tasks.
    var oldestWarm: Nanoseconds?
  }

  /// The longest time that a look counts: three of the mean pauses between looks.
  static let validity: Nanoseconds = .seconds(3)

  /// The last look: when it was taken, and from when on its time has not been counted yet.
  private var last: (taken: Instant, from: Instant, look: Look)?
  private var watched = Nanoseconds.zero
  private var empty = Nanoseconds.zero
  /// Sums of the numbers times the seconds that they held.
  private var warmSeconds = 0.0
  private var assignedSeconds = 0.0
  private var startingSeconds: Double? = 0
  /// The oldest warm task of this minute's last look; nil before a look of this minute has shown one.
  private var oldestWarm: Nanoseconds?

  /// Adds a look that was taken at `instant`; nil: it failed.
  mutating func add(_ look: Look?, at instant: Instant) {
    // Between a look and one that failed nobody knows how long the pool stayed as it was.
    if look != nil { close(at: instant) }
    last = look.map { (instant, instant, $0) }
    if let look { oldestWarm = look.oldestWarm }
  }

  /// Ends the minute at `instant` and returns it; nil where nothing was seen in it. The last look counts on, as long as
  /// it is valid, but its age of a task does not: that task has grown older since, or is gone.
  mutating func cut(at instant: Instant) -> SoakMinute.Pool? {
    close(at: instant)
    defer { oldestWarm = nil }
    guard watched > .zero else { return nil }
    let seconds = watched.seconds
    let pool = SoakMinute.Pool(
      watchedSeconds: seconds, emptySeconds: empty.seconds, warm: warmSeconds / seconds,
      assigned: assignedSeconds / seconds, starting: startingSeconds.map { $0 / seconds },
      oldestWarmSeconds: oldestWarm?.seconds)
    let look = last
    self = PoolLooks()
    last = look
    return pool
  }

  private mutating func close(at instant: Instant) {
    guard let (taken, from, look) = last else { return }
    let end = min(instant, taken + Self.validity)
    guard end > from else { return }
    let length = end - from
    watched += length
    if look.warm == 0 { empty += length }
    warmSeconds += Double(look.warm) * length.seconds
    assignedSeconds += Double(look.assigned) * length.seconds
    startingSeconds = look.starting.flatMap { starting in
      startingSeconds.map { $0 + Double(starting) * length.seconds }
    }
    last = (taken, end, look)
  }
}
