import Gateway
import Latency

/// Exhausts the pool, and lets three more users come at once; then gives all tasks back and lets one more user come.
struct FallbackCheck: Sendable {
  let site: VerifySite

  /// The users who come to the exhausted pool.
  private static let late = 3
  /// How often the pool is drained anew where it was refilled faster than it could be exhausted.
  private static let tries = 3
  /// The most users who drain it, as a multiple of its warm tasks.
  private static let mostOfWarm = 4

  private struct Late: Sendable {
    var visit: UserVisit
    var outcome: Result<UserVisit.Entry, VisitFailure>
  }

  func perform() async -> CheckOutcome {
    guard let pool = site.pool else { return .notTested(site.reasonWithoutPool) }
    defer { pool.close() }
    guard let size = await pool.waitUntilFull(within: site.settings.recovery) else {
      return .notTested("the pool had no warm tasks within \(site.settings.recovery) to begin with")
    }
    site.recorder.happened("the pool has \(size) warm tasks")
    var isExhausted = false
    var tellsSource = true
    for _ in 0..<Self.tries where !isExhausted && !Task.isCancelled {
      let (drained, isEmpty) = await drain(pool, size)
      let number = drained.count + 1
      let late = await site.atOnce(Self.late, from: number) { number in
        let visit = UserVisit(site, user: number)
        return Late(visit: visit, outcome: await Result { () async throws(VisitFailure) in try await visit.enter() })
      }
      isExhausted = late.contains { Self.isCold($0.outcome, isEmpty: isEmpty) }
      tellsSource = !late.contains { (try? $0.outcome.get()).map { $0.source == nil } ?? false }
      if isExhausted { judge(late) }
      _ = await site.atOnce(drained.count, from: 0) { await drained[$0].leave() }
      for user in late { await user.visit.leave() }
      site.recorder.happened("all have left")
      guard !Task.isCancelled else { return .notTested("the run was interrupted") }
      if !isExhausted { _ = await pool.waitUntilFull(within: site.settings.recovery) }
    }
    guard isExhausted else {
      return .notTested("the pool was refilled faster than it could be exhausted: all users were given warm tasks")
    }
    await comeAfterwards(pool, size)
    return .tested(except: tellsSource ? nil : "the gateway does not tell warm from cold")
  }

  /// Whether a user found no warm task: by a cold start or a miss. Where the gateway does not tell it, its status decides. An
  /// error of another kind shows nothing.
  private static func isCold(_ outcome: Result<UserVisit.Entry, VisitFailure>, isEmpty: Bool) -> Bool {
    switch outcome {
    case .success(let entry): entry.source.map { $0 != "warm" } ?? isEmpty
    case .failure(let failure): failure.kind == .missed || isEmpty && failure.kind != .cancelled
    }
  }

  /// Users take all warm tasks and keep them. Returns the users, and whether no warm task was left.
  private func drain(_ pool: PoolStatusReader, _ size: Int) async -> (users: [UserVisit], isEmpty: Bool) {
    var drained: [UserVisit] = []
    var warm = size
    while warm > 0, drained.count < Self.mostOfWarm * size, !Task.isCancelled {
      let users = await site.atOnce(warm, from: drained.count + 1) { number in
        let visit = UserVisit(site, user: number)
        let outcome = await Result { () async throws(VisitFailure) in try await visit.enter() }
        judgeSilence(outcome, of: visit, "came while the pool was being exhausted")
        return (visit, isCold: Self.isCold(outcome, isEmpty: false))
      }
      drained += users.map(\.0)
      if users.contains(where: \.isCold) {
        warm = 0
        break
      }
      // The pool may have been refilled meanwhile. A status that cannot be read shows nothing.
      guard let status = await pool.look() else { break }
      warm = status.warmCount
    }
    site.recorder.happened("\(drained.count) users have taken the warm tasks")
    return (drained, warm == 0)
  }

  private func judge(_ late: [Late]) {
    for user in late {
      switch user.outcome {
      case .success(let entry): if entry.source != "warm" { site.recorder.sample(VerifyBenchmark.cold, entry.latency) }
      case .failure(let failure): if failure.kind != .cancelled { site.recorder.sample(VerifyBenchmark.cold, nil) }
      }
      judgeSilence(user.outcome, of: user.visit, "came to the exhausted pool")
    }
  }

  /// A user who is not served must be told why.
  private func judgeSilence(_ outcome: Result<UserVisit.Entry, VisitFailure>, of visit: UserVisit, _ what: String) {
    guard case .failure(let failure) = outcome, failure.kind != .cancelled, !failure.isNamed else { return }
    site.recorder.violated(
      failure.kind == .unanswered ? .unanswered : .fallbackFailed,
      "\(visit.id) \(what) and was told nothing: \(failure.words)", users: [visit.id])
  }

  /// The pool must be full again, and the next user's task warm.
  private func comeAfterwards(_ pool: PoolStatusReader, _ size: Int) async {
    let refill = await pool.wait(for: site.settings.recovery) { $0.warmCount >= size }
    guard !Task.isCancelled else { return }
    guard refill.doneAt != nil else {
      let found = refill.status.map { "\($0.warmCount) of \(size) tasks are warm" } ?? "the gateway told no status"
      return site.recorder.violated(
        .fallbackFailed, "the pool was not full again within \(site.settings.recovery): \(found)")
    }
    site.recorder.happened("the pool is full again")
    let visit = UserVisit(site, user: 1)
    do throws(VisitFailure) {
      let entry = try await visit.enter()
      let isCold = entry.source == "cold"
      site.recorder.sample(VerifyBenchmark.warmAfter, isCold ? nil : entry.latency)
      if isCold {
        site.recorder.violated(
          .fallbackFailed, "the pool was full again, and the next user's task was cold", users: [visit.id])
      }
    } catch {
      guard error.kind != .cancelled else { return }
      site.recorder.sample(VerifyBenchmark.warmAfter, nil)
      site.recorder.violated(
        error.kind == .unanswered ? .unanswered : .fallbackFailed,
        "the pool was full again, and the next user was not served: \(error.words)", users: [visit.id])
    }
    await visit.leave()
  }
}
