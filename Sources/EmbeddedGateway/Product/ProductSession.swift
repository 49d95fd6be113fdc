import Gateway
import Latency

/// One session of the product's profile as a pure state machine: events of the client, the task and the clock in,
/// actions out.
///
/// Messages wait in a bounded queue: first for a task, which a session gets only with its first message (lazy start),
/// then for their turn, because the program answers one message at a time. While no client is connected, the messages
/// to it are held back. A session that is over ignores every event.
struct ProductSession {
  /// An action of the session; actions are executed in order.
  enum Action: Equatable {
    case send(ServerMessage)
    /// Close the client's WebSocket, which no longer belongs to the session.
    case close(ProductClose)
    /// Get a task; answered by `taskReady` or `taskFailed`.
    case acquire
    case give(ProgramInput)
    /// Release the task, or withdraw the request for one.
    case release
    /// The answer that began at this instant is complete.
    case answered(since: Instant)
    /// Forget the session.
    case end
  }

  enum TaskState: Equatable {
    case none, starting, ready
  }

  /// The state of the program.
  enum Turn: Equatable {
    case idle, answering
    /// The program waits for the answer to this question.
    case asking(String)
    /// The program was told to end its answer; the rest of its output for that answer is dropped.
    case aborting
  }

  let profile: ProductProfile
  /// Whether the session was made by REST; then only REST ends it.
  let isFromREST: Bool
  var task = TaskState.none
  var turn = Turn.idle
  /// The conversation of the message that is being answered.
  var conversation: String?
  var askedAt: Instant = .distantPast
  /// Messages that wait for their turn.
  var queue: [Prompt] = []
  var queuedBytes = 0
  /// The beginning of a line of the program whose end has not come yet.
  var unfinishedLine = ""

  private(set) var isConnected = false
  private(set) var isOver = false
  private var hasBeenConnected = false
  /// The messages that the client gets when it comes back.
  private var held: [ServerMessage] = []
  private var heldBytes = 0
  /// When the client last sent something, or, while it is disconnected, when it left.
  private var since: Instant

  init(profile: ProductProfile, isFromREST: Bool, now: Instant) {
    self.profile = profile
    self.isFromREST = isFromREST
    since = now
  }

  /// When ``tick(now:)`` is due; `nil` once the session is over.
  var dueAt: Instant? {
    if isOver { return nil }
    if isConnected { return since + profile.pingTimeout }
    return since + (hasBeenConnected ? profile.keepSessions : profile.keepUnattached)
  }

  /// Whether to read the task's messages: not while the messages held back for an absent client exceed the limit.
  var takesOutput: Bool { isConnected || heldBytes < profile.maximumHeldBytes }

  /// The session's state, as `session_recovered` and REST answers name it.
  var stateName: String {
    switch turn {
    case .asking: "asking"
    case .answering, .aborting: "answering"
    case .idle: task == .starting ? "starting" : "idle"
    }
  }

  // MARK: The client's connection

  /// A client's WebSocket is open. An earlier one that is still open must have been ``replaced(now:)`` before.
  mutating func connected(now: Instant) -> [Action] {
    guard !isOver else { return [.close(.deleted)] }
    isConnected = true
    since = now
    defer { hasBeenConnected = true }
    guard hasBeenConnected else { return [.send(.sessionReady)] }
    var actions = [Action.send(.sessionRecovered(state: stateName))]
    if case .asking(let question) = turn {
      let asked = ServerMessage.askQuestion(question, conversation: conversation)
      // The question may have been lost with the old socket.
      if !held.contains(asked) { actions.append(.send(asked)) }
    }
    actions += held.map(Action.send)
    held = []
    heldBytes = 0
    return actions
  }

  /// The client has opened another WebSocket for this session.
  mutating func replaced(now: Instant) -> [Action] { disconnect(.replaced, now: now) }

  /// The WebSocket has closed.
  ///
  /// - Parameter isGoodbye: The client has closed the WebSocket with code 1000, so it does not want to come back.
  mutating func disconnected(isGoodbye: Bool, now: Instant) -> [Action] {
    guard isConnected, !isOver else { return [] }
    isConnected = false
    since = now
    return isGoodbye && !isFromREST ? finish() : []
  }

  /// The client has sent a frame of any kind.
  mutating func heard(now: Instant) {
    if isConnected { since = now }
  }

