import Gateway
import Latency
import Synchronization

/// Several users at once, each with a secret in a file, in a process and in the answers of the program: each looks for
/// those of the others, in every way that the stand-in knows. Only secrets of this run are looked for; nothing else that
/// is read leaves the user's process.
struct IsolationCheck: Sendable {
  let site: VerifySite

  /// How long the users listen for answers of others at the end.
  private static let listening: Nanoseconds = .milliseconds(500)

  private struct User: Sendable {
    var visit: UserVisit
    var standIn: StandIn
    var nonce: String
    var uid: String
    var directory: String

    var file: String { ".infrabench-\(nonce)" }
  }

  /// The texts that came to the users, searched for the secrets of others as they come.
  private final class Ears: Sendable {
    private struct State {
      var nonces: [Int: String] = [:]
      var heard: Set<String> = []
    }

    private let state = Mutex(State())

    func owns(_ number: Int, _ nonce: String) { state.withLock { $0.nonces[number] = nonce } }

    /// The users whose secrets are in a text that came to user `number`; each pair once.
    func strangers(in text: String, heardBy number: Int) -> [Int] {
      state.withLock { state in
        state.nonces.filter { other, nonce in
          other != number && text.contains(nonce) && state.heard.insert("\(number) \(other)").inserted
        }.keys.sorted()
      }
    }
  }

  func perform() async -> CheckOutcome {
    guard site.profile.session != nil else {
      return .notTested("the profile '\(site.profile.name)' has no user's side, so there are no programs of users")
    }
    if site.settings.lines != nil {
      return .notTested("a program of --remember and --recall cannot be made to look for the files of others")
    }
    let tokens = site.session.visitors.tokens.count
    if site.profile.session?.needsToken ?? false, tokens < site.settings.users, site.session.embeddedECS == nil {
      return .notTested(
        "the gateway tells users by their tokens, and there are \(tokens) for \(site.settings.users) users: give a line "
          + "each in --token-file")
    }
    let ears = Ears()
    var unfinished: [String] = []
    for _ in 0..<site.settings.rounds where !Task.isCancelled {
      let (users, visits, reason) = await gather(ears)
      if reason == nil {
        let looks = await site.atOnce(users.count, from: 0) { index in
          await pry(users[index], others: users.enumerated().filter { $0.offset != index }.map(\.element))
        }
        unfinished += looks.compactMap(\.self)
        _ = await site.atOnce(users.count, from: 0) { _ = await users[$0].visit.listen(for: Self.listening) }
      }
      // An interrupted run leaves no files either.
      await Task {
        await removeFiles(of: users)
        _ = await site.atOnce(visits.count, from: 0) { await visits[$0].leave() }
      }.value
      if let reason { return .notTested(reason) }
      note(users)
    }
    guard !Task.isCancelled else { return .notTested("the run was interrupted") }
    return .tested(except: unfinished.first)
  }

  private func removeFiles(of users: [User]) async {
    for user in users {
      let answer = try? await user.standIn.ask("rm", user.file)
      guard answer?.isOk != true else { continue }
      site.session.bench.note("isolation: the file \(user.file) of \(user.visit.id) was not removed")
    }
  }

  private func note(_ users: [User]) {
    let uids = Set(users.map(\.uid)).sorted()
    site.recorder.happened("the programs of \(users.count) users have the uids \(uids.joined(separator: ", "))")
    if uids.count < users.count {
      site.session.bench.note(
        "isolation: the programs of \(users.count) users run under \(uids.count == 1 ? "one uid" : "\(uids.count) uids") "
          + "(\(uids.joined(separator: ", "))), so that the system does not keep them apart")
    }
  }

  // MARK: The users and their secrets

  private func gather(_ ears: Ears) async -> (users: [User], visits: [UserVisit], reason: String?) {
    let site = site
    let came = await site.atOnce(site.settings.users) { number in
      let id = site.userID(number)
      let (visit, entry) = await site.enter(user: number) { text in
        for other in ears.strangers(in: text, heardBy: number) {
          let otherID = site.userID(other)
          site.recorder.violated(
            .outputCrosstalk, "\(id) was sent a message with the secret of \(otherID)", users: [id, otherID])
        }
      }
      return (visit, await settle(visit, entry, number, ears))
    }
    var users: [User] = []
    var reason: String?
    for (visit, outcome) in came {
      switch outcome {
      case .success(let user?): users.append(user)
      case .success(nil):
        reason =
          "the tasks' program does not know the stand-in's verbs: start tasks with 'session-stand-in --verbs'"
      case .failure(let failure):
        guard failure.kind != .cancelled else { continue }
        if failure.kind == .unanswered {
          site.recorder.violated(.unanswered, "\(visit.id) was told nothing: \(failure.words)", users: [visit.id])
        }
        reason = reason ?? "\(visit.id) could not settle: \(failure.words)"
      }
    }
    return (users, came.map(\.0), reason ?? (users.count < 2 ? "there are not two users" : nil))
  }

