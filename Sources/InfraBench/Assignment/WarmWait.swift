/// How long a run waits for a warm task. A pool that never becomes warm would cost every iteration a whole time-out, so that it is
/// waited for once. A pool that was warm before is refilled, however slowly, and is waited for each time.
struct WarmWait {
  /// Whether a whole wait was in vain, and no warm task has ever been seen.
  private(set) var isGivenUp = false
  /// Whether that has ever been so.
  private(set) var wasGivenUp = false
  private var wasWarm = false

  /// The pool was seen with `warmCount` warm tasks.
  mutating func saw(warmCount: Int) {
    guard warmCount > 0 else { return }
    wasWarm = true
    isGivenUp = false
  }

  /// A wait for the whole time-out is over, and its caller has no warm task.
  mutating func ended() {
    guard !wasWarm else { return }
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