  /// Time has passed: checks whether the client was silent for too long, or did not come back.
  mutating func tick(now: Instant) -> [Action] {
    guard let dueAt, dueAt <= now else { return [] }
    return isConnected ? disconnect(.silent, now: now) : finish()
  }

  /// A REST call ends the session.
  mutating func deleted() -> [Action] {
    tellTheEnd("SESSION_DELETED", "the session was ended by DELETE /api/sessions", .deleted)
  }

  /// The gateway stops.
  mutating func stopped() -> [Action] { tellTheEnd("GATEWAY_STOPPING", "the gateway is stopping", .stopping) }

  private mutating func tellTheEnd(_ code: String, _ message: String, _ close: ProductClose) -> [Action] {
    guard !isOver else { return [] }
    let told: [Action] =
      isConnected
      ? [.send(.error(code: code, message: message, conversation: conversation)), .close(close)] : []
    isConnected = false
    return told + finish()
  }

  private mutating func finish() -> [Action] {
    isOver = true
    isConnected = false
    let hadTask = task != .none
    task = .none
    turn = .idle
    queue = []
    held = []
    return hadTask ? [.release, .end] : [.end]
  }

  /// Closes the WebSocket; the session is kept for its time.
  mutating func disconnect(_ reason: ProductClose, now: Instant) -> [Action] {
    guard isConnected else { return [] }
    isConnected = false
    since = now
    return [.close(reason)]
  }

  /// Sends a message to the client, now or when it is back.
  mutating func say(_ message: ServerMessage) -> [Action] {
    guard !isConnected else { return [.send(message)] }
    held.append(message)
    heldBytes += message.cost
    return []
  }
}

/// Why the gateway closes a client's WebSocket.
enum ProductClose: UInt16, Equatable {
  /// REST ended the session.
  case deleted = 1000
  case stopping = 1001
  /// The token has expired.
  case tokenExpired = 4001
  /// The client was silent for too long.
  case silent = 4008
  /// Another WebSocket took the session over.
  case replaced = 4009
}

/// The client's messages.
extension ProductSession {
  /// Handles a message of the client.
  ///
  /// - Parameter verdict: the verdict on the client's token; with `updateToken` on the new token.
  mutating func received(_ message: ClientMessage, verdict: TokenVerdict, now: Instant) -> [Action] {
    guard isConnected else { return [] }
    switch message {
    case .ping: return [.send(.pong)]
    case .updateToken: return [.send(Self.answer(toNewToken: verdict))]
    case .message, .abort, .answerQuestion: break
    }
    if let refusal = verdict.refusal {
      let told = Action.send(.error(code: refusal.code, message: refusal.message, conversation: nil))
      return [told] + disconnect(.tokenExpired, now: now)
    }
    switch message {
    case .message(let prompt): return enqueue(prompt, now: now)
    case .abort: return abort()
    case .answerQuestion(let answer): return answered(answer)
    case .ping, .updateToken: return []
    }
  }

  /// Handles a text frame that is not a message.
  mutating func received(_ mistake: ClientMessage.ParseError) -> [Action] {
    guard isConnected else { return [] }
    return [.send(.error(code: mistake.code.rawValue, message: mistake.message, conversation: nil))]
  }

  private static func answer(toNewToken verdict: TokenVerdict) -> ServerMessage {
    guard let refusal = verdict.refusal else { return .tokenUpdated }
    return .error(code: refusal.code, message: refusal.message, conversation: nil)
  }

  private mutating func enqueue(_ prompt: Prompt, now: Instant) -> [Action] {
    guard queue.count < profile.maximumQueuedMessages, queuedBytes + prompt.cost <= profile.maximumQueuedBytes else {
      return [
        .send(
          .error(
            code: "QUEUE_FULL", message: "\(queue.count) messages wait already: wait for an answer",
            conversation: prompt.conversationID))
      ]
    }
    queue.append(prompt)
    queuedBytes += prompt.cost
    return advance(now: now)
  }

  /// Requests a task where one is needed, and sends it the next message when it is free.
  mutating func advance(now: Instant) -> [Action] {
    guard !queue.isEmpty else { return [] }
    switch task {
    case .starting: return []
    case .none:
      task = .starting
      return [.acquire]
    case .ready:
      guard turn == .idle else { return [] }
      let prompt = dequeue()
      turn = .answering
      conversation = prompt.conversationID
      askedAt = now
      return say(.thinking(conversation: conversation)) + [.give(.message(prompt))]
    }
  }