  /// Puts the user's secret everywhere; nil where the program is no stand-in.
  private func settle(
    _ visit: UserVisit, _ entry: Result<UserVisit.Entry, VisitFailure>, _ number: Int, _ ears: Ears
  ) async -> Result<User?, VisitFailure> {
    await Result { () async throws(VisitFailure) in
      _ = try entry.get()
      guard let standIn = try await StandIn.find(in: visit) else { return nil }
      let who = try await standIn.ask("whoami")
      let nonce = VerifySite.nonce()
      ears.owns(number, nonce)
      let user = User(
        visit: visit, standIn: standIn, nonce: nonce, uid: who["uid"] ?? "?", directory: who["cwd"] ?? "")
      for request in [["put", user.file, nonce], ["hold", nonce], ["say", nonce]] {
        let answer = try await standIn.ask(request)
        guard answer.isOk else {
          throw VisitFailure(
            kind: .refused, code: "cannot_\(request[0])", text: "the program says \(answer.text)")
        }
      }
      return user
    }
  }

  // MARK: Looking for the secrets of others

  /// Looks everywhere; returns why it could not, where the session ended meanwhile.
  private func pry(_ user: User, others: [User]) async -> String? {
    do throws(VisitFailure) {
      // The directory above: names alone are no secret.
      let above = try await user.standIn.ask("ls", "..")
      site.recorder.happened("lists the directory above: \(above.text)", user: user.visit.id, task: user.visit.task)
      for other in others where !Task.isCancelled { try await pry(user, into: other) }
      let nonces = others.map(\.nonce)
      for (verb, what) in [("environ", "environment"), ("cwd", "directory")] {
        let answer = try await user.standIn.ask([verb] + nonces)
        if let found = answer["found"], found != "0" {
          violated(user, others, "found secrets in the \(what) of \(found) processes of others (/proc/*/\(verb))")
        }
      }
      _ = try await user.standIn.ask("say", user.nonce)
      return nil
    } catch {
      if error.kind == .unanswered {
        site.recorder.violated(.unanswered, "\(user.visit.id) was told nothing: \(error.words)", users: [user.visit.id])
      }
      return error.kind == .cancelled ? nil : "\(user.visit.id) could not look everywhere: \(error.words)"
    }
  }

  private func pry(_ user: User, into other: User) async throws(VisitFailure) {
    // Each container may have its user's directory at the same path: then there is no path to the others'.
    guard !other.directory.isEmpty, other.directory != user.directory else {
      let answer = try await user.standIn.ask("find", other.nonce, ".")
      if answer.isOk, answer.first == "found" { violated(user, [other], "has the same directory as \(other.visit.id)") }
      return
    }
    let path = "\(other.directory)/\(other.file)"
    let name = other.directory.split(separator: "/").last.map(String.init) ?? ""
    let ways: [(what: String, requests: [[String]])] = [
      ("listed the directory", [["find", other.nonce, other.directory]]),
      ("read a file by its path", [["grep", other.nonce, path]]),
      ("read a file by '..'", [["grep", other.nonce, "../\(name)/\(other.file)"]]),
      (
        "read a file by a symbolic link",
        [["symlink", path, ".infrabench-s"], ["grep", other.nonce, ".infrabench-s"]]
      ),
      ("made a hard link to a file", [["link", path, ".infrabench-l"]]),
      ("read a file by a hard link", [["grep", other.nonce, ".infrabench-l"]]),
      ("opened the token", [["open", "\(other.directory)/.optima/token.json"]]),
      ("wrote a file", [["put", "\(other.directory)/.infrabench-w", user.nonce]]),
    ]
    for way in ways {
      var answer = StandInAnswer(isOk: false, words: [])
      for request in way.requests { answer = try await user.standIn.ask(request) }
      let isSeen = answer.isOk && answer.first != "absent"
      if isSeen { violated(user, [other], "\(way.what) of \(other.visit.id)") }
    }
    for left in [".infrabench-s", ".infrabench-l", "\(other.directory)/.infrabench-w"] {
      _ = try await user.standIn.ask("rm", left)
    }
  }

  private func violated(_ user: User, _ others: [User], _ what: String) {
    site.recorder.happened(what, user: user.visit.id, task: user.visit.task)
    site.recorder.violated(
      .isolationViolations, "\(user.visit.id) (uid \(user.uid)) \(what)",
      users: Set([user.visit.id] + others.map(\.visit.id)))
  }
}
