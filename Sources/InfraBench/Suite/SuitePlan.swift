import FoundationEssentials
import Glibc

/// Which tools of the suite are run and with which arguments, while that is being found out.
struct SuitePlan {
  /// One tool's part.
  struct Draft {
    let tool: SuiteTool
    /// The gateway profile of a further run of the tool, which it is told apart by; nil: the tool's usual run.
    var profile: String?
    var skipReason: String?
    /// Whether it was asked for by name: then what stands against it is an error and no reason to leave it out.
    var isAskedFor = false
    /// What it is given beside its usual size.
    var words: [String] = []
    /// Options that a scenario file or the words behind `--` give, by long name.
    var optionNames: Set<String> = []

    var isRun: Bool { skipReason == nil }

    /// What it is called in messages: `bench-e2e (PROFILE)`.
    var name: String { tool.name + (profile.map { " (\($0))" } ?? "") }
  }

  let environment: [String: String]
  let now: Date
  let size: SuiteSize
  /// `--label`; nil without one.
  let label: String?
  var drafts = SuiteTool.all.map { Draft(tool: $0) }
  /// Options behind `--`, by long name, that a tool took which was to be run then.
  var takenOptions: Set<String> = []
  /// The file of `--scenario`, where it can be given to tools.
  var scenarioFile: (path: String, contents: ScenarioFileContents.OfSuite)?

  init(environment: [String: String], now: Date, size: SuiteSize, label: String? = nil) {
    self.environment = environment
    self.now = now
    self.size = size
    self.label = label
  }

  /// As they are run.
  var tools: [PlannedTool] {
    drafts.map { draft in
      PlannedTool(
        name: draft.tool.name, arguments: arguments(of: draft), keepsFiles: draft.optionNames.contains("keep"),
        skipReason: draft.skipReason, label: draft.profile.map(labelled))
    }
  }

  private func arguments(of draft: Draft) -> [String] {
    draft.words + size.words(for: draft.tool.name, beside: draft.optionNames)
  }

  // MARK: Which tools are run

  /// Leaves tools out, by the names that an option gives.
  mutating func skip(_ names: [String], _ option: String, _ problems: inout Problems) {
    for name in known(names, option, &problems) { skip(name, option) }
  }

  mutating func skip(_ name: String, _ reason: String) {
    for index in drafts.indices where drafts[index].tool.name == name && drafts[index].isRun {
      drafts[index].skipReason = reason
    }
  }

  /// Leaves all others out; nothing where no name is given.
  mutating func only(_ names: [String], _ option: String, _ problems: inout Problems) {
    let known = known(names, option, &problems)
    guard !known.isEmpty else { return }
    for index in drafts.indices {
      drafts[index].isAskedFor = known.contains(drafts[index].tool.name)
      if !drafts[index].isAskedFor { skip(drafts[index].tool.name, option) }
    }
  }

  private func known(_ names: [String], _ option: String, _ problems: inout Problems) -> [String] {
    for name in names where !SuiteTool.names.contains(name) {
      let nearest = NearestName.near(name, in: SuiteTool.names).map { ": did you mean '\($0)'?" } ?? ""
      problems.add(option, "'\(PlainText.line(String(name.prefix(80))))' is no tool of the suite\(nearest)")
    }
    return names.filter(SuiteTool.names.contains)
  }

  /// Whether a scenario file or a word behind `--` gives one of these options to some tool that is run.
  func has(_ options: Set<String>) -> Bool {
    drafts.contains { $0.isRun && !$0.optionNames.isDisjoint(with: options) }
  }

  // MARK: What they are given

  /// Gives an option's value to tools; nil: to all.
  mutating func give(_ option: String, _ value: String, to names: [String]? = nil) {
    // Behind an equals sign an empty text would be none; a dash in front would make another option of the value.
    let words = value.first == "-" ? ["--\(option)=\(value)"] : ["--\(option)", value]
    for index in drafts.indices where names?.contains(drafts[index].tool.name) ?? true { drafts[index].words += words }
  }

  /// Notes that options are given in words that the tools get.
  mutating func note(_ options: Set<String>, to name: String) {
    for index in drafts.indices where drafts[index].tool.name == name { drafts[index].optionNames.formUnion(options) }
  }

  /// Gives words as they are.
  mutating func give(words: [String], to name: String) {
    for index in drafts.indices where drafts[index].tool.name == name { drafts[index].words += words }
  }

  // MARK: What is wrong with that

  func problems(of draft: Draft) -> Problems {
    draft.tool.problems(with: arguments(of: draft), environment: environment, now: now)
  }

  /// The same in the suite's words.
  private func sentences(on draft: Draft) -> [String] {
    let problems = problems(of: draft)
    let unconfirmed = problems.unconfirmedDrains
    let others = problems.sentences.filter { sentence in !unconfirmed.contains { $0.sentence == sentence } }
      .map(namingVariable)
    // Without its other mistakes the drain would be left out: that nobody has confirmed it is none.
    if unconfirmed.isEmpty || isDrainToConfirm(draft) && !others.isEmpty { return others }
    return others + ["CONFIRM_DRAIN: \(confirmation(of: unconfirmed.map(\.host)))"]
  }

  /// Adds everything that is wrong with what the tools are given, once where several tools say the same.
  func check(_ problems: inout Problems) {
    var said: [String] = []
    var sayers: [String: [String]] = [:]
    for draft in drafts where draft.isRun {
      // What is wrong with the scenario file as a whole is said already.
      for sentence in sentences(on: draft) where !problems.sentences.contains(sentence) {
        if sayers[sentence] == nil { said.append(sentence) }
        sayers[sentence, default: []].append(draft.name)
      }
    }
    let running = drafts.count(where: \.isRun)
    for sentence in said {
      let names = sayers[sentence] ?? []
      problems.add(whole: names.count == running ? sentence : "\(sentence) (\(names.joined(separator: ", ")))")
    }
    if running == 0, problems.isEmpty {
      let reasons = drafts.map { "\($0.name): \($0.skipReason ?? "")" }.joined(separator: "; ")
      problems.add("--skip, --only", "no tool is left to be run (\(reasons))")
    }
  }
}
