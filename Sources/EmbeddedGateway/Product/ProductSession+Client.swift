/// What the client says.
extension ProductSession {
  /// A message of the client.
  ///
  /// - Parameter verdict: on the client's token; with `updateToken` on the new one.
  mutating func received(_ message: ClientMessage, verdict: TokenVerdict, now: UInt64) -> [Action] {
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

  /// A text frame that is no message.
  mutating func received(_ mistake: ClientMessage.Mistake) -> [Action] {
    guard isConnected else { return [] }
    return [.send(.error(code: mistake.code.rawValue, message: mistake.message, conversation: nil))]
  }

  private static func answer(toNewToken verdict: TokenVerdict) -> ServerMessage {
    guard let refusal = verdict.refusal else { return .tokenUpdated }
    return .error(code: refusal.code, message: refusal.message, conversation: nil)
  }

  private mutating func enqueue(_ prompt: Prompt, now: UInt64) -> [Action] {
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

  /// Gets a task where one is needed, and gives it the next message when it is free.
  mutating func advance(now: UInt64) -> [Action] {
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

  /// Ends the answer under way; before there is a task, the first message that waits. An abort that comes after the answer's
  /// end has nothing to do.
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
