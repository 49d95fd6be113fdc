import Gateway
import Latency
import Transport

/// Waits between bursts until the pool is as full as it was before the first one.
struct PoolFill {
  private let client: GatewayClient
  private let timeout: UInt64
  /// The warm tasks before the first burst that found any.
  private var fullCount: Int?
  private var warmWait = WarmWait()
  private let note: @Sendable (String) -> Void

  /// A pool that stays as it is for so long before the first burst, in ns, is as full as it gets.
  private static let settled: UInt64 = 2_000_000_000

  /// - Parameters:
  ///   - timeout: Of each wait, in ns.
  ///   - note: Takes what a reader of the result must know of the pool, the same again and again.
  init(_ client: GatewayClient, timeout: UInt64, note: @escaping @Sendable (String) -> Void = { _ in }) {
    self.client = client
    self.timeout = timeout
    self.note = note
  }

  /// Why bursts may have had no warm start; nil where every wait found a warm task.
  var reasonWithoutWarmTask: String? { warmWait.wasGivenUp ? WarmWait.reason(timeout: timeout) : nil }

  /// Waits until the embedded gateway's pool is full, before a load whose starts wait for no warm task: what is measured
  /// then is not the gateway's own start. It tells that in the suite's own form, by whatever profile its users speak to it.
  static func beforeLoad(on target: TargetSettings, _ session: GatewaySession) async {
    guard case .embedded(let settings) = target.gateway else { return }
    let client = session.ownClient(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    var pool = PoolFill(client, timeout: session.timeout)
    await pool.wait(for: settings.poolSize)
  }

  /// Returns when the pool has a warm task for each of `users`, or as many as it had at first; at the timeout; or when
  /// the gateway doesn't tell. After one whole timeout in which no warm task has ever been seen it looks and does not wait, until
  /// one is seen.
  mutating func wait(for users: Int) async {
    let needed = min(users, fullCount ?? users)
    let deadline = MonotonicClock.now() + timeout
    var last = (warmCount: -1, since: MonotonicClock.now())
    while !Task.isCancelled, MonotonicClock.now() < deadline {
      guard let warmCount = await PoolLook.take(through: client)?.status.warmCount else { return }
      let now = MonotonicClock.now()
      warmWait.saw(warmCount: warmCount)
      if warmCount != last.warmCount { last = (warmCount, now) }
      if warmCount >= needed || warmWait.isGivenUp { break }
      if fullCount == nil, warmCount > 0, now - last.since > Self.settled { break }
      try? await Task.sleep(for: .milliseconds(10))
    }
    if !Task.isCancelled, MonotonicClock.now() >= deadline {
      warmWait.ended()
      if warmWait.isGivenUp { note(WarmWait.note(timeout: timeout)) }
    }
    if last.warmCount > 0 { fullCount = fullCount ?? last.warmCount }
  }
}
