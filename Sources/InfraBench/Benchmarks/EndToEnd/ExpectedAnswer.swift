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
