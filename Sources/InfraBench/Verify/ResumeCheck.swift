import AWS
import Gateway
import Latency
import Synchronization

/// A user leaves something behind, the session ends, and the user returns: to another task, and to the files as they
/// were.
final class ResumeCheck: Sendable {
  let site: VerifySite
  /// The ECS that stops tasks, for ``VerifySettings/End/stopTask``; nil where tasks are not stopped.
  let ecs: ECSConnection?

  init(site: VerifySite, ecs: ECSConnection?) {
    self.site = site
    self.ecs = ecs
  }

  /// How many users who returned were given another task, and how many the same one.
  private let places = Mutex((others: 0, kept: 0))

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
    for round in 0..<site.settings.rounds {
      for (index, gap) in gaps.enumerated() where !Task.isCancelled {
        // A program of another kind is of that kind in each task.
        if let reason = await perform(user: round * gaps.count + index + 1, gap) { return .notTested(reason) }
      }
    }
    guard !Task.isCancelled else { return .notTested("the run was interrupted") }
    let (others, kept) = places.withLock { $0 }
    return .tested(
      except: others > 0
        ? nil
        : kept > 0
          ? "no user was given another task: the gateway kept the first one"
          : "whether it was another task is not told")
  }

  /// One user's two visits; the reason where the check cannot be made at all.
  private func perform(user number: Int, _ gap: Gap) async -> String? {
    let nonce = VerifySite.nonce()
    let (first, outcome) = await site.enter(user: number)
    let left: FirstVisit
    do throws(VisitFailure) {
      _ = try outcome.get()
      guard let place = try await leaveBehind(nonce, first) else {
        await first.leave()
        return "the tasks' program does not know the stand-in's verbs: start tasks with 'session-stand-in --verbs', "
          + "or give --remember and --recall"
      }
      left = place
    } catch {
      await first.leave()
      if error.kind == .missed { return "the pool had no warm task for \(first.id) within \(site.settings.recovery)" }
      failed(error, "could not leave anything behind", first)
      return nil
    }
    if let reason = await end(first, gap, left) { return reason }
    if case .time(let length) = gap, length > .zero { try? await Task.sleep(for: length) }
    guard !Task.isCancelled else {
      sayWhatIsLeft(left, of: first)
      return nil
    }
    site.recorder.happened("returns (\(gap))", user: first.id)
    let (second, back) = await site.enter(user: number)
    var isServed = false
    var reason: String?
    do throws(VisitFailure) {
      let entry = try back.get()
      isServed = true
      let isCold = entry.source == "cold"
      site.recorder.sample(isCold ? VerifyBenchmark.resumeCold : VerifyBenchmark.resume, entry.latency)
      try await judge(left, nonce, second, isCold: isCold)
    } catch {
      if !isServed, error.kind != .cancelled { site.recorder.sample(VerifyBenchmark.resume, nil) }
      if error.kind == .missed {
        reason = "the pool had no warm task for \(second.id), who returned, within \(site.settings.recovery)"
      } else {
        failed(error, "returned (\(gap)) and was not \(isServed ? "answered" : "served")", second)
      }
    }
    if isServed { await remove(left, in: second) } else { sayWhatIsLeft(left, of: second) }
    await second.leave()
    return reason
  }

  /// Removes the file that the first visit has left; an interrupted run does it too.
  private func remove(_ left: FirstVisit, in visit: UserVisit) async {
    guard let file = left.file else { return }
    await Task {
      let answer = try? await StandIn(visit: visit).ask("rm", file)
      if answer?.isOk != true, answer?.first != "ENOENT" { self.sayWhatIsLeft(left, of: visit) }
    }.value
  }

  private func sayWhatIsLeft(_ left: FirstVisit, of visit: UserVisit) {
    guard let file = left.file else { return }
    site.session.bench.note("resume: the file \(file) of \(visit.id) was not removed")
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
    // Two containers may have equal numbers of processes, but hardly two that started at one tick.
    let who = try await standIn.ask("whoami")
    return who["pid"].map { "process \($0) of \(who["start"] ?? "")" }
  }

  /// Ends the first session as it was asked for; the reason where that is not possible here.
  private func end(_ visit: UserVisit, _ gap: Gap, _ left: FirstVisit) async -> String? {
    switch site.settings.end {
    case .disconnect:
      if case .whileStopping = gap { visit.startLeaving() } else { await visit.leave() }
    case .stopTask:
      guard let ecs, let task = visit.task else {
        await remove(left, in: visit)
        await visit.leave()
        return "the gateway does not tell which task the user has, so that it cannot be stopped"
      }
      if let reason = await stop(task, by: ecs) {
        await remove(left, in: visit)
        await visit.leave()
        return reason
      }
      site.recorder.happened("the task is stopped by ECS", user: visit.id, task: task)
      _ = await visit.listen(for: site.settings.timeout)
      await visit.leave()
    case .idle:
      site.recorder.happened("says nothing", user: visit.id, task: visit.task)
      let ended = await visit.listen(for: site.settings.timeout)
      if ended == nil { await remove(left, in: visit) }
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
    guard let first, let second else { return }
    guard first == second else { return places.withLock { $0.others += 1 } }
    places.withLock { $0.kept += 1 }
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
