import Latency
import Synchronization

/// The suite's own program in a user's task, asked to do what a user could do: `session-stand-in --verbs`.
struct StandIn: Sendable {
  let visit: UserVisit

  /// The program in the user's task, if it is the stand-in; nil: it answered otherwise.
  ///
  /// - Throws: Where it did not answer.
  static func find(in visit: UserVisit) async throws(VisitFailure) -> StandIn? {
    let tag = newTag()
    let speech = Speech()
    // A program that echoes shows at once that it is another one. Of any other program something else comes, and then
    // nothing; but a line of another user's program, which a gateway may bring by a fault, shows nothing.
    let outcome = await withTaskGroup(of: Result<String, VisitFailure>?.self) { group in
      group.addTask {
        await Result { () async throws(VisitFailure) in
          try await visit.ask("\(tag) whoami") { text in
            speech.hasBegun.store(true, ordering: .relaxed)
            return StandInAnswer(text, tag: tag) != nil || text.contains("\(tag) whoami")
          }.text
        }
      }
      group.addTask {
        while !speech.hasBegun.load(ordering: .relaxed), (try? await Task.sleep(for: .milliseconds(50))) != nil {}
        try? await Task.sleep(for: patience)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
    switch outcome {
    case nil: return nil
    case .success(let text)?: return StandInAnswer(text, tag: tag)?.isOk == true ? StandIn(visit: visit) : nil
    case .failure(let error)?:
      if error.code == "wrong_answer" { return nil }
      throw error
    }
  }

  /// Whether the program has said anything.
  private final class Speech: Sendable {
    let hasBegun = Atomic(false)
  }

  /// How long the stand-in may take after the first message of any program.
  private static let patience: Nanoseconds = .seconds(5)

  /// The number of a request, unlike that of any other request of any run.
  private static func newTag() -> String { "~\(UInt64.random(in: 1_000_000_000...UInt64.max))" }

  /// Makes a request, and waits for the answer with its number.
  func ask(_ words: String...) async throws(VisitFailure) -> StandInAnswer { try await ask(words) }

  func ask(_ words: [String]) async throws(VisitFailure) -> StandInAnswer {
    let tag = Self.newTag()
    let answer = try await visit.ask(([tag] + words).joined(separator: " ")) { text in
      StandInAnswer(text, tag: tag) != nil
    }
    return StandInAnswer(answer.text, tag: tag) ?? StandInAnswer(isOk: false, words: ["not_understood"])
  }
}

/// An answer of the stand-in: `ok` or an error by its name in `errno.h`, and what follows.
struct StandInAnswer: Sendable, Equatable {
  var isOk: Bool
  /// What follows the `ok` or `error`.
  var words: [String]

  init(isOk: Bool, words: [String]) {
    self.isOk = isOk
    self.words = words
  }

  /// Finds the answer with the number `tag` in the text of messages, which may be JSON; nil where it is not there.
  init?(_ text: String, tag: String) {
    for start in text.ranges(of: tag + " ") {
      let words = text[start.upperBound...].prefix { $0 != "\"" && !$0.isNewline }.split(separator: " ").map(
        String.init)
      guard let first = words.first, first == "ok" || first == "error" else { continue }
      self.init(isOk: first == "ok", words: Array(words.dropFirst()))
      return
    }
    return nil
  }

  /// The value of `name=value` in the answer.
  subscript(name: String) -> String? {
    words.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
  }

  var first: String { words.first ?? "" }

  /// The answer for people.
  var text: String { isOk ? "ok" + words.map { " \($0)" }.joined() : first }
}
