import Gateway
import Latency

/// Reads the status of the pool, once, or until it is as its caller waits for.
final class PoolStatusReader: Sendable {
  private let client: GatewayClient

  init(_ client: GatewayClient) { self.client = client }

  /// The status; nil where the gateway does not tell it just now.
  func look() async -> StatusAnswer? { await PoolStatus.take(through: client)?.status }

  /// Takes looks until `isOver`: the first one at once, the others with `pause` between them, at most for `bound`.
  ///
  /// - Parameter isOver: gets each look; nil where the gateway told no status.
  func poll(for bound: Nanoseconds, every pause: Nanoseconds, until isOver: (PoolStatus?) -> Bool) async {
    let deadline = MonotonicClock.now() + bound
    while !isOver(await PoolStatus.take(through: client)), MonotonicClock.now() < deadline {
      guard (try? await Task.sleep(for: pause)) != nil else { return }
    }
  }

  /// Looks until `isDone`, at most for `bound`; returns the last status, and when it was read if it is done. A status that
  /// can't be read just now is passed over.
  func wait(
    for bound: Nanoseconds, _ isDone: (StatusAnswer) -> Bool
  ) async -> (status: StatusAnswer?, doneAt: Instant?) {
    var last: StatusAnswer?
    var doneAt: Instant?
    await poll(for: bound, every: VerifySite.lookEvery) { look in
      guard let look else { return false }
      last = look.status
      if isDone(look.status) { doneAt = look.readAt }
      return doneAt != nil
    }
    return (last, doneAt)
  }

  /// Waits until the pool is at rest with its tasks warm, and returns how many they are: the target where the gateway
  /// tells it, else the number that has not changed for two seconds. nil where no warm task came in time.
  func waitUntilFull(within bound: Nanoseconds) async -> Int? {
    var last = (count: -1, since: MonotonicClock.now())
    let (status, fullAt) = await wait(for: bound) { status in
      if let target = status.limits?.targetSize, target > 0 { return status.warmCount >= target }
      if status.warmCount != last.count { last = (status.warmCount, MonotonicClock.now()) }
      let now = MonotonicClock.now()
      return status.warmCount > 0 && now - last.since >= .seconds(2)
    }
    guard let status, status.warmCount > 0, fullAt != nil || status.limits == nil else { return nil }
    return status.warmCount
  }

  func close() { client.close() }
}
