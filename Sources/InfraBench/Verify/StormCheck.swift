import Gateway
import Latency

/// One user connects and leaves ten times in quick succession, in different ways, and stays with the last connection.
struct StormCheck: Sendable {
  let site: VerifySite

  private static let connections = 10

  func perform() async -> CheckOutcome {
    guard let role = site.profile.session else {
      return .notTested("the profile '\(site.profile.name)' has no user's side, to which users connect")
    }
    let pool = site.pool
    defer { pool?.close() }
    let id = site.userID(1)
    var unseen = pool == nil ? site.reasonWithoutPool : nil
    for round in 1...site.settings.rounds where !Task.isCancelled {
      if site.settings.rounds > 1 { site.recorder.happened("round \(round)") }
      for number in 0..<Self.connections where !Task.isCancelled { await connectAndLeave(number, role) }
      let (last, outcome) = await site.enter(user: 1)
      do throws(VisitFailure) {
        _ = try outcome.get()
        let answer = try await last.ask(site.greeting)
        site.recorder.happened("the last connection answers after \(answer.firstAfter)", user: id, task: last.task)
      } catch {
        if error.kind == .missed {
          await last.leave()
          return .notTested("the pool had no warm task for the last connection within \(site.settings.recovery)")
        }
        if error.kind != .cancelled {
          site.recorder.violated(
            error.kind == .unanswered ? .unanswered : .stormFailed,
            "the last of \(Self.connections + 1) connections of \(id) does not work: \(error.words)", users: [id])
        }
      }
      if let pool {
        // A user who is connected has a task: a status that does not show it would not show others either.
        let seen = await judge(pool, id, most: 1, "is connected")
        if seen == nil || seen == 0 { unseen = "the gateway's status does not show the users of tasks" }
      }
      await last.leave()
      if let pool { _ = await judge(pool, id, most: 0, "has left") }
    }
    if Task.isCancelled { return .notTested("the run was interrupted") }
    return .tested(except: unseen.map { "leaks were not looked for: \($0)" })
  }

  /// Leaves as soon as the connection is there, or when it is ready, with or without a close frame.
  private func connectAndLeave(_ number: Int, _ role: GatewayProfile.Session) async {
    let visit = UserVisit(site, user: 1)
    // A gateway that keeps sessions for users who return keeps one that was cut, and rightly.
    let mayCut = role.returning == nil
    do throws(VisitFailure) {
      _ = try await visit.enter(within: number % 3 == 0 && mayCut ? .milliseconds(20) : nil, isRecorded: false)
    } catch {
      // A bound of 20 ms is this check's own, so that the user leaves before the session is ready.
      let isOwnBound = number % 3 == 0 && mayCut
      if !error.isNamed, error.kind != .cancelled, !isOwnBound {
        site.recorder.violated(
          error.kind == .unanswered ? .unanswered : .stormFailed,
          "\(visit.id) was told nothing: \(error.words)", users: [visit.id])
      }
    }
    if number % 3 == 1 || !mayCut { await visit.leave() } else { await visit.cut() }
  }

  /// Waits until the user has at most `most` tasks; those beyond it leak. Returns the number that was seen last; nil where
  /// the status lists no tasks.
  private func judge(_ pool: PoolStatusReader, _ id: String, most: Int, _ state: String) async -> Int? {
    let names = site.names(ofUser: 1)
    func tasks(_ status: StatusAnswer) -> [TaskEntry]? {
      status.tasks?.filter { $0.userId.map(names.contains) ?? false }
    }
    let (status, doneAt) = await pool.wait(for: site.settings.recovery) { (tasks($0) ?? []).count <= most }
    guard !Task.isCancelled, let status, let held = tasks(status) else { return nil }
    if doneAt == nil {
      site.recorder.violated(
        .stormLeaked,
        "\(id) \(state) and has \(held.count) tasks after \(site.settings.recovery), not \(most) at most: "
          + held.prefix(5).map(\.taskId).joined(separator: ", "),
        users: [id], tasks: Set(held.map(\.taskId)), by: UInt64(held.count - most))
    }
    return held.count
  }
}
