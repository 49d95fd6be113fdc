import Gateway

/// One answer of a gateway to a user's message, as far as it has come. Pure: instants, in ns, are the caller's.
struct StreamedAnswer {
  /// What a message is within the answer.
  enum Step: Equatable {
    /// Nothing that matters: it was begun before the question, or says nothing of the answer.
    case other
    /// It may be the first response: the caller says so by ``begin(at:)``.
    case mayBeFirst
    /// A part of the answer after the first one.
    case part
    /// The gateway asks something and waits.
    case asked
    /// The answer is whole.
    case complete
    /// The gateway says that it is over before anything of it came.
    case endedEmpty
    /// An error of the gateway's.
    case failed(code: String, text: String)
  }

  private let role: GatewayProfile.Session
  let askedAt: UInt64
  private(set) var firstAt: UInt64?
  private(set) var completeAt: UInt64?
  /// The longest time between two messages of the answer.
  private(set) var gap: UInt64 = 0
  /// Whether there were two messages, so that there is a gap.
  private(set) var hasGap = false
  /// What the gateway said of the task's origin.
  private(set) var source: String?
  private var lastAt: UInt64?

  init(_ role: GatewayProfile.Session, askedAt: UInt64) {
    self.role = role
    self.askedAt = askedAt
  }

  var isComplete: Bool { completeAt != nil }

  /// Takes a message; `root` is nil where it is no JSON.
  mutating func take(_ root: JSONNode?, begunAt: UInt64, receivedAt: UInt64) -> Step {
    if let root {
      if role.error?.holds(root) ?? false { return .failed(role.failure(in: root)) }
      if source == nil { source = role.source?.text(in: root) }
    }
    guard begunAt >= askedAt, !isComplete else { return .other }
    if role.asked?.holds(root) ?? false {
      if firstAt != nil { noteSilence(until: receivedAt) }
      return .asked
    }
    if firstAt == nil {
      if role.first.holds(root) { return .mayBeFirst }
      return role.done?.holds(root) ?? false ? .endedEmpty : .other
    }
    noteSilence(until: receivedAt)
    guard role.done?.holds(root) ?? false else { return .part }
    completeAt = receivedAt
    return .complete
  }

  /// The message of the step ``Step/mayBeFirst`` is the first response. True where it is also all of the answer.
  mutating func begin(_ root: JSONNode?, at receivedAt: UInt64) -> Bool {
    firstAt = receivedAt
    lastAt = receivedAt
    if role.done.map({ $0.holds(root) }) ?? true { completeAt = receivedAt }
    return isComplete
  }

  private mutating func noteSilence(until now: UInt64) {
    if let lastAt {
      gap = max(gap, now - min(lastAt, now))
      hasGap = true
    }
    lastAt = now
  }
}

extension StreamedAnswer.Step {
  fileprivate static func failed(_ failure: (code: String, text: String)) -> Self {
    .failed(code: failure.code, text: failure.text)
  }
}

extension GatewayProfile.Session {
  /// What an error says: its code, or that it has none, and its text.
  func failure(in root: JSONNode) -> (code: String, text: String) {
    (errorCode?.text(in: root) ?? "UNKNOWN", errorText?.text(in: root) ?? "no message")
  }

  /// Whether answers come in parts whose end the gateway tells.
  var isStreamed: Bool { done != nil }

  /// Whether a user is known by its token.
  var needsToken: Bool { has(.token) }

  /// Whether the task is to be acquired by REST before the session is opened.
  var needsTask: Bool { has(.task) }

  /// Whether anything that a user sends has a place for it.
  private func has(_ placeholder: ProfileTemplate.Placeholder) -> Bool {
    var templates = [path, send] + opening
    templates += headers.map(\.value)
    templates += [answer, ping?.send, returning?.path].compactMap(\.self)
    return templates.contains { $0.placeholders.contains(placeholder) }
  }
}

extension GatewayProfile {
  /// Whether a call or the session has a place for the user's token.
  var needsToken: Bool {
    let ofCalls = [
      acquire?.call.path, acquire?.call.body, acquire?.bodyWaiting, release?.call.path, release?.call.body,
    ]
    return ofCalls.compactMap(\.self).contains { $0.placeholders.contains(.token) } || session?.needsToken ?? false
  }
}
