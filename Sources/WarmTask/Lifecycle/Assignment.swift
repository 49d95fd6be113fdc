import Gateway

/// A user given to a task: checked, and alike for both dialects.
struct Assignment: Sendable, Equatable {
  enum Dialect: Sendable { case plan, lab }

  /// What the task knows without being told.
  struct Settings: Sendable {
    /// nil: no directory is made.
    var workspaceRoot: String?
    var environmentName: String
    /// In nanoseconds.
    var initTimeout: UInt64
  }

  struct Refusal: Error, Equatable {
    let message: String
  }

  let dialect: Dialect
  let userId: String
  let sessionId: String?
  let environmentName: String
  /// Below the workspace root; nil where there is no root.
  let directory: String?
  let token: String?
  /// `CLOCK_MONOTONIC` in nanoseconds.
  let receivedAt: UInt64

  /// Reads `init_user` or `init_user_session`. Whether the plan dialect's `workspaceDir` is below the root is checked where
  /// it is made, part by part.
  static func make(
    of message: GatewayToTask, receivedAt: UInt64, settings: Settings
  ) -> Result<Assignment, Refusal> {
    guard let userId = message.userId, UserID.isValid(userId) else {
      return .failure(Refusal(message: "the user id is invalid: it is \(UserID.rule)"))
    }
    let environmentName = message.env ?? settings.environmentName
    // It becomes a directory's name, as the user id does.
    guard UserID.isValid(environmentName) else {
      return .failure(Refusal(message: "the environment's name is invalid: it is \(UserID.rule)"))
    }
    let directory = settings.workspaceRoot.map { root in
      message.workspaceDir ?? "\(root)/\(environmentName)/\(userId)"
    }
    return .success(
      Assignment(
        dialect: message.type == "init_user" ? .plan : .lab, userId: userId, sessionId: message.sessionId,
        environmentName: environmentName, directory: directory, token: message.token, receivedAt: receivedAt))
  }

  /// The environment of the user's program. Of the agent's own only what every program needs is handed down: the rest
  /// may hold the agent's credentials.
  func programEnvironment(inheriting own: [String: String]) -> [String: String] {
    var variables = own.filter { Self.inherited.contains($0.key) }
    variables["USER_ID"] = userId
    variables["ENVIRONMENT"] = environmentName
    if let sessionId, !sessionId.utf8.contains(0) { variables["SESSION_ID"] = sessionId }
    if let directory {
      variables["HOME"] = directory
      variables["WORKSPACE"] = directory
      variables["PWD"] = directory
    }
    return variables
  }

  private static let inherited: Set<String> = ["PATH", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ", "LD_LIBRARY_PATH"]
}
