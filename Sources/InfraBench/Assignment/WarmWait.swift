/// How long a run waits for a warm task: once for the whole time-out, and then not again before one was seen. A pool that never
/// becomes warm would else cost every iteration that time.
struct WarmWait {
  /// Whether a whole wait was in vain, and no warm task has been seen since.
  private(set) var isGivenUp = false
  /// Whether that has ever been so.
  private(set) var wasGivenUp = false
  /// When a warm task was seen last, in ns of `MonotonicClock`.
  private var warmAt: UInt64?

  /// The pool was seen with `warmCount` warm tasks.
  mutating func saw(warmCount: Int, at instant: UInt64) {
    guard warmCount > 0 else { return }
    warmAt = instant
    isGivenUp = false
  }

  /// A wait for the whole time-out is over, and its caller has no warm task. Another caller may have been given the pool's.
  mutating func ended(begunAt begin: UInt64) {
    guard (warmAt ?? 0) < begin else { return }
    isGivenUp = true
    wasGivenUp = true
  }

  /// What is said of a pool that was given up, of waits that ended after `timeout` ns.
  static func reason(timeout: UInt64) -> String {
    "the pool had no warm task for the whole of --timeout (\(DurationText.write(timeout)))"
  }

  /// The same as a note.
  static func note(timeout: UInt64) -> String {
    reason(timeout: timeout) + ": from then on nothing waited for one, and what was given counts as what it was"
  }
}
