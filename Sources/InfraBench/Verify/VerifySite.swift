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
