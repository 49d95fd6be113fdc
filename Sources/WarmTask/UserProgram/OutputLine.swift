/// A line of a user's program, or a piece of one that is longer than the bound.
struct OutputLine: Sendable, Equatable {
  var text: String
  /// Whether the line goes on in the next one.
  var goesOn = false
}

extension OutputLine: ExpressibleByStringLiteral {
  /// A whole line.
  init(stringLiteral text: String) { self.init(text: text) }
}
