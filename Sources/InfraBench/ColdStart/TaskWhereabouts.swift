import Gateway

/// What a gateway's status says of the tasks that a run wants to stop. Pure.
///
/// A task that was started for this run's users may have been given to somebody else's, whose session would end with it. So a
/// task is stopped only where it is sure that nobody of others has it: the run's own user had it, or it waits, or it is not at
/// the gateway, and never was. One that was there and is not listed any more may serve somebody by another node of the
/// gateway. A user id proves nothing: colleagues may have come with the same one.
enum TaskWhereabouts: Sendable {
  /// The status could not be had.
  case unknown
  case known(StatusAnswer)

  /// What may be done with a task.
  enum Verdict: Sendable, Equatable {
    case stop
    /// Why it is left.
    case leave(String)
  }

  /// - Parameters:
  ///   - hasServed: whether a user of this run was given it.
  ///   - wasSeen: whether a look at the gateway has shown it there, this one or one before.
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

  /// Whether the gateway surely doesn't have the task to give.
  ///
  /// - Parameter wasSeen: as for ``verdict(_:hasServed:wasSeen:isOwn:)``.
  func isAbsent(_ id: String, wasSeen: Bool) -> Bool {
    guard case .known(let status) = self, let tasks = status.tasks else { return false }
    return tasks.first { $0.taskId == id }.map { $0.state == "warming" } ?? !wasSeen
  }

  /// The ids of the tasks that the gateway has to give, or has given.
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
