import Latency

/// When the next poll of a fixed interval is due. Pure.
struct PollSchedule: Sendable {
  /// The time between two polls; at least 1 ns.
  let interval: Nanoseconds
  private(set) var nextAt: Instant

  /// A schedule whose first poll is due at `start`.
  init(interval: Nanoseconds, from start: Instant) {
    self.interval = max(.nanoseconds(1), interval)
    nextAt = start
  }

  /// The poll that was due is made at `now`. Polls that were missed meanwhile are skipped: polls right after one
  /// another would show nothing new and use up ECS's quota.
  mutating func polls(at now: Instant) {
    let late = now.elapsed(since: nextAt)
    nextAt += interval * (late / interval + 1)
  }
}
