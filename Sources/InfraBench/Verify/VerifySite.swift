import FoundationEssentials
import Gateway
import Latency
import LoadEngine
import Transport

/// Where the checks of a run take place: the gateway, its profile, the settings, and what records.
struct VerifySite: Sendable {
  let session: GatewaySession
  let profile: GatewayProfile
  let settings: VerifySettings
  let recorder: VerifyRecorder

  /// What a user says first to a program of unknown kind.
  let greeting = "hello"

  /// How often the pool's status is read.
  static let lookEvery: Nanoseconds = .milliseconds(100)

  func userID(_ number: Int) -> String { LoadSettings.userID(settings.userIDPrefix, number, of: Int.max) }

  /// The names by which a gateway may know a user: the id, and whom the user's token is about.
  func names(ofUser number: Int) -> Set<String> {
    let token = session.visitors.tokens.token(ofUser: number)
    return Set([userID(number), token.flatMap(TokenSource.subject)].compactMap(\.self))
  }

  /// Whether it is a user of this run.
  func isOwn(_ userID: String?) -> Bool { userID.map(session.userIDs.contains) ?? false }

  /// A secret that no other run has, in hexadecimal.
  static func nonce() -> String {
    let number = UInt128.random(in: 0...UInt128.max)
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 32 - text.count) + text
  }

  /// Reads the pool's status through connections of its own; nil where the gateway's profile has none.
  var pool: PoolStatusReader? {
    let executor = session.loops.executor(forUser: 0)
    if session.embeddedECS != nil { return PoolStatusReader(session.ownClient(on: executor)) }
    guard profile.status != nil else { return nil }
    return PoolStatusReader(session.client(on: executor, timeout: min(session.timeout, .seconds(5))))
  }

  /// Why there is no ``pool``.
  var reasonWithoutPool: String { "the profile '\(profile.name)' has no status, by which the pool could be seen" }

  /// Lets a user come, and come again after each miss, until ``VerifySettings/recovery`` is over: a gateway that says that
  /// it has no warm task just now keeps its word.
  func enter(
    user number: Int, hear: @escaping @Sendable (String) -> Void = { _ in }
  ) async -> (visit: UserVisit, outcome: Result<UserVisit.Entry, VisitFailure>) {
    let deadline = MonotonicClock.now() + settings.recovery
    while true {
      let visit = UserVisit(self, user: number, hear: hear)
      let outcome = await Result { () async throws(VisitFailure) in try await visit.enter() }
      guard case .failure(let failure) = outcome, failure.kind == .missed, MonotonicClock.now() < deadline else {
        return (visit, outcome)
      }
      await visit.leave()
      guard (try? await Task.sleep(for: Self.lookEvery)) != nil else { return (visit, outcome) }
    }
  }

  /// Performs `work` for each of `count` users at once, numbered from `first`, and returns what came of it, in their
  /// order.
  func atOnce<Result: Sendable>(
    _ count: Int, from first: Int = 1, _ work: @escaping @Sendable (Int) async -> Result
  ) async -> [Result] {
    await withTaskGroup(of: (Int, Result).self) { group in
      for number in first..<first + count { group.addTask { (number, await work(number)) } }
      var results: [(Int, Result)] = []
      for await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }
}

/// Reads the status of the pool.
final class PoolStatusReader: Sendable {
  private let client: GatewayClient

  init(_ client: GatewayClient) { self.client = client }

  /// The status; nil where the gateway does not tell it just now.
  func look() async -> StatusAnswer? { await PoolStatus.take(through: client)?.status }

  /// Looks until `isDone`, at most for `bound`; returns the last status, and when it was read if it is done.
  func wait(
    for bound: Nanoseconds, _ isDone: (StatusAnswer) -> Bool
  ) async -> (status: StatusAnswer?, doneAt: Instant?) {
    let deadline = MonotonicClock.now() + bound
    var last: StatusAnswer?
    repeat {
      if let look = await PoolStatus.take(through: client) {
        last = look.status
        if isDone(look.status) { return (last, look.readAt) }
      }
      guard (try? await Task.sleep(for: VerifySite.lookEvery)) != nil else { break }
    } while MonotonicClock.now() < deadline && !Task.isCancelled
    return (last, nil)
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
