import FoundationEssentials
import GatewayProtocol
import Latency
import SessionGateway
import Transport

/// A look at the pool from a connection of its own, outside of what is measured.
struct PoolObserver: Sendable {
  /// What the gateway said, and when by its own clock.
  struct Look: Sendable {
    var warmCount: Int
    var connectedAt: [String: Date]
    /// By the gateway's `Date` header, which has whole seconds; nil without one.
    var gatewayTime: Date?
  }

  private let client: GatewayClient
  /// A pool that stays as it is for so long, in ns, is as full as it gets.
  private static let settled: UInt64 = 2_000_000_000

  init(_ session: GatewaySession) {
    client = session.client(on: session.loops.executor(forUser: 0))
  }

  /// One look; nil when the gateway does not tell.
  func look() async -> Look? {
    guard case .success(let (status, exchange)) = await client.status() else { return nil }
    var connectedAt: [String: Date] = [:]
    for task in status.tasks ?? [] {
      guard let text = task.connectedAt else { continue }
      connectedAt[task.taskId] = GatewayTime.parseISO8601(text)
    }
    return Look(
      warmCount: status.warmCount, connectedAt: connectedAt,
      gatewayTime: exchange.response.header("date").flatMap(GatewayTime.parseHTTPDate))
  }

  /// Waits until the pool has `count` warm tasks, or as many as it will have; at most `timeout` ns.
  func waitUntilFilled(for count: Int, timeout: UInt64) async {
    let deadline = MonotonicClock.now() + timeout
    var best = (warmCount: -1, since: MonotonicClock.now())
    while !Task.isCancelled, MonotonicClock.now() < deadline {
      guard let look = await look() else { return }
      if look.warmCount >= count { return }
      let now = MonotonicClock.now()
      if look.warmCount != best.warmCount { best = (look.warmCount, now) }
      if look.warmCount > 0, now - best.since > Self.settled { return }
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  func close() { client.close() }
}
