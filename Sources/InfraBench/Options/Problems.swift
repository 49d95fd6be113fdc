/// Everything that is wrong with what the user wrote, collected so that it is said all at once.
package struct Problems: Error, Equatable, CustomStringConvertible {
  /// One sentence each, naming the option and what to write instead.
  package private(set) var sentences: [String] = []

  package init() {}

  package var isEmpty: Bool { sentences.isEmpty }

  /// Notes that `option` is wrong.
  package mutating func add(_ option: String, _ sentence: String) {
    sentences.append("\(option): \(sentence)")
  }

  /// All of it, a line each.
  package var description: String { sentences.map { "error: \($0)\n" }.joined() }
}
