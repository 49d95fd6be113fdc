import FoundationEssentials
package import Gateway
package import Latency
import Synchronization
import Transport

/// A gateway's status of its pool at one moment.
package struct PoolStatus: Sendable {
  package var status: StatusAnswer
  /// When the gateway answered, by its own clock: the `Date` header; nil without one.
  package var date: String?
  /// When the answer's last byte was read.
  package var readAt: Instant

  package init(status: StatusAnswer, date: String?, readAt: Instant) {
    self.status = status
    self.date = date
    self.readAt = readAt
  }

  init(_ status: StatusAnswer, _ exchange: HTTPExchange) {
    self.init(status: status, date: exchange.response.header("date"), readAt: exchange.lastByteReadAt)
  }

  /// Reads the status through `client`; nil when the call fails.
  package static func take(through client: GatewayClient) async -> PoolStatus? {
    guard case .success(let (status, exchange)) = await client.status() else { return nil }
    return PoolStatus(status, exchange)
  }

  /// When `task` had connected; nil when the status does not list it, or lists it without a time.
  func connectedAt(_ task: String) -> Date? {
    let entry = status.tasks?.first { $0.taskId == task }
    return entry?.connectedAt.flatMap(GatewayTime.parseISO8601)
  }

  /// The `Date` header, whose unit is whole seconds.
  var gatewayTime: Date? { date.flatMap(GatewayTime.parseHTTPDate) }
}

/// Shares one status request among all users who need the status at the same time, so that a thousand users do not send
/// a thousand requests.
final class SharedPoolStatus: Sendable {
  /// A status, and the requests for tasks that were under way when it was requested.
  struct Seen: Sendable {
    /// nil when the call failed.
    var look: PoolStatus?
    var mark: RequestsInFlight.Mark
    /// Whether the caller sent the status request itself.
    var isOwn: Bool
  }

  /// The callers that wait for the status request under way; nil when none is under way.
  private let waiting = Mutex<[CheckedContinuation<Seen?, Never>]?>(nil)

  /// Reads the status through `client`, or waits for the request that another user has sent.
  func take(marking mark: () -> RequestsInFlight.Mark, through client: GatewayClient) async -> Seen {
    let mark = mark()
    // The first caller finds no request under way: it is resumed with nil at once and sends the request.
    let seen = await withCheckedContinuation { continuation in
      let isFirst = waiting.withLock { waiting in
        guard waiting != nil else {
          waiting = []
          return true
        }
        waiting?.append(continuation)
        return false
      }
      if isFirst { continuation.resume(returning: nil) }
    }
    if let seen { return seen }
    let look = await PoolStatus.take(through: client)
    let others = waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting ?? []
    }
    for other in others { other.resume(returning: Seen(look: look, mark: mark, isOwn: false)) }
    return Seen(look: look, mark: mark, isOwn: true)
  }
}

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
    while !Task.isCancelled, MonotonicClock.now() < deadline {
      guard let warmCount = await PoolStatus.take(through: client)?.status.warmCount else { return }
      let now = MonotonicClock.now()
      warmWait.saw(warmCount: warmCount)
      if warmCount != last.warmCount { last = (warmCount, now) }
      if warmCount >= needed || warmWait.isGivenUp { break }
      if fullCount == nil, warmCount > 0, now - last.since > Self.settled { break }
      try? await Task.sleep(for: .milliseconds(10))
    }
    if !Task.isCancelled, MonotonicClock.now() >= deadline {
      warmWait.ended()
      if warmWait.isGivenUp { note(WarmWaitPolicy.note(timeout: timeout)) }
    }
    if last.warmCount > 0 { fullCount = fullCount ?? last.warmCount }
  }
}
