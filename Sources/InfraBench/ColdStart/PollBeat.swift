/// When the next poll of a fixed beat is due, in ns of `MonotonicClock`. Pure.
struct PollBeat {
  /// Between two beats, in ns.
  let interval: UInt64
  private(set) var nextAt: UInt64

  /// A beat whose first poll is due at `start`.
  init(interval: UInt64, from start: UInt64) {
    self.interval = max(1, interval)
    nextAt = start
  }

  /// The poll that was due is made at `now`. Beats that were missed meanwhile are left out: polls that follow each other
  /// at once would show nothing more and take from ECS's quota.
  mutating func polls(at now: UInt64) {
    let late = now - min(nextAt, now)
    nextAt += interval * (late / interval + 1)
  }
}