  private mutating func dequeue() -> Prompt {
    let prompt = queue.removeFirst()
    queuedBytes -= prompt.cost
    return prompt
  }

  /// Ends the running answer or, before there is a task, the first waiting message. An abort after the answer's end has
  /// no effect.
  private mutating func abort() -> [Action] {
    switch turn {
    case .answering, .asking:
      turn = .aborting
      return [.give(.abort)]
    case .aborting: return []
    case .idle:
      guard !queue.isEmpty else { return [] }
      let prompt = dequeue()
      return say(.finish(reason: "aborted", ServerMessage.Usage(), conversation: prompt.conversationID))
    }
  }

  private mutating func answered(_ answer: String) -> [Action] {
    guard case .asking = turn else {
      return [.send(.error(code: "NO_QUESTION", message: "no question waits for an answer", conversation: nil))]
    }
    turn = .answering
    return [.give(.answer(answer))]
  }
}

/// The task's events and the output of its program.
extension ProductSession {
  /// The session has a task, and the task's program runs.
  mutating func taskReady(
    _ id: TaskID, _ source: AssignmentSource, _ breakdown: InitBreakdown, now: Instant
  ) -> [Action] {
    guard task == .starting else { return [] }
    task = .ready
    return say(.taskReady(id, source, breakdown)) + advance(now: now)
  }

  /// The session gets no task: every waiting message is refused, and the next message requests a task again.
  mutating func taskFailed(_ message: String) -> [Action] {
    guard task == .starting else { return [] }
    task = .none
    let refused = queue
    queue = []
    queuedBytes = 0
    var actions: [Action] = []
    for prompt in refused {
      actions += say(
        .error(code: "TASK_RESTART_FAILED", message: message, conversation: prompt.conversationID))
    }
    return actions
  }

  /// The task is gone. The running answer cannot be completed, and waiting messages get a new task. Where there is
  /// neither, the client is not told, and the next message requests a task.
  mutating func taskLost(code: String, message: String, now: Instant) -> [Action] {
    guard task == .ready else { return [] }
    task = .none
    unfinishedLine = ""
    var actions: [Action] = []
    switch turn {
    case .idle: break
    case .aborting: actions = endTurn(.finish(reason: "aborted", ServerMessage.Usage(), conversation: conversation))
    case .answering, .asking:
      actions = endTurn(.error(code: code, message: message, conversation: conversation))
    }
    return actions + advance(now: now)
  }

  /// The program has written a line, or a piece of one. Output without a running question is dropped.
  mutating func taskSaid(_ piece: String, goesOn: Bool, now: Instant) -> [Action] {
    guard task == .ready else { return [] }
    // A line beyond the limit is passed on in pieces of text, so that no text is lost and the memory stays bounded.
    if unfinishedLine.utf8.count + piece.utf8.count > profile.maximumLineBytes {
      let beginning = unfinishedLine
      unfinishedLine = piece
      return turn == .answering ? say(.textDelta(beginning, conversation: conversation)) : []
    }
    unfinishedLine += piece
    guard !goesOn else { return [] }
    let line = unfinishedLine
    unfinishedLine = ""
    return programSaid(ProgramLine(line), now: now)
  }

  private mutating func programSaid(_ line: ProgramLine, now: Instant) -> [Action] {
    switch (line, turn) {
    case (_, .idle), (.nothing, _): return []
    case (.finish(let reason, let usage), _):
      let reason = turn == .aborting ? "aborted" : reason ?? "end_turn"
      let told = endTurn(.finish(reason: reason, usage, conversation: conversation))
      return told + [.answered(since: askedAt)] + advance(now: now)
    case (_, .aborting): return []
    case (.text(let text), _): return say(.textDelta(text, conversation: conversation))
    case (.passedOn(let line), _): return say(.passedOn(line))
    case (.ask(let question), _):
      turn = .asking(question)
      return say(.askQuestion(question, conversation: conversation))
    }
  }

  private mutating func endTurn(_ message: ServerMessage) -> [Action] {
    turn = .idle
    conversation = nil
    return say(message)
  }
}
