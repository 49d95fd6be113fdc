import AWS
import Gateway
import Latency

/// A user leaves something behind, the session ends, and the user returns: to another task, and to the files as they
/// were.
struct ResumeCheck: Sendable {
  let site: VerifySite
  /// The ECS that stops tasks, for ``VerifySettings/End/stopTask``; nil where tasks are not stopped.
  let ecs: ECSConnection?

  /// How long the user stays away.
  enum Gap: Sendable, CustomStringConvertible {
    case time(Nanoseconds)
    /// The user is back before the gateway has agreed to the end of the session, so that the first task still stops.
    case whileStopping

    var description: String {
      switch self {
      case .time(let length): "\(length)"
      case .whileStopping: "while the task stops"
      }
    }
  }

  /// The most gaps of a round.
  static let mostGaps = 3

  /// Modes that must be as they are set up, where the path exists.
  private static let modes = [(".", "700"), (".optima", "700"), (".claude", "700"), (".optima/token.json", "600")]

  private struct FirstVisit {
    /// The task, or the process where the gateway does not tell the task.
    var place: String?
    /// nil: the program is a user's own, and is asked in its words.
    var file: String?
  }

  func perform() async -> CheckOutcome {
    guard let role = site.profile.session else {
      return .notTested("the profile '\(site.profile.name)' has no user's side, so users leave no files")
    }
    let gaps: [Gap] =
      site.settings.gap.map { [.time($0)] } ?? [.time(.zero), .time(.seconds(1))]
      + (site.settings.end == .disconnect && !role.needsTask ? [.whileStopping] : [])
    var unlike: String?
    for round in 0..<site.settings.rounds {
      for (index, gap) in gaps.enumerated() where !Task.isCancelled {
        let number = round * gaps.count + index + 1
        if let reason = await perform(user: number, gap) { unlike = reason }
        // A program of another kind is of that kind in each task.
        if let unlike { return .notTested(unlike) }
      }
    }
    return Task.isCancelled ? .notTested("the run was interrupted") : .tested()
  }

  /// One user's two visits; the reason where the check cannot be made at all.
  private func perform(user number: Int, _ gap: Gap) async -> String? {
    let nonce = VerifySite.nonce()
    let first = UserVisit(site, user: number)
    let left: FirstVisit
    do throws(VisitFailure) {
      _ = try await first.enter()
      guard let place = try await leaveBehind(nonce, first) else {
        await first.leave()
        return "the tasks' program does not know the stand-in's verbs: start tasks with 'session-stand-in --verbs', "
          + "or give --remember and --recall"
      }
      left = place
    } catch {
      await first.leave()
      failed(error, "could not leave anything behind", first)
      return nil
    }
    if let reason = await end(first, gap) { return reason }
    if case .time(let length) = gap, length > .zero { try? await Task.sleep(for: length) }
    guard !Task.isCancelled else { return nil }
    site.recorder.happened("returns (\(gap))", user: first.id)
    let second = UserVisit(site, user: number)
    var isServed = false
    do throws(VisitFailure) {
      let entry = try await second.enter()
      isServed = true
      let isCold = entry.source == "cold"
      site.recorder.sample(isCold ? VerifyBenchmark.resumeCold : VerifyBenchmark.resume, entry.latency)
      try await judge(left, nonce, second, isCold: isCold)
    } catch {
      if !isServed, error.kind != .cancelled { site.recorder.sample(VerifyBenchmark.resume, nil) }
      failed(error, "returned (\(gap)) and was not \(isServed ? "answered" : "served")", second)
    }
    // An interrupted run leaves no file either.
    await Task {
      if isServed, let file = left.file { _ = try? await StandIn(visit: second).ask("rm", file) }
      await second.leave()
    }.value
    return nil
  }

  private func failed(_ failure: VisitFailure, _ what: String, _ visit: UserVisit) {
    guard failure.kind != .cancelled else { return }
    site.recorder.violated(
      failure.kind == .unanswered ? .unanswered : .resumeFailed, "\(visit.id) \(what): \(failure.words)",
      users: [visit.id])
  }

  /// Makes the program keep the nonce; nil where it is of an unknown kind.
  private func leaveBehind(_ nonce: String, _ visit: UserVisit) async throws(VisitFailure) -> FirstVisit? {
    if let lines = site.settings.lines {
      _ = try await visit.ask(lines.remembering(nonce))
      site.recorder.happened("has left a secret behind", user: visit.id, task: visit.task)
      return FirstVisit(place: visit.task, file: nil)
    }
    guard let standIn = try await StandIn.find(in: visit) else { return nil }
    let place = try await place(of: visit, standIn)
    let file = ".infrabench-\(nonce.prefix(12))"
    let written = try await standIn.ask("put", file, nonce)
    guard written.isOk else {
      throw VisitFailure(kind: .refused, code: "unwritable", text: "the program cannot write a file: \(written.text)")
    }
    site.recorder.happened("has written \(file)", user: visit.id, task: visit.task)
    return FirstVisit(place: place, file: file)
  }

