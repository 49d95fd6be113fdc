import Dispatch
import Gateway
import Latency
import ProcessControl
import Synchronization

/// One answer of a gateway to a user's message, as far as it has come. Pure: the caller gives the instants.
struct StreamedAnswer {
  /// The meaning of a message within the answer.
  enum Step: Equatable {
    /// No part of the answer: it began before the question, or is of another kind.
    case other
    /// It may be the first response: the caller decides, and then calls ``begin(_:at:)``.
    case mayBeFirst
    /// A part of the answer after the first one.
    case part
    /// The gateway asks a question and waits.
    case asked
    /// The answer is complete.
    case complete
    /// The gateway ends the answer before any part of it came.
    case endedEmpty
    /// The gateway reports an error.
    case failed(code: String, text: String)
  }

  private let session: SharedRole<GatewayProfile.Session>
  private var role: GatewayProfile.Session { session.role }
  let askedAt: Instant
  private(set) var firstAt: Instant?
  private(set) var completeAt: Instant?
  /// The longest time between two messages of the answer.
  private(set) var gap: Nanoseconds = .zero
  /// Whether the answer had two messages, so that there is a gap.
  private(set) var hasGap = false
  /// What the gateway told about the task's origin; nil if nothing.
  private(set) var source: String?
  private var lastAt: Instant?

  init(_ session: SharedRole<GatewayProfile.Session>, askedAt: Instant) {
    self.session = session
    self.askedAt = askedAt
  }

  var isComplete: Bool { completeAt != nil }

  /// Takes a message; `root` is nil where it is not JSON.
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

  /// Takes a message of the step ``Step/mayBeFirst`` as the first response. True where it is the complete answer too.
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
  /// An error's code, or a code that says that it has none, and its text.
  func failure(in root: JSONNode) -> (code: String, text: String) {
    (errorCode?.text(in: root) ?? "UNKNOWN", errorText?.text(in: root) ?? "no message")
  }

  /// Whether answers come in parts, with a message that ends them.
  var isStreamed: Bool { done != nil }

  /// Whether anything that a user sends contains the user's token.
  var needsToken: Bool { has(.token) }

  /// Whether the task must be acquired by REST before the session is opened.
  var needsTask: Bool { has(.task) }

  /// Whether anything that a user sends contains this placeholder.
  private func has(_ placeholder: ProfileTemplate.Placeholder) -> Bool {
    var templates = [path, send] + opening
    templates += headers.map(\.value)
    templates += [answer, ping?.send, returning?.path].compactMap(\.self)
    return templates.contains { $0.placeholders.contains(placeholder) }
  }
}

extension GatewayProfile {
  /// Whether a call or the session contains the user's token.
  var needsToken: Bool {
    let ofCalls = [
      acquire?.call.path, acquire?.call.body, acquire?.bodyWaiting, release?.call.path, release?.call.body,
    ]
    return ofCalls.compactMap(\.self).contains { $0.placeholders.contains(.token) } || session?.needsToken ?? false
  }
}

/// How the answer to the user's message is told from other lines of the user's program.
enum ExpectedAnswer: Sendable {
  /// It cannot be told: the first line that began after the message was sent is the answer.
  case anyLine
  /// The stand-in's answer ends with the message.
  case echo
  /// The answer matches the user's pattern (`--expect`).
  case matching(AnswerPattern)

  /// The note where lines came before the message, so that the line taken as the answer may be another one.
  static let unaskedNote =
    "users' programs said more than their first line before they were asked: what was taken for the answer to a message "
    + "may be one more such line (--expect names what an answer looks like)"
}

/// A regular expression that answers are matched against. A pattern can take for ever (nested repetitions do), and an
/// event loop must not wait for it, so that it runs on a thread of its own.
final class AnswerPattern: Sendable {
  /// The outcome of matching a line.
  enum Finding: Sendable {
    case matches, differs
    /// The caller's own time is over, which tells nothing about the pattern.
    case outOfTime
    /// The pattern took too long for a line. Its thread may never come back, so that no later line gets a result
    /// either.
    case tookTooLong
  }

  /// The longest pattern, in bytes.
  static let longest = 1024
  /// The longest part of a line that is searched, in Unicode scalars.
  private static let mostOfALine = 65_536
  private static let bound: Nanoseconds = .seconds(5)

  /// The pattern. It is used only on the queue, as `Regex` is not Sendable.
  private nonisolated(unsafe) let regex: Regex<AnyRegexOutput>
  private let queue = DispatchQueue(label: "infrabench.expect")
  private let isStuck = Atomic(false)

  /// - Throws: the error in the pattern.
  init(_ text: String) throws {
    regex = try Regex(text)
  }

  /// Whether a part of `line` matches; waits at most `bound`, and at most 5 s for the pattern itself.
  func find(in line: String, within bound: Nanoseconds) async -> Finding {
    guard !isStuck.load(ordering: .relaxed) else { return .tookTooLong }
    let finding = FirstValue<Finding>()
    queue.async { [self] in
      // From here on the time is the pattern's, not that of earlier lines in the queue.
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
