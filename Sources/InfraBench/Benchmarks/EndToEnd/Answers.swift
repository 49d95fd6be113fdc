import Dispatch
import Gateway
import Latency
import ProcessControl
import Synchronization

/// One answer of a gateway to a user's message, as far as it has come. Pure: instants, are the caller's.
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
  let askedAt: Instant
  private(set) var firstAt: Instant?
  private(set) var completeAt: Instant?
  /// The longest time between two messages of the answer.
  private(set) var gap: Nanoseconds = .zero
  /// Whether there were two messages, so that there is a gap.
  private(set) var hasGap = false
  /// What the gateway said of the task's origin.
  private(set) var source: String?
  private var lastAt: Instant?

  init(_ role: GatewayProfile.Session, askedAt: Instant) {
    self.role = role
    self.askedAt = askedAt
  }

  var isComplete: Bool { completeAt != nil }

  /// Takes a message; `root` is nil where it is no JSON.
  mutating func take(_ root: JSONNode?, begunAt: Instant, receivedAt: Instant) -> Step {
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
  mutating func begin(_ root: JSONNode?, at receivedAt: Instant) -> Bool {
    firstAt = receivedAt
    lastAt = receivedAt
    if role.done.map({ $0.holds(root) }) ?? true { completeAt = receivedAt }
    return isComplete
  }

  private mutating func noteSilence(until now: Instant) {
    if let lastAt {
      gap = max(gap, now.elapsed(since: lastAt))
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

/// What tells the answer to the user's message from other lines of the user's program.
enum ExpectedAnswer: Sendable {
  /// Nothing does: it is the first line that was begun after the message was sent.
  case anyLine
  /// The stand-in's, which ends in the message.
  case echo
  /// What the user has named (`--expect`).
  case matching(AnswerPattern)

  /// What a run's notes say where lines came before the message, and any line may be the answer.
  static let unaskedNote =
    "users' programs said more than their first line before they were asked: what was taken for the answer to a message "
    + "may be one more such line (--expect names what an answer looks like)"
}

/// A regular expression that users' answers are held against, on a thread of its own: a pattern can take for ever (nested
/// repetitions do), and an event loop must not wait for it.
final class AnswerPattern: Sendable {
  /// What came of holding a line against the pattern.
  enum Finding: Sendable {
    case matches, differs
    /// The caller's own time was over; of the pattern that says nothing.
    case outOfTime
    /// There was no result in time. The thread may be at it for ever, so that there is none for any later line either.
    case tookTooLong
  }

  /// Of the pattern, in bytes.
  static let longest = 1024
  /// More of a line is not looked at, in Unicode scalars.
  private static let mostOfALine = 65_536
  private static let bound: Nanoseconds = .seconds(5)

  /// The pattern, which is used on the queue alone: `Regex` is not Sendable.
  private nonisolated(unsafe) let regex: Regex<AnyRegexOutput>
  private let queue = DispatchQueue(label: "infrabench.expect")
  private let isStuck = Atomic(false)

  /// - Throws: why it is no pattern.
  init(_ text: String) throws {
    regex = try Regex(text)
  }

  /// Whether `line` holds something that matches; waits `bound` at most, and 5 s for the pattern.
  func find(in line: String, within bound: Nanoseconds) async -> Finding {
    guard !isStuck.load(ordering: .relaxed) else { return .tookTooLong }
    let finding = FirstValue<Finding>()
    queue.async { [self] in
      // From here on it is the pattern that takes the time, not the lines before this one.
      let stuck = DispatchWorkItem { [self] in
        isStuck.store(true, ordering: .relaxed)
        finding.give(.tookTooLong)
      }
      DispatchQueue.global().asyncAfter(
        deadline: .now() + .nanoseconds(Int(clamping: Self.bound.nanoseconds)), execute: stuck)
      let isMatch = matches(line)
      stuck.cancel()
      finding.give(isMatch ? .matches : .differs)
    }
    let alarm = DispatchWorkItem { finding.give(.outOfTime) }
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: bound.nanoseconds)), execute: alarm)
    defer { alarm.cancel() }
    return await finding.wait()
  }

  private func matches(_ line: String) -> Bool {
    let isLong = line.utf8.count > Self.mostOfALine
    let text = isLong ? String(line.unicodeScalars.prefix(Self.mostOfALine)) : line
    return (try? regex.firstMatch(in: text)) != nil
  }
}
