import Dispatch
import ProcessControl
import Synchronization

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
  /// In ns.
  private static let bound: UInt64 = 5_000_000_000

  /// The pattern, which is used on the queue alone: `Regex` is not Sendable.
  private nonisolated(unsafe) let regex: Regex<AnyRegexOutput>
  private let queue = DispatchQueue(label: "infrabench.expect")
  private let isStuck = Atomic(false)

  /// - Throws: why it is no pattern.
  init(_ text: String) throws {
    regex = try Regex(text)
  }

  /// Whether `line` holds something that matches; waits `bound` ns at most, and 5 s for the pattern.
  func find(in line: String, within bound: UInt64) async -> Finding {
    guard !isStuck.load(ordering: .relaxed) else { return .tookTooLong }
    let finding = FirstValue<Finding>()
    queue.async { [self] in
      // From here on it is the pattern that takes the time, not the lines before this one.
      let stuck = DispatchWorkItem { [self] in
        isStuck.store(true, ordering: .relaxed)
        finding.give(.tookTooLong)
      }
      DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: Self.bound)), execute: stuck)
      let isMatch = matches(line)
      stuck.cancel()
      finding.give(isMatch ? .matches : .differs)
    }
    let alarm = DispatchWorkItem { finding.give(.outOfTime) }
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: bound)), execute: alarm)
    defer { alarm.cancel() }
    return await finding.wait()
  }

  private func matches(_ line: String) -> Bool {
    let isLong = line.utf8.count > Self.mostOfALine
    let text = isLong ? String(line.unicodeScalars.prefix(Self.mostOfALine)) : line
    return (try? regex.firstMatch(in: text)) != nil
  }
}
