import Glibc

/// What goes to some tools only: thresholds, and a file with an object for each tool.
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
          "'\(PlainText.line(String(expression.prefix(80))))': \(nobody(known, "metric or counter"))")
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

  /// Checks the objects that the scenario file has for tools that are left out, and says that they are not used. To be called
  /// when nothing more is left out.
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
          + "\(OptionReader.list(names.map(PlainText.line), "and")) \(names.count == 1 ? "is" : "are") not used")
    }
    return notes
  }

  /// Why something that `known` know goes to nobody.
  func nobody(_ known: [Draft], _ what: String) -> String {
    guard !known.isEmpty else { return "no tool of the suite has this \(what)" }
    let names = known.map { draft in
      draft.skipReason.map { "\(draft.name), which is skipped (\($0))" } ?? "\(draft.name) (with --cold-by run-task)"
    }
    return "only \(OptionReader.list(names, "and")) \(known.count == 1 ? "has" : "have") it"
  }
}
