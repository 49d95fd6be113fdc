import Gateway
import Latency
import ProcessControl
import Transport

/// One task's life as a pure state machine: events in, actions out. The states follow one another in one direction:
/// warm → preparing → starting → ready → over.
struct TaskLifecycle {
  enum Event {
    case message(GatewayToTask, at: Instant)
    case malformedMessage
    case workspaceReady(at: Instant)
    case workspaceFailed(String)
    case processStarted(pid: Int32?, at: Instant)
    case processFailed(String)
    case processSaid([OutputLine], at: Instant)
    case processEnded(ExitStatus)
    case inputDropped
    case initTimedOut
    /// nil: this side closed the socket.
    case socketEnded(WebSocketError?)
    case stopRequested
  }

  enum Action: Equatable {
    case startInitTimer
    case stopInitTimer
    case prepareWorkspace(Assignment)
    case startProcess(Assignment)
    case writeInput(String)
    case send(TaskToGateway)
    /// Send the message as `send` does, and report the instant.
    case confirm(TaskToGateway)
    /// Read the process's output again: all output so far has been passed on.
    case readOutput
    case report(TaskEvent.Kind, at: Instant)
    /// Stop the process, and close the socket with this code: the task's life is over.
    case finish(TaskOutcome, closeCode: UInt16)
  }

  /// The most lines of input that are held until the program has started.
  static let maximumHeldInput = 64

  private enum State {
    case warm
    case preparing(Assignment)
    case starting(Assignment, Progress)
    case ready
    case over
  }
  private struct Progress {
    var workspaceReadyAt: Instant
    var processStartedAt: Instant?
    /// Whether the user's program is a process; false for the inline program.
    var hasProcess = false
  }
  private var state = State.warm
  private var heldInput: [String] = []
  private let settings: Assignment.Settings

  init(settings: Assignment.Settings) { self.settings = settings }

  /// Whether another line of input can be held. The agent does not read its socket while there is no room.
  var hasRoomForInput: Bool { heldInput.count < Self.maximumHeldInput }

  mutating func handle(_ event: Event) -> [Action] {
    if case .over = state { return [] }
    switch event {
    case .message(let message, let at): return receive(message, at: at)
    case .malformedMessage: return [.send(TaskToGateway(type: "status", status: "invalid_message"))]
    case .workspaceReady(let at): return workspaceReady(at: at)
    case .workspaceFailed(let why): return fail("the workspace could not be prepared: \(why)")
    case .processStarted(let pid, let at): return processStarted(pid: pid, at: at)
    case .processFailed(let why): return fail(why)
    case .processSaid(let lines, let at): return processSaid(lines, at: at)
    case .processEnded(let status): return processEnded(status)
    case .inputDropped: return [.send(TaskToGateway(type: "status", status: "input_dropped"))]
    case .initTimedOut: return timeOut()
    case .socketEnded(let error): return socketEnded(error)
    case .stopRequested: return finish(.stopped, closeCode: 1001)
    }
  }

  private mutating func receive(_ message: GatewayToTask, at: Instant) -> [Action] {
    switch (message.type, state) {
    case ("init_user", .warm), ("init_user_session", .warm):
      var actions = [Action.report(.initReceived(userId: message.userId ?? ""), at: at)]
      switch Assignment.make(of: message, receivedAt: at, settings: settings) {
      case .failure(let refusal): actions += fail(refusal.message)
      case .success(let assignment):
        state = .preparing(assignment)
        actions += [.startInitTimer, .prepareWorkspace(assignment)]
      }
      return actions
    case ("init_user", _), ("init_user_session", _):
      // A task serves one user, so the first user keeps it.
      return [.send(TaskToGateway(type: "status", status: "already_assigned"))]
    case ("user_input", .ready): return message.line.map { [.writeInput($0)] } ?? []
    case ("user_input", .preparing), ("user_input", .starting):
      guard let line = message.line else { return [] }
      if case .starting(_, let progress) = state, progress.processStartedAt != nil { return [.writeInput(line)] }
      guard heldInput.count < Self.maximumHeldInput else { return handle(.inputDropped) }
      heldInput.append(line)
      return []
    default: return []
    }
  }

  private mutating func workspaceReady(at: Instant) -> [Action] {
    guard case .preparing(let assignment) = state else { return [] }
    state = .starting(assignment, Progress(workspaceReadyAt: at))
    let report = assignment.directory == nil ? [] : [Action.report(.workspaceReady, at: at)]
    return report + [.startProcess(assignment)]
  }

  private mutating func processStarted(pid: Int32?, at: Instant) -> [Action] {
    guard case .starting(let assignment, var progress) = state else { return [] }
    progress.processStartedAt = at
    progress.hasProcess = pid != nil
    state = .starting(assignment, progress)
    defer { heldInput = [] }
    return [.report(.processStarted(pid: pid), at: at)] + heldInput.map(Action.writeInput)
  }

