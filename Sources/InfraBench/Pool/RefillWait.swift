import Gateway
import Latency
import Transport

/// Waits between bursts until the pool is as full as it was before the first one.
struct RefillWait {
  private let client: GatewayClient
  private let timeout: Nanoseconds
  /// The number of warm tasks before the first burst that found any.
  private var fullCount: Int?
  private var warmWait = WarmWaitPolicy()
  private let note: @Sendable (String) -> Void

  /// Before the first burst a pool counts as full when its number of warm tasks has not changed for this time.
  private static let settled: Nanoseconds = .seconds(2)

  /// - Parameters:
  ///   - timeout: The longest time of each wait.
  ///   - note: Takes notes for the reader of the result; one note may come several times.
  init(_ client: GatewayClient, timeout: Nanoseconds, note: @escaping @Sendable (String) -> Void = { _ in }) {
    self.client = client
    self.timeout = timeout
    self.note = note
  }

  /// Why bursts may have had no warm start; nil where every wait found a warm task.
  var reasonWithoutWarmTask: String? { warmWait.wasGivenUp ? WarmWaitPolicy.reason(timeout: timeout) : nil }

  /// Waits until the embedded gateway's pool is full. Problem: a load whose iterations wait for no warm task would
  /// measure the gateway's own start. The status is read in the suite's own form under any profile.
  static func beforeLoad(on target: TargetSettings, _ session: GatewaySession) async {
    guard case .embedded(let settings) = target.gateway else { return }
    let client = session.ownClient(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    var pool = RefillWait(client, timeout: session.timeout)
    await pool.wait(for: settings.poolSize)
  }

  /// Returns when the pool has a warm task for each of `users`, or as many as before the first burst; at the time-out;
  /// or when the gateway gives no status. After one whole time-out without any warm task it reads the status once and
  /// does not wait, until a warm task is seen.
  mutating func wait(for users: Int) async {
    let needed = min(users, fullCount ?? users)
    let deadline = MonotonicClock.now() + timeout
    var last = (warmCount: -1, since: MonotonicClock.now())
    var isTold = true
    await PoolStatusReader(client).poll(for: timeout, every: .milliseconds(10)) { look in
      isTold = look != nil
      guard let look else { return true }
      let warmCount = look.status.warmCount
      warmWait.saw(warmCount: warmCount)
      if warmCount != last.warmCount { last = (warmCount, look.readAt) }
      if warmCount >= needed || warmWait.isGivenUp { return true }
      return fullCount == nil && warmCount > 0 && look.readAt.elapsed(since: last.since) > Self.settled
    }
    guard isTold else { return }
    if !Task.isCancelled, MonotonicClock.now() >= deadline {
      warmWait.ended()
      if warmWait.isGivenUp { note(WarmWaitPolicy.note(timeout: timeout)) }
    }
    if last.warmCount > 0 { fullCount = fullCount ?? last.warmCount }
  }
}
