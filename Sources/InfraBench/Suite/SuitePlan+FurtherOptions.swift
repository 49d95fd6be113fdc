/// The options behind `--`, each of which goes to the tools that know it and have a use for it.
extension SuitePlan {
  /// Options that bench-suite gives itself.
  private static let ownOptions = ["output-dir", "repeat", "label", "format", "threshold", "scenario"]
  private static let senseless = ["help", "version"]

  /// Gives each option behind `--` to the tools that know it and have a use for it.
  mutating func give(further words: [String], _ problems: inout Problems) {
    let options = options(in: words, &problems)
    // Which options a tool has a use for depends on this one, wherever it stands.
    for option in options where option.name == "cold-by" {
      for draft in knowing(option.name) { note([option.name], to: draft.tool.name) }
    }
    for option in options {
      let takers = takers(of: option.name)
      if Self.ownOptions.contains(option.name) || Self.senseless.contains(option.name) {
        let remedy = Self.ownOptions.contains(option.name) ? "write it before that" : "leave it out"
        problems.add("--\(option.name)", "behind '--' it can't be given: \(remedy)")
      } else if !takers.contains(where: \.isRun) {
        let known = knowing(option.name)
        let all = Set(SuiteTool.all.flatMap { $0.options.map(\.name) }).sorted()
        let nearest =
          known.isEmpty ? NearestName.near(option.name, in: all).map { ": did you mean '--\($0)'?" } ?? "" : ""
        problems.add("--\(PlainText.line(String(option.name.prefix(80))))", nobody(known, "option") + nearest)
      } else {
        takenOptions.insert(option.name)
      }
      // By name: a tool may have several runs.
      for name in Set(takers.map(\.tool.name)) {
        give(words: option.words, to: name)
        note([option.name], to: name)
      }
    }
  }

  /// The words behind `--` as options with their values, as the tools' own parser reads them: what begins with a dash is never
  /// the value of the word before.
  private func options(
    in words: [String], _ problems: inout Problems
  ) -> [(name: String, words: [String])] {
    var options: [(name: String, words: [String])] = []
    var rest = words[...]
    // From there on a word may be part of a header's value, which is a secret.
    var isBehindHeader = false
    var hasSecretWord = false
    while let word = rest.popFirst() {
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard word.hasPrefix("--"), let name = parts.first, !name.isEmpty else {
        if isBehindHeader {
          hasSecretWord = true
          continue
        }
        problems.add(
          "--",
          "'\(PlainText.line(String(word.prefix(80))))' is no option: write tools' options by their long names here")
        continue
      }
      isBehindHeader = isBehindHeader || name == "header" || NearestName.near(name, in: ["header"]) != nil
      var option = [word]
      let takesValue = knowing(name).first?.tool.option(named: name)?.kind != .flag
      if takesValue, parts.count == 1, let value = rest.first, value.first != "-" || value == "-" {
        rest.removeFirst()
        option.append(value)
      }
      options.append((name, option))
    }
    if hasSecretWord {
      problems.add("--", "a word behind --header is no option: a value with blanks needs quotes")
    }
    return options
  }

  private func knowing(_ option: String) -> [Draft] { drafts.filter { $0.tool.option(named: option) != nil } }

  /// Those of ``knowing(_:)`` that have a use for it: what is there for tasks which a tool starts by ECS goes to a tool that
  /// starts some.
  private func takers(of option: String) -> [Draft] {
    knowing(option).filter { !$0.tool.isForRunTask(option) || $0.optionNames.contains("cold-by") }
  }

  /// Adds the options behind `--` that go to nobody, because the tools that took them were left out afterwards. To be called
  /// when nothing more is left out.
  func checkTakers(_ problems: inout Problems) {
    for name in takenOptions.sorted() where !takers(of: name).contains(where: \.isRun) {
      problems.add("--\(name)", nobody(knowing(name), "option"))
    }
  }
}
