/// Everything that is wrong with what the user wrote, collected so that it is said all at once.
package struct Problems: Error, Equatable, CustomStringConvertible {
  /// One sentence each, with the option's name and what to write instead.
  package private(set) var sentences: [String] = []
  /// A gateway that a tool is to drain without a confirmation.
  struct UnconfirmedDrain: Equatable {
    var host: String
    /// The element of ``sentences`` that reports it.
    var sentence: String
  }
  private(set) var unconfirmedDrains: [UnconfirmedDrain] = []
  /// The options that ``sentences`` are about.
  private var options: Set<String> = []
  /// Options, with dashes, whose values came from a scenario file; messages about them name the file.
  var namesFromFile: Set<String> = []
  /// The scenario file in quotation marks.
  var fileName = ""

  package init() {}

  package var isEmpty: Bool { sentences.isEmpty }

  /// Whether there is a sentence about `option`.
  func names(_ option: String) -> Bool { options.contains(option) }

  /// Notes that `option` is wrong.
  package mutating func add(_ option: String, _ sentence: String) {
    add(option, in: namesFromFile.contains(option) ? fileName : nil, sentence)
  }

  /// Notes that `option` is wrong in `file`.
  mutating func add(_ option: String, in file: String?, _ sentence: String) {
    options.insert(option)
    sentences.append("\(option)\(file.map { " (in \($0))" } ?? ""): \(sentence)")
  }

  /// Notes that the drain of a gateway has to be confirmed.
  mutating func addUnconfirmedDrain(of host: String) {
    add(
      "--confirm-drain", "draining takes tasks from the users of this gateway: confirm it with --confirm-drain \(host)")
    unconfirmedDrains.append(.init(host: host, sentence: sentences[sentences.count - 1]))
  }

  /// Notes a sentence that already names its option.
  mutating func add(whole sentence: String) { sentences.append(sentence) }

  /// All sentences, a line each.
  package var description: String { sentences.map { "error: \($0)\n" }.joined() }
}
