import Gateway

/// Which users have the tasks that a run has started, as far as the run itself knows. Pure.
///
/// A gateway gives a user any warm task, so that users of one run get tasks that were started for one another. A task
/// is over when the user who had it has left. A task that was given to nobody is over only when no user of the run is
/// on its way to a task.
struct TaskLedger: Sendable {
  private struct Entry {
    let arn: String
    /// The users of the run who have it, by the ids of the tasks that were started for them. A set, because a gateway
    /// may give out one task twice.
    var users: Set<String> = []
    /// A user of the run has or had it: a task that was assigned never waits for another user.
    var hasServed = false
    /// The gateway has shown it.
    var wasAtGateway = false
  }

  /// Every task of the run, by its id.
  private var entries: [String: Entry] = [:]
  /// Tasks that users were given and no RunTask answer has named: by their ids the users who have them. Such a task may
  /// be the gateway's own, or one of the run whose answer is still on its way, since a task may connect before that.
  private var givenUnnamed: [String: Set<String>] = [:]
  /// The ids of the tasks that have not ended and were not stopped.
  private(set) var remaining: Set<String> = []
  /// The tasks whose users are on their way to the gateway and have not been given a task yet.
  private var awaited: Set<String> = []
  /// The number of users whose task is being started.
  private var startsUnderWay = 0

  /// The number of tasks that were started.
  var count: Int { entries.count }

  /// The ARN of a task that has not ended and was not stopped; nil for any other.
  func remainingARN(_ id: String) -> String? { remaining.contains(id) ? entries[id]?.arn : nil }

  /// Whether the run has started this task.
  func contains(_ id: String) -> Bool { entries[id] != nil }

  /// Whether a user of the run has or had it.
  func hasServed(_ id: String) -> Bool { entries[id]?.hasServed ?? false }

  /// Whether the gateway has ever shown it.
  func wasAtGateway(_ id: String) -> Bool { entries[id]?.wasAtGateway ?? false }

  /// Adds a task that RunTask has started for a user, or that was found at the end; false where it was known already.
  @discardableResult
  mutating func started(_ arn: String, isAwaited: Bool = true) -> Bool {
    let id = Self.id(of: arn)
    guard entries[id] == nil else { return false }
    let users = givenUnnamed.removeValue(forKey: id)
    entries[id] = Entry(arn: arn, users: users ?? [], hasServed: users != nil)
    remaining.insert(id)
    if isAwaited { awaited.insert(id) }
    return true
  }

  /// Notes that a task was stopped or has ended by itself; false where that was known already.
  @discardableResult
  mutating func ended(_ id: String) -> Bool { remaining.remove(id) != nil }

  /// A user begins to start a task for itself.
  mutating func startBegan() { startsUnderWay += 1 }

  /// That user's task `id` is at the gateway, and the user goes there now; nil where the start has failed.
  mutating func startEnded(_ id: String?) {
    startsUnderWay = max(0, startsUnderWay - 1)
    guard let id else { return }
    awaited.insert(id)
    entries[id]?.wasAtGateway = true
  }

  /// The gateway has shown these tasks; tasks of others are ignored.
  mutating func seenAtGateway(_ ids: [String]) {
    for id in ids { entries[id]?.wasAtGateway = true }
  }

  /// The user for whom `id` was started was given `task`, which need not be a task of this run.
  mutating func given(_ task: String, insteadOf id: String) {
    awaited.remove(id)
    guard entries[task] != nil else {
      givenUnnamed[task, default: []].insert(id)
      return
    }
    entries[task]?.users.insert(id)
    entries[task]?.hasServed = true
  }

  /// The user for whom `id` was started has left, together with the task that it was given.
  mutating func left(_ task: String?, startedFor id: String) {
    awaited.remove(id)
    guard let task else { return }
    entries[task]?.users.remove(id)
    givenUnnamed[task]?.remove(id)
  }

