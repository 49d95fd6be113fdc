package import ArgumentParser
import FoundationEssentials

/// An option of a tool, as its parser knows it.
package struct ToolOption: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// Given or not, without a value.
    case flag
    /// Given with one value.
    case value
    /// Given any number of times, each time with a value.
    case repeatable
  }

  /// The long name, without dashes.
  package var name: String
  package var kind: Kind

  package init(_ name: String, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }

  /// All options of a command that have a long name, from what ArgumentParser writes for generators of documentation.
  package static func all(of command: any ParsableCommand.Type) -> [ToolOption] {
    // A test checks that every tool's description can be decoded.
    guard let dump = try? JSONDecoder().decode(Dump.self, from: Data(command._dumpHelp().utf8)) else { return [] }
    return dump.command.arguments.compactMap { argument in
      guard argument.kind != "positional", let name = argument.names?.first(where: { $0.kind == "long" })?.name else {
        return nil
      }
      return ToolOption(name, argument.kind == "flag" ? .flag : argument.isRepeating ? .repeatable : .value)
    }
  }

  /// The parts of `ToolInfoV0` that are needed here.
  private struct Dump: Decodable {
    struct Command: Decodable {
      var arguments: [Argument]
    }

    struct Argument: Decodable {
      struct Name: Decodable {
        var kind: String
        var name: String
      }

      var kind: String
      var isRepeating: Bool
      var names: [Name]?
    }

    var command: Command
  }
}

extension ToolOption {
  /// The arguments that give this option a scenario file's value.
  ///
  /// - Throws: Where the option takes no such value.
  func arguments(for value: StrictJSON.Value) throws(ScenarioFileError) -> [String] {
    switch (kind, value) {
    case (.flag, .bool(let isSet)):
      return isSet ? ["--\(name)"] : []
    case (.flag, _):
      throw ScenarioFileError(reason: "it is a flag: write true or false")
    case (.repeatable, .array(let values)):
      var words: [String] = []
      for value in values { words += try pair(value) }
      return words
    default:
      return try pair(value)
    }
  }

  /// The option with its value, written so that the parser reads them together whatever character the value begins
  /// with.
  private func pair(_ value: StrictJSON.Value) throws(ScenarioFileError) -> [String] {
    let text: String
    switch value {
    case .string(let string): text = string
    case .number(let number): text = number
    default:
      let several = kind == .repeatable ? ", or an array of texts" : ""
      throw ScenarioFileError(reason: "it takes a value: write a text or a number\(several)")
    }
    guard !text.utf8.contains(0) else { throw ScenarioFileError(reason: "its text holds U+0000, which no option can") }
    // The parser reads `--name=` with an empty text as no value, and a combining mark would join the equals sign to
    // another Character. So only a text that begins with a dash stands behind an equals sign.
    return text.first == "-" ? ["--\(name)=\(text)"] : ["--\(name)", text]
  }
}

/// Finds the name that a wrong one was meant to be.
enum NearestName {
  /// The candidate with the smallest edit distance, the first of several. Capital letters count as small ones, `_` as
  /// `-`.
  static func of(_ word: String, in candidates: [String]) -> String? {
    let word = plain(word)
    return candidates.min { distance(word, plain($0)) < distance(word, plain($1)) }
  }

  /// The nearest candidate, if it is near enough to be meant: `word` is its beginning, of three letters at least, or at
  /// most a third of the longer one's letters must be edited. Otherwise nil: an unrelated name helps nobody.
  static func near(_ word: String, in candidates: [String]) -> String? {
    let written = plain(word)
    if written.count >= 3, let longer = candidates.first(where: { plain($0).hasPrefix(written) }) { return longer }
    guard let nearest = of(word, in: candidates) else { return nil }
    let longest = max(written.count, nearest.count)
    return 3 * distance(written, plain(nearest)) <= longest ? nearest : nil
  }

  /// The number of insertions, deletions, changes and swaps of neighbours that lead from one to the other, with no
  /// place edited twice (optimal string alignment: https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance).
  static func distance(_ first: String, _ second: String) -> Int {
    let left = Array(first.unicodeScalars)
    let right = Array(second.unicodeScalars)
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      for column in right.indices {
        let change = last[column] + (left[row] == right[column] ? 0 : 1)
        var best = min(change, last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          best = min(best, beforeLast[column - 1] + 1)
        }
        current.append(best)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }

  private static func plain(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" ? "-" : $0 })
  }
}
