import Gateway

/// What becomes of the task, and what its program says.
extension ProductSession {
  /// There is a task, and its program runs.
  mutating func taskReady(
    _ id: TaskID, _ source: AssignmentSource, _ breakdown: InitBreakdown, now: UInt64
  ) -> [Action] {
    guard task == .starting else { return [] }
    task = .ready
    return say(.taskReady(id, source, breakdown)) + advance(now: now)
  }

  /// There will be no task: whatever waits for one is refused, and the next message asks for one anew.
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

  /// The task is gone: the answer under way can't be completed, messages that wait get a new task. Without any of these
  /// nobody is told, and the next message starts a task.
  mutating func taskLost(code: String, message: String, now: UInt64) -> [Action] {
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

  /// The program has written a line, or a piece of one. What it writes while nobody asks it is passed over.
  mutating func taskSaid(_ piece: String, goesOn: Bool, now: UInt64) -> [Action] {
    guard task == .ready else { return [] }
    // A line without end is passed on in pieces of text: nothing of an answer is lost, and nothing grows for ever.
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

  private mutating func programSaid(_ line: ProgramLine, now: UInt64) -> [Action] {
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
