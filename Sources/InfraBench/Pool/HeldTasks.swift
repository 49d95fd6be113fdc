package import Gateway
package import Latency
import Synchronization
import Results
import TextFormatting
import Transport

/// The tasks that this tool was given and has not released. Shared by all users of a run.
package final class HeldTasks: Sendable {
  private struct State {
    var releases = ReleaseAnswers()
    /// The number of acquires that were sent and got no answer: the gateway may have given out a task whose name nobody
    /// knows.
    var unansweredAcquires = 0
    /// By task: a balancer's cookies, which name the node that gave it out, where there are any.
    var cookies: [TaskID: CookieJar] = [:]
    /// By task: the number of the user who was given it, where users have tokens of their own. Otherwise any user can
    /// release it.
    var owners: [TaskID: Int] = [:]
    /// By task: the index of the address that gave it out, from 0. Tasks of address 0 are left out.
    var places: [TaskID: Int] = [:]
    var hasSeveralTokens = false

    /// Whether the ledger alone tells all of a task.
    var isPlain: Bool {
      releases.isSettled && !hasSeveralTokens && cookies.isEmpty && owners.isEmpty && places.isEmpty
    }

    var refused = ReleaseFailures()
    var failed = ReleaseFailures()
  }

  /// The counter of the tasks that a run was given and could not release.
  package static let counter = ToolDescription.Counter.unreleased.name

  private let ledger = SharedLedger()
  private let state = Mutex(State())
  /// ``State/isPlain``, readable without the lock, which no iteration needs then.
  private let isPlain = Atomic(false)

  package init() {}

  /// The number of tasks that were not released. 0 where the gateway has no release call, since all tasks are held
  /// then.
  package var unreleased: Int { isUnsupported ? 0 : count }

  /// Changes the state.
  private func update<T>(_ change: (inout State) -> T) -> T {
    state.withLock { state in
      defer { isPlain.store(state.isPlain, ordering: .releasing) }
      return change(&state)
    }
  }

  private var isUnsupported: Bool { state.withLock { $0.releases.isUnsupported } }

  /// Notes that the gateway belongs to this run: a task whose release it refuses has ended, such as one whose user's
  /// program was killed.
  func areOfOwnGateway() { update { $0.releases.isOfOneNode = true } }

  /// Notes that the users have several tokens: a gateway may accept a release only from the user who was given the
  /// task.
  func areOfSeveralTokens() { update { $0.hasSeveralTokens = true } }

  /// Notes that the gateway has ended, and its tasks with it.
  func endedWithGateway() { ledger.clear() }

  /// Notes that an acquire has failed; `writtenAt` is nil where it was not sent.
  package func acquireFailed(_ error: GatewayError, writtenAt: Instant?) {
    guard writtenAt != nil, error.mayHaveBeenDone else { return }
    state.withLock { $0.unansweredAcquires += 1 }
  }

  /// The note about acquires without an answer, whose tasks nobody can name; nil without such acquires, and where the
  /// tasks end with the run's own gateway.
  var unansweredNote: String? {
    let number = state.withLock { $0.releases.isOfOneNode ? 0 : $0.unansweredAcquires }
    guard number > 0 else { return nil }
    return
      "\(number) \(number == 1 ? "acquire" : "acquires") got no answer: a task that the gateway gave out for one is still "
      + "assigned, and only the gateway's status can name it"
  }

  /// Notes an assignment; true if it is a duplicate.
  ///
  /// - Parameters:
  ///   - cookies: those of the visit that was given the task. Its release needs them, over any connection.
  ///   - number: the number of the user who was given it; 0 for one that sends the first token.
  package func assign(
    _ task: TaskID, cookies: CookieJar = CookieJar(), user number: Int = 0, place: Int = 0
  ) -> Bool {
    if cookies.isEmpty, place == 0, isPlain.load(ordering: .acquiring) { return ledger.assign(task) }
    return update { state in
      if !cookies.isEmpty || !state.cookies.isEmpty { state.cookies[task] = cookies.isEmpty ? nil : cookies }
      if state.hasSeveralTokens { state.owners[task] = number }
      if place != 0 || !state.places.isEmpty { state.places[task] = place == 0 ? nil : place }
      // A task that is given out again after a refused release was not held any more.
      if state.releases.isGivenOut(task) { ledger.released(task) }
      return ledger.assign(task)
    }
  }

  /// Whether more tasks were held than the ledger remembers, so that duplicates may have been missed.
  package var isOverLimit: Bool { ledger.isOverLimit }

  /// The number of tasks held.
  package var count: Int { ledger.count }

  /// Notes that a task went back without a release call, when its session ended.
  package func wentBack(_ task: TaskID) {
    if !isPlain.load(ordering: .acquiring) {
      update { state in
        if !state.owners.isEmpty { state.owners[task] = nil }
        if !state.places.isEmpty { state.places[task] = nil }
      }
    }
    ledger.released(task)
  }

  /// Releases one task through `client`; returns the instant at which the answer was read, or nil if the task was not
  /// released. A task whose release failed stays held, and its release is tried again at the end.
  ///
  /// - Parameter byItsUser: `client` is still on the visit that was given the task, so that its own cookies are the
  ///   newest.
  @discardableResult
  package func release(
    _ task: TaskID, through client: GatewayClient, byItsUser: Bool = false, bench: RunContext
  ) async -> Instant? {
    await send(task, through: client, byItsUser: byItsUser, unlessUnsupported: true, bench: bench)
  }

  private func send(
    _ task: TaskID, through client: GatewayClient, as requests: Requests? = nil, byItsUser: Bool = false,
    unlessUnsupported: Bool = false, bench: RunContext
  ) async -> Instant? {
    if isPlain.load(ordering: .acquiring) {
      ledger.beginRelease(task)
      return ended(await client.release(task), of: task, bench)
    }
    let known: (cookies: CookieJar?, owner: Int?)? = state.withLock { state in
      if unlessUnsupported, state.releases.isUnsupported { return nil }
      return (state.cookies.isEmpty ? nil : state.cookies[task], state.owners.isEmpty ? nil : state.owners[task])
    }
    guard let (kept, owner) = known else { return nil }
    let cookies = byItsUser ? nil : kept
    ledger.beginRelease(task)
    return ended(await client.release(task, cookies: cookies, as: owner.flatMap { requests?($0) }), of: task, bench)
  }

  /// Notes how the release of a task ended; returns the instant at which the answer was read where it was released.
  private func ended(_ result: Result<Instant, GatewayError>, of task: TaskID, _ bench: RunContext) -> Instant? {
    if case .failure = result { ledger.failRelease(task) }
    switch result {
    case .success(let answeredAt):
      if isPlain.load(ordering: .acquiring) {
        ledger.endRelease(task)
        return answeredAt
      }
      let refutesPages = update { state in
        if !state.cookies.isEmpty { state.cookies[task] = nil }
        if !state.owners.isEmpty { state.owners[task] = nil }
        if !state.places.isEmpty { state.places[task] = nil }
        ledger.endRelease(task)
        return state.releases.succeeded(task)
      }
      if refutesPages { bench.note(Self.pagesDiffer) }
      return answeredAt
    case .failure(let error) where error.kind == .releaseRefused:
      let (hasEnded, refutesPages) = update { $0.releases.wasRefused(task) }
      // Otherwise another node may have the task: it stays held, and its release is tried again at the end.
      if hasEnded { wentBack(task) }
      wasRefused(error, bench)
      if refutesPages { bench.note(Self.pagesDiffer) }
    case .failure(let error) where error.kind == .releaseUnsupported:
      let (isConcluded, hasCall) = update { state in
        (state.releases.foundNoPage(task, at: MonotonicClock.now()), state.releases.hasCall)
      }
      if isConcluded { bench.note("the gateway has no /api/release: tasks are held, as with --hold") }
      if hasCall { wasRefused(error, bench) }
    case .failure(let error):
      if error.mayHaveBeenDone { update { $0.releases.gotNoAnswer(task) } }
      guard !error.isCancellation else { return nil }
      let isFirst = state.withLock { $0.failed.add(error.description) }
      if isFirst { bench.console.note("note: a release failed: \(error)") }
    }
    return nil
  }

  /// Prints the first refusal at once; all refusals are noted with their number at the end.
  private func wasRefused(_ error: GatewayError, _ bench: RunContext) {
    let isFirst = state.withLock { $0.refused.add(error.message) }
    if isFirst { bench.console.note("note: a release was refused: \(error.message)") }
  }

  private static let pagesDiffer =
    "some releases found no /api/release and others did: nodes of the gateway differ, or were being replaced"

  /// Gives the requests of the user with this number.
  package typealias Requests = @Sendable (Int) -> GatewayRequests

  /// Releases every held task, within `bound`.
  ///
  /// - Parameters:
  ///   - requests: gives the requests of a task's own user, which release it over any connection; nil: the clients'
  ///     own.
  ///   - place: the index of the address that `clients` connect to: only tasks given out there are released; nil: all
  ///     tasks.
  package func releaseAll(
    through clients: [GatewayClient], as requests: Requests? = nil, place: Int? = nil, bound: Nanoseconds,
    bench: RunContext
  ) async {
    let tasks = outstanding(at: place)
    guard !tasks.isEmpty, let first = clients.first else { return }
    await TimeLimit.run(for: bound, endsWithCaller: true) {
      if !self.state.withLock({ $0.releases.mayBeUnsupported }) {
        await self.sendAll(tasks, through: clients, as: requests, bench: bench)
      }
      guard await self.findsMissingPages(tasks[0], through: first, as: requests, bench: bench) else { return }
      await self.sendAll(self.outstanding(at: place), through: clients, as: requests, bench: bench)
    }
  }

  private func outstanding(at place: Int?) -> [TaskID] {
    let tasks = ledger.all
    guard let place else { return tasks }
    return state.withLock { state in tasks.filter { (state.places[$0] ?? 0) == place } }
  }

  /// Notes, after all releases were tried, how many were refused or failed and which tasks are left: a line each.
  ///
  /// - Parameters:
  ///   - areSessions: the gateway gives sessions, which have no task of their own.
  ///   - command: the shell command that releases the task of this name by hand.
  func sayWhatIsLeft(to bench: RunContext, areSessions: Bool = false, command: (String) -> String?) {
    let (refused, failed, areOfNodes, owners) = state.withLock {
      ($0.refused, $0.failed, !$0.cookies.isEmpty, $0.owners)
    }
    if let note = refused.note("was refused", "were refused") { bench.note(note) }
    if let note = failed.note("failed", "failed") { bench.note(note) }
    guard unreleased > 0 else { return }
    let left = UnreleasedTasks(
      names: ledger.all.map(\.name), areOfNodes: areOfNodes, areSessions: areSessions,
      owners: Dictionary(uniqueKeysWithValues: owners.map { ($0.key.name, $0.value) }))
    bench.note(left.note(command))
  }

  /// Where releases have found only missing pages so far, tries one until it is known whether there is a release call.
  /// True if there is one, so that all other releases must be tried again.
  private func findsMissingPages(
    _ task: TaskID, through client: GatewayClient, as requests: Requests?, bench: RunContext
  ) async -> Bool {
    guard state.withLock({ $0.releases.mayBeUnsupported }) else { return false }
    repeat {
      _ = await send(task, through: client, as: requests, bench: bench)
      let (hasCall, isUnsupported) = state.withLock { ($0.releases.hasCall, $0.releases.isUnsupported) }
      if hasCall || isUnsupported { return hasCall }
    } while (try? await Task.sleep(for: ReleaseAnswers.pagesApart)) != nil
    return false
  }

  private func sendAll(
    _ tasks: [TaskID], through clients: [GatewayClient], as requests: Requests?, bench: RunContext
  ) async {
    await withTaskGroup(of: Void.self) { group in
      for (index, client) in clients.enumerated() {
        group.addTask {
          for task in stride(from: index, to: tasks.count, by: clients.count) where !Task.isCancelled {
            guard !self.isUnsupported else { return }
            _ = await self.send(tasks[task], through: client, as: requests, bench: bench)
          }
        }
      }
    }
  }
}