  private func place(of visit: UserVisit, _ standIn: StandIn) async throws(VisitFailure) -> String? {
    if let task = visit.task { return task }
    return try await standIn.ask("whoami")["pid"].map { "process \($0)" }
  }

  /// Ends the first session as it was asked for; the reason where that is not possible here.
  private func end(_ visit: UserVisit, _ gap: Gap) async -> String? {
    switch site.settings.end {
    case .disconnect:
      if case .whileStopping = gap { visit.startLeaving() } else { await visit.leave() }
    case .stopTask:
      guard let ecs, let task = visit.task else {
        await visit.leave()
        return "the gateway does not tell which task the user has, so that it cannot be stopped"
      }
      if let reason = await stop(task, by: ecs) {
        await visit.leave()
        return reason
      }
      site.recorder.happened("the task is stopped by ECS", user: visit.id, task: task)
      _ = await visit.listen(for: site.settings.timeout)
      await visit.leave()
    case .idle:
      site.recorder.happened("says nothing", user: visit.id, task: visit.task)
      let ended = await visit.listen(for: site.settings.timeout)
      await visit.leave()
      guard ended != nil || Task.isCancelled else {
        return "the gateway did not end an idle session within \(site.settings.timeout) (--timeout)"
      }
    }
    return nil
  }

  /// Stops a task of the confirmed service; the reason where that was not done.
  private func stop(_ task: String, by ecs: ECSConnection) async -> String? {
    do throws(AWSError) {
      let described = try await ecs.client.describeTasks([task], cluster: ecs.filter.cluster).value.first
      guard let described else { return "ECS does not know the task \(task) that the gateway gave" }
      // An ARN ends with the service's name.
      let service = ecs.filter.serviceName?.split(separator: "/").last.map(String.init) ?? ""
      guard !service.isEmpty, described.group == "service:\(service)" else {
        return "the task \(task) is not one of the service \(service), so it was not stopped"
      }
      _ = try await ecs.client.stopTask(
        described.taskArn, cluster: ecs.filter.cluster, reason: "infrabench: the user's session is to end")
      return nil
    } catch {
      return "ECS did not stop the task: \(error)"
    }
  }

  private func judge(
    _ left: FirstVisit, _ nonce: String, _ visit: UserVisit, isCold: Bool
  ) async throws(VisitFailure) {
    let metric = isCold ? VerifyBenchmark.resumeFirstResponseCold : VerifyBenchmark.resumeFirstResponse
    if let lines = site.settings.lines {
      let answer = try await visit.ask(lines.recall)
      site.recorder.sample(metric, answer.firstAfter)
      if await !lines.recalls(nonce, answer.text) {
        site.recorder.violated(
          .lostFiles, "\(visit.id) returned, and the program did not recall what it was told", users: [visit.id])
      }
      return judgePlace(left.place, visit.task, visit)
    }
    guard let file = left.file else { return }
    let standIn = StandIn(visit: visit)
    let greeting = try await visit.ask("~1 say hello") { $0.contains("~1 ok hello") }
    site.recorder.sample(metric, greeting.firstAfter)
    judgePlace(left.place, try await place(of: visit, standIn), visit)
    let found = try await standIn.ask("get", file)
    site.recorder.happened("looks for \(file): \(found.isOk ? "found" : found.text)", user: visit.id, task: visit.task)
    if !found.isOk || found.first != nonce {
      let what = found.isOk ? "has other contents" : "is lost (\(found.text))"
      site.recorder.violated(
        .lostFiles, "\(visit.id) returned, and \(file) \(what)", users: [visit.id])
    }
    for (path, mode) in Self.modes + [(file, "600")] {
      let answer = try await standIn.ask("mode", path)
      // A directory that this product does not make is no wrong mode.
      guard let found = answer["mode"], found != mode else { continue }
      site.recorder.violated(
        .resumeFailed, "the mode of \(path) is \(found), not \(mode)", users: [visit.id])
    }
  }

  /// A task that was stopped cannot be given again. One that the gateway has kept for its user may be.
  private func judgePlace(_ first: String?, _ second: String?, _ visit: UserVisit) {
    guard let first, let second, first == second else { return }
    if site.settings.end == .stopTask {
      site.recorder.violated(
        .resumeFailed, "\(visit.id) was given the stopped task \(first) again", users: [visit.id])
    } else {
      site.recorder.happened("the gateway has kept the task", user: visit.id, task: visit.task)
    }
  }
}

/// What a user says to a real program, so that it keeps a secret and tells it again.
struct UserLines: Sendable {
  /// `{nonce}` is the secret.
  var remember: String
  var recall: String
  /// A regular expression that the answer to `recall` matches, with `{nonce}` for the secret; nil: the answer holds it.
  var expect: String?

  func remembering(_ nonce: String) -> String { remember.replacing("{nonce}", with: nonce) }

  func recalls(_ nonce: String, _ answer: String) async -> Bool {
    guard let expect else { return answer.contains(nonce) }
    guard let pattern = try? AnswerPattern(expect.replacing("{nonce}", with: nonce)) else { return false }
    if case .matches = await pattern.find(in: answer, within: .seconds(5)) { return true }
    return false
  }
}
