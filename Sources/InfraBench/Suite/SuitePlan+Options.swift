import Glibc

/// What goes to some tools only: thresholds, a file with an object for each tool, and the words behind `--`.
extension SuitePlan {
  /// Gives each threshold to the tools that have its metric or counter.
  mutating func give(thresholds: [String], _ problems: inout Problems) {
    for expression in thresholds {
      let known = drafts.filter { draft in
        do throws(ThresholdError) {
          _ = try ThresholdParser(draft.tool.catalogue).parse(expression)
          return true
        } catch {
          // What else is wrong with it the tool says itself.
          return !error.isUnknownName
        }
      }
      if known.contains(where: \.isRun) {
        give("threshold", expression, to: known.map(\.tool.name))
      } else {
        problems.add(
          "--threshold",
          "'\(PlainText.line(String(expression.prefix(80))))': \(Self.nobody(known, "metric or counter"))")
      }
    }
  }

  /// Gives every tool the file, which has an object for each of them.
  mutating func give(scenarioFile path: String, _ problems: inout Problems) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      return problems.add(
        "--scenario",
        "\(ScenarioFileContents.quoted(path)) is no ordinary file, and every tool reads it: write it to one")
    }
    do throws(ScenarioFileError) {
      for member in try ScenarioFileContents.suiteMembers(ofFileAt: path) {
        note(Set(member.value.map(\.key)), to: member.key)
      }
      give("scenario", path)
    } catch {
      problems.add("--scenario", error.reason)
    }
  }

  /// Options that bench-suite gives itself.
  private static let ownOptions = ["output-dir", "repeat", "label", "format", "threshold", "scenario"]
  private static let senseless = ["help", "version"]

  /// Gives each option behind `--` to the tools that know it.
  mutating func give(further words: [String], _ problems: inout Problems) {
    var rest = words[...]
    while let word = rest.popFirst() {
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard word.hasPrefix("--"), let name = parts.first, !name.isEmpty else {
        problems.add(
          "--",
          "'\(PlainText.line(String(word.prefix(80))))' is no option: write tools' options by their long names here")
        continue
      }
      let known = drafts.filter { $0.tool.option(named: name) != nil }
      let takesValue = known.first?.tool.option(named: name)?.kind != .flag
      var option = [word]
      if takesValue, parts.count == 1, let value = rest.first, !known.isEmpty || !value.hasPrefix("--") {
        rest.removeFirst()
        option.append(value)
      }
      if Self.ownOptions.contains(name) || Self.senseless.contains(name) {
        problems.add(
          "--\(name)",
          "behind '--' it can't be given: \(Self.ownOptions.contains(name) ? "write it before that" : "leave it out")")
      } else if !known.contains(where: \.isRun) {
        let all = Set(SuiteTool.all.flatMap { $0.options.map(\.name) }).sorted()
        let nearest = known.isEmpty ? NearestName.near(name, in: all).map { ": did you mean '--\($0)'?" } ?? "" : ""
        problems.add("--\(PlainText.line(String(name.prefix(80))))", Self.nobody(known, "option") + nearest)
      } else {
        takenOptions.insert(name)
      }
      // Each tool once, however many runs of it there are: all of them get it.
      for tool in Set(known.map(\.tool.name)) {
        give(words: option, to: tool)
        note([name], to: tool)
      }
    }
  }

  /// Adds the options behind `--` that go to nobody, because the tools that took them were left out afterwards. To be called
  /// when nothing more is left out.
  func checkTakers(_ problems: inout Problems) {
    for name in takenOptions.sorted() {
      let known = drafts.filter { $0.tool.option(named: name) != nil }
      if !known.contains(where: \.isRun) { problems.add("--\(name)", Self.nobody(known, "option")) }
    }
  }

  /// Why something that `known` know goes to nobody.
  private static func nobody(_ known: [Draft], _ what: String) -> String {
    guard !known.isEmpty else { return "no tool of the suite has this \(what)" }
    let names = known.map { "\($0.name), which is skipped (\($0.skipReason ?? ""))" }
    return "only \(OptionReader.list(names, "and")) \(known.count == 1 ? "has" : "have") it"
  }
}