  /// Every user has left.
  mutating func allLeft() {
    awaited = []
    startsUnderWay = 0
    for id in entries.keys { entries[id]?.users = [] }
    for id in givenUnnamed.keys { givenUnnamed[id] = [] }
  }

  /// The ids of the tasks that no user of the run has or waits for. Those given to nobody may still be at the gateway,
  /// which would give them to the next user: `ifAbsent` are over only where the gateway does not have them.
  var over: (surely: [String], ifAbsent: [String]) {
    let surely = remaining.filter { isOver($0, isAbsent: false) }
    let ifAbsent = remaining.filter { isOver($0, isAbsent: true) }.subtracting(surely)
    return (Array(surely), Array(ifAbsent))
  }

  /// Whether the task remains, and no user of the run has it or waits for it.
  ///
  /// - Parameter isAbsent: whether the gateway surely does not have it to give.
  func isOver(_ id: String, isAbsent: Bool) -> Bool {
    guard remaining.contains(id), let entry = entries[id] else { return false }
    if entry.hasServed { return entry.users.isEmpty }
    // A task is never over while its own user is on its way to the gateway.
    guard !awaited.contains(id) else { return false }
    return isAbsent || (startsUnderWay == 0 && awaited.isEmpty)
  }

  /// The last part of an ARN.
  static func id(of arn: String) -> String { arn.split(separator: "/").last.map(String.init) ?? arn }
}

/// What a gateway's status says about the tasks that a run wants to stop. Pure.
///
/// Problem: the gateway may have given a task of this run to a user of somebody else, whose session would end with the
/// task. So a task is stopped only where it surely serves no other user: a user of this run had it, or it is idle, or
/// it never was at the gateway. A task that was there and is not listed any more may serve a user through another node
/// of the gateway. A user id proves nothing: colleagues may use it too.
enum GatewayTaskView: Sendable {
  /// The status could not be had.
  case unknown
  case known(StatusAnswer)

  /// Whether a task may be stopped.
  enum Verdict: Sendable, Equatable {
    case stop
    /// It is left running, for this reason.
    case leave(String)
  }

  /// - Parameters:
  ///   - hasServed: whether a user of this run was given it.
  ///   - wasSeen: whether this status or an earlier one has shown the task.
  ///   - isOwn: whether a user id is one of this run's.
  func verdict(_ id: String, hasServed: Bool, wasSeen: Bool, isOwn: (String) -> Bool) -> Verdict {
    guard case .known(let status) = self else {
      return hasServed ? .stop : .leave("the gateway's status could not be had")
    }
    guard let tasks = status.tasks else {
      guard !hasServed, status.assignedCount > 0 else { return .stop }
      return .leave("the gateway's status names no tasks, and has \(status.assignedCount) with users")
    }
    guard let task = tasks.first(where: { $0.taskId == id }) else {
      guard !hasServed, wasSeen else { return .stop }
      return .leave("the gateway had it and lists it no more, and this run was not given it")
    }
    if let user = task.userId, !isOwn(user) { return .leave("the gateway shows it with a user of somebody else") }
    if hasServed || (task.userId == nil && Self.idle.contains(task.state)) { return .stop }
    return .leave("the gateway shows it with a user, and this run was not given it")
  }

  /// Whether the gateway surely does not have the task to give.
  ///
  /// - Parameter wasSeen: as for ``verdict(_:hasServed:wasSeen:isOwn:)``.
  func isAbsent(_ id: String, wasSeen: Bool) -> Bool {
    guard case .known(let status) = self, let tasks = status.tasks else { return false }
    return tasks.first { $0.taskId == id }.map { $0.state == "warming" } ?? !wasSeen
  }

  /// The ids of the tasks that the gateway has to give or has given.
  var connected: [String] {
    guard case .known(let status) = self else { return [] }
    return (status.tasks ?? []).filter { $0.state != "warming" }.map(\.taskId)
  }

  /// Whether the status could not be had.
  var isUnknown: Bool {
    if case .unknown = self { true } else { false }
  }

  private static let idle: Set<String> = ["warming", "warm", "ready"]
}
