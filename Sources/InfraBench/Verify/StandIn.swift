import Latency

/// The suite's own program in a user's task, asked to do what a user could do: `session-stand-in --verbs`.
struct StandIn: Sendable {
  let visit: UserVisit

  /// The program in the user's task, if it is the stand-in; nil: it answered otherwise.
  ///
  /// - Throws: Where it did not answer.
  static func find(in visit: UserVisit) async throws(VisitFailure) -> StandIn? {
    let standIn = StandIn(visit: visit)
    // A line of another user's program, by a gateway's fault, may come first: so it is tried again.
    for _ in 0..<3 where try await standIn.ask("whoami", takesAny: true).isOk { return standIn }
    return nil
  }

  /// Makes a request, and waits for its answer.
  ///
  /// - Parameter takesAny: any answer ends the wait; else it is the one with the request's number.
  func ask(_ words: String..., takesAny: Bool = false) async throws(VisitFailure) -> StandInAnswer {
    try await ask(words, takesAny: takesAny)
  }

  func ask(_ words: [String], takesAny: Bool = false) async throws(VisitFailure) -> StandInAnswer {
    // The number is unlike that of any other request of any run.
    let tag = "~\(UInt64.random(in: 1_000_000_000...UInt64.max))"
    let answer = try await visit.ask(([tag] + words).joined(separator: " ")) { text in
      takesAny || StandInAnswer(text, tag: tag) != nil
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