  private mutating func processSaid(_ lines: [OutputLine], at: Instant) -> [Action] {
    var rest = lines[...]
    var actions: [Action] = []
    // The first line may come in pieces, and is complete with its last piece.
    if case .starting = state { rest = rest.drop { $0.goesOn } }
    if case .starting(let assignment, let progress) = state, rest.popFirst() != nil {
      state = .ready
      let breakdown = InitBreakdown(
        initUserMs: milliseconds(from: assignment.receivedAt, to: at),
        // A phase that did not happen is left out, because 0 ms would claim that it was measured.
        workspaceMs: assignment.directory == nil
          ? nil : milliseconds(from: assignment.receivedAt, to: progress.workspaceReadyAt),
        processStartMs: progress.hasProcess ? milliseconds(from: progress.processStartedAt ?? at, to: at) : nil)
      let confirmation =
        switch assignment.dialect {
        case .plan: TaskToGateway(type: "ready", breakdown: breakdown)
        case .lab: TaskToGateway(type: "user_session_ready", userId: assignment.userId, breakdown: breakdown)
        }
      actions = [.stopInitTimer, .report(.firstLine, at: at), .confirm(confirmation)]
    }
    return actions + rest.map(Self.output) + [.readOutput]
  }

  private static func output(_ line: OutputLine) -> Action {
    .send(TaskToGateway(type: "user_output", line: line.text, goesOn: line.goesOn ? true : nil))
  }

  private mutating func processEnded(_ status: ExitStatus) -> [Action] {
    guard case .ready = state else { return fail("the user's program ended with \(status) before its first line") }
    let farewell = TaskToGateway(
      type: "status", status: "process_ended", error: "the user's program ended with \(status)")
    return [.send(farewell)] + finish(.processEnded(status), closeCode: 1000)
  }

  private mutating func timeOut() -> [Action] {
    switch state {
    case .preparing: fail("the workspace was not ready within \(settings.initTimeout / .milliseconds(1)) ms")
    case .starting: fail("the user's program printed no line within \(settings.initTimeout / .milliseconds(1)) ms")
    case .warm, .ready, .over: []
    }
  }

  private mutating func socketEnded(_ error: WebSocketError?) -> [Action] {
    switch (error, state) {
    case (.closed(WebSocketError.abnormalClosure, _)?, _), (.protocolViolation?, _):
      return finish(.connectionLost(error ?? .cancelled), closeCode: 1000)
    case (_, .warm): return finish(.retired, closeCode: 1000)
    default: return finish(.released, closeCode: 1000)
    }
  }

  private mutating func fail(_ why: String) -> [Action] {
    [.send(TaskToGateway(type: "init_failed", error: why))] + finish(.initFailed(why), closeCode: 1011)
  }

  private mutating func finish(_ outcome: TaskOutcome, closeCode: UInt16) -> [Action] {
    state = .over
    return [.stopInitTimer, .finish(outcome, closeCode: closeCode)]
  }

  private func milliseconds(from start: Instant, to end: Instant) -> Double {
    end.elapsed(since: start).milliseconds
  }
}

/// A user's assignment to a task, checked, in one form for both dialects.
struct Assignment: Sendable, Equatable {
  enum Dialect: Sendable { case plan, lab }

  /// The settings that an assignment may leave out.
  struct Settings: Sendable {
    /// nil: the task creates no directory.
    var workspaceRoot: String?
    var environmentName: String
    var initTimeout: Nanoseconds
    /// The uids that the gateway may choose for a user; nil: all users have the task's own.
    var userIDs: UserIDRange?
  }

  struct Refusal: Error, Equatable {
    let message: String
  }

  let dialect: Dialect
  let userId: String
  let sessionId: String?
  let environmentName: String
  /// The user's directory, below the workspace root; nil without a root.
  let directory: String?
  let token: String?
  /// The uid of the user's program and files; nil: the task's own.
  let uid: UInt32?
  let receivedAt: Instant

  /// Reads `init_user` or `init_user_session`. The directory's creation checks, part by part, whether the plan
  /// dialect's `workspaceDir` is below the root.
  static func make(
    of message: GatewayToTask, receivedAt: Instant, settings: Settings
  ) -> Result<Assignment, Refusal> {
    guard let userId = message.userId, UserID.isValid(userId) else {
      return .failure(Refusal(message: "the user id is invalid: it is \(UserID.rule)"))
    }
    let environmentName = message.env ?? settings.environmentName
    // The name becomes a directory's name, so it obeys the rule for user ids.
    guard UserID.isValid(environmentName) else {
      return .failure(Refusal(message: "the environment's name is invalid: it is \(UserID.rule)"))
    }
    // Without a range the uid is the task's own, whatever a gateway says. With one, a user without a uid would have root's.
    let uid = settings.userIDs == nil ? nil : message.uid
    if let range = settings.userIDs, uid.map(range.contains) != true {
      return .failure(
        Refusal(message: "the user's uid is \(message.uid.map { "\($0)" } ?? "missing"), and not one of \(range.text)"))
    }
    let directory = settings.workspaceRoot.map { root in
      message.workspaceDir ?? "\(root)/\(environmentName)/\(userId)"
    }
    return .success(
      Assignment(
        dialect: message.type == "init_user" ? .plan : .lab, userId: userId, sessionId: message.sessionId,
        environmentName: environmentName, directory: directory, token: message.token, uid: uid,
        receivedAt: receivedAt))
  }

  /// The environment of the user's program. It gets only the variables that every program needs, because the rest of
  /// the agent's environment may hold credentials.
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
