import Glibc
import Results
import TextFormatting

/// Arguments for some tools only: thresholds, and a scenario file with an object for each tool.
extension SuitePlan {
  /// Gives each threshold to the tools that have its metric or counter.
  mutating func give(thresholds: [String], _ problems: inout Problems) {
    for expression in thresholds {
      let known = drafts.filter { draft in
        do throws(ThresholdError) {
          _ = try ThresholdParser(draft.tool.description).parse(expression)
          return true
        } catch {
          // The tool itself reports what else is wrong with the expression.
          return !error.isUnknownName
        }
      }
      if known.contains(where: \.isRun) {
        give("threshold", expression, to: known.map(\.tool.name))
      } else {
        problems.add(
          "--threshold",
          "'\(PlainText.line(String(expression.prefix(80))))': \(nobody(known, "metric or counter"))")
      }
    }
  }

  /// Gives the file, which has an object for each tool, to every tool.
  mutating func give(scenarioFile path: String, _ problems: inout Problems) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      return problems.add(
        "--scenario",
        "\(ScenarioFileContents.quoted(path)) is no ordinary file, and every tool reads it: write it to one")
    }
    do throws(ScenarioFileError) {
      let file = try ScenarioFileContents.ofSuite(atPath: path)
      for problem in file.problems { problems.add("--scenario", problem) }
      guard !file.tools.isEmpty else { return }
      for tool in file.tools { note(Set(tool.value.map(\.key)), to: tool.key) }
      scenarioFile = (path, file)
      give("scenario", path)
    } catch {
      problems.add("--scenario", error.reason)
    }
  }

  /// Checks the scenario file's objects for tools that are left out, and notes that they are not used. Call it when
  /// nothing more is left out.
  func unusedObjects(_ problems: inout Problems) -> [String] {
    guard let (path, file) = scenarioFile else { return [] }
    var notes: [String] = []
    for draft in drafts where draft.profile == nil {
      let names = file.tools.first { $0.key == draft.tool.name }?.value.map(\.key) ?? []
      guard let reason = draft.skipReason, !names.isEmpty else { continue }
      let found = draft.tool.problems(inScenarioFile: path).sentences.filter { !problems.sentences.contains($0) }
      for sentence in found { problems.add(whole: "\(sentence) (\(draft.tool.name))") }
      notes.append(
        "\(ScenarioFileContents.quoted(path)) has options for \(draft.tool.name), which is skipped (\(reason)): "
          + "\(PlainText.list(names.map(PlainText.line), "and")) \(names.count == 1 ? "is" : "are") not used")
    }
    return notes
  }

  /// Why `what`, which the tools in `known` have, goes to no tool.
  func nobody(_ known: [Draft], _ what: String) -> String {
    guard !known.isEmpty else { return "no tool of the suite has this \(what)" }
    let names = known.map { draft in
      draft.skipReason.map { "\(draft.name), which is skipped (\($0))" } ?? "\(draft.name) (with --cold-by run-task)"
    }
    return "only \(PlainText.list(names, "and")) \(known.count == 1 ? "has" : "have") it"
  }
}

/// The options behind `--`.
extension SuitePlan {
  /// Options that bench-suite gives its tools itself.
  private static let ownOptions = ["output-dir", "repeat", "label", "format", "threshold", "scenario"]
  private static let senseless = ["help", "version"]

  /// Gives each option behind `--` to the tools that know it and have a use for it.
  mutating func give(further words: [String], _ problems: inout Problems) {
    let options = options(in: words, &problems)
    // This option decides which other options a tool uses, wherever it stands.
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
      // By name, because a tool may have several runs.
      for name in Set(takers.map(\.tool.name)) {
        give(words: option.words, to: name)
        note([option.name], to: name)
      }
    }
  }

  /// Splits the words behind `--` into options with their values, by the rules of the tools' own parser: a word that
  /// begins with a dash is never the value of the word before it.
  private func options(
    in words: [String], _ problems: inout Problems
  ) -> [(name: String, words: [String])] {
    var options: [(name: String, words: [String])] = []
    var rest = words[...]
    // Behind `--header` a word may be part of the header's value, which is a secret.
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

  /// Those of ``knowing(_:)`` that use the option. An option for tasks that a tool starts by ECS goes only to a tool
  /// that starts tasks.
  private func takers(of option: String) -> [Draft] {
    knowing(option).filter { !$0.tool.isForRunTask(option) || $0.optionNames.contains("cold-by") }
  }

  /// Reports options behind `--` that go to no tool, because the tools that took them were left out afterwards. Call it
  /// when nothing more is left out.
  func checkTakers(_ problems: inout Problems) {
    for name in takenOptions.sorted() where !takers(of: name).contains(where: \.isRun) {
      problems.add("--\(name)", nobody(knowing(name), "option"))
    }
  }
}
