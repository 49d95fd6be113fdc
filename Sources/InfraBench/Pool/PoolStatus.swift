import FoundationEssentials
package import Gateway
import Latency
import Synchronization
import Transport

/// What a gateway said of its pool at one moment.
package struct PoolStatus: Sendable {
  /// Its answer.
  package var status: StatusAnswer
  /// When it said it, by its own clock: the `Date` header; nil without one.
  package var date: String?

  package init(status: StatusAnswer, date: String?) {
    self.status = status
    self.date = date
  }

  /// Looks through `client`; nil when the gateway does not tell.
  package static func take(through client: GatewayClient) async -> PoolStatus? {
    guard case .success(let (status, exchange)) = await client.status() else { return nil }
    return PoolStatus(status: status, date: exchange.response.header("date"))
  }

  /// When `task` had connected; nil when it is not listed, or without that.
  func connectedAt(_ task: String) -> Date? {
    let entry = status.tasks?.first { $0.taskId == task }
    return entry?.connectedAt.flatMap(GatewayTime.parseISO8601)
  }

  /// In whole seconds, as the header has it.
  var gatewayTime: Date? { date.flatMap(GatewayTime.parseHTTPDate) }
}

/// One look at the pool for all users who want one at the same time: a thousand users need no thousand answers.
final class SharedPoolStatus: Sendable {
  /// What was seen, and the requests that were under way when the look was begun.
  struct Seen: Sendable {
    /// nil when the gateway did not tell.
    var look: PoolStatus?
    var mark: RequestsInFlight.Mark
    /// Whether the caller looked itself.
    var isOwn: Bool
  }

  /// Those who wait for the look that is under way; nil when none is.
  private let waiting = Mutex<[CheckedContinuation<Seen?, Never>]?>(nil)

  /// Looks through `client`, or waits for the look that another user has begun.
  func take(marking mark: () -> RequestsInFlight.Mark, through client: GatewayClient) async -> Seen {
    let mark = mark()
    // Resumed at once, with nothing, whoever finds no look under way: it is the one to look.
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
  /// The warm tasks before the first burst that found any.
  private var fullCount: Int?
  private var warmWait = WarmWaitPolicy()
  private let note: @Sendable (String) -> Void

  /// A pool that stays as it is for so long before the first burst, is as full as it gets.
  private static let settled: Nanoseconds = .seconds(2)

  /// - Parameters:
  ///   - timeout: Of each wait.
  ///   - note: Takes what a reader of the result must know of the pool, the same again and again.
  init(_ client: GatewayClient, timeout: Nanoseconds, note: @escaping @Sendable (String) -> Void = { _ in }) {
    self.client = client
    self.timeout = timeout
    self.note = note
  }

  /// Why bursts may have had no warm start; nil where every wait found a warm task.
  var reasonWithoutWarmTask: String? { warmWait.wasGivenUp ? WarmWaitPolicy.reason(timeout: timeout) : nil }

  /// Waits until the embedded gateway's pool is full, before a load whose starts wait for no warm task: what is measured
  /// then is not the gateway's own start. It tells that in the suite's own form, by whatever profile its users speak to it.
  static func beforeLoad(on target: TargetSettings, _ session: GatewaySession) async {
    guard case .embedded(let settings) = target.gateway else { return }
    let client = session.ownClient(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    var pool = RefillWait(client, timeout: session.timeout)
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