extension GatewayError {
  /// Whether the gateway may have done what was asked for although the call failed: there was no answer, a proxy did
  /// not wait for it, or it cannot be read.
  fileprivate var mayHaveBeenDone: Bool {
    switch kind {
    case .transport(let kind):
      [.cancelled, .timeout, .reset, .closed, .closedIdle, .invalidResponse, .tooLarge].contains(kind)
    case .status(let status): [502, 504].contains(status)
    case .invalidAnswer: true
    case .refused, .releaseRefused, .releaseUnsupported, .absentRole: false
    }
  }
}

/// The note about tasks, or sessions, that a run could not release: how many, which, and how to end them. Pure.
struct UnreleasedTasks {
  /// Their names, as the gateway gave them.
  var names: [String]
  /// Whether some were taken with a balancer's cookies.
  var areOfNodes: Bool
  /// Whether they are sessions: a gateway that starts a task at the first message has no task for them before.
  var areSessions = false
  /// By name: the number of the user who was given it, where users have several tokens.
  var owners: [String: Int] = [:]

  /// The largest number of names in a note.
  private static let shown = 5

  /// - Parameter command: the shell command that releases the task of this name by hand; nil where it cannot be
  ///   written.
  func note(_ command: (String) -> String?) -> String {
    let isOne = names.count == 1
    let sorted = names.sorted()
    let list = sorted.prefix(Self.shown).map { String(PlainText.line($0).prefix(80)) }.joined(separator: ", ")
    let rest = names.count > Self.shown ? " and \(names.count - Self.shown) more" : ""
    let noun = areSessions ? "session" : "task"
    let said =
      "\(isOne ? "1 \(noun) could not be released and is" : "\(names.count) \(noun)s could not be released and are") "
      + "still \(areSessions ? "open" : "assigned"): \(list)\(rest)"
    let place = areOfNodes ? " at the node that gave \(isOne ? "it" : "each of them") out" : ""
    let example = sorted.first { command($0) != nil }
    let byHand = example.flatMap(command).map { ": \($0)" } ?? " by the gateway's release call"
    let token = credential(of: example)
    let inECS = areSessions ? "" : "; of a pool in ECS, aws ecs stop-task ends a task too"
    return "\(said). Give \(isOne ? "it" : "them") back\(place)\(token)\(byHand)\(inECS)"
  }

  /// Names the tokens that the releases need, and the token of the example command; empty where all users have one
  /// token.
  private func credential(of example: String?) -> String {
    guard !owners.isEmpty else { return "" }
    let each = names.count == 1 ? " with its user's token" : ", each with its user's token"
    guard let owner = example.flatMap({ owners[$0] }) else { return each }
    let token = owner == 0 ? "the first token" : "user \(owner)'s token"
    return names.count == 1 ? " with \(token)" : "\(each), here \(token)"
  }
}
