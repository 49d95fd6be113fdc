import FoundationEssentials
import Glibc
import Transport

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
  let size: SuiteSize
  /// `--label`; nil without one.
  let label: String?
  var drafts = SuiteTool.all.map { Draft(tool: $0) }
  /// Options behind `--`, by long name, that a tool took which was to be run then.
  var takenOptions: Set<String> = []

  init(environment: [String: String], size: SuiteSize, label: String? = nil) {
    self.environment = environment
    self.size = size
    self.label = label
  }

  /// As they are run.
  var tools: [PlannedTool] {
    drafts.map {
      PlannedTool(
        name: $0.tool.name, arguments: arguments(of: $0), skipReason: $0.skipReason, label: $0.profile.map(labelled))
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

  /// Leaves out what has nothing to measure where this run is pointed at. To be called when all options are known.
  mutating func skipByTarget() {
    let ecs = ["CLUSTER", "AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL"].filter(isSet)
    let hasECSOption = has(["cluster", "service", "family", "started-by", "ecs-endpoint-url"])
    let hasGateway = isSet("GATEWAY_URL") || has(["gateway-url"])
    if !hasGateway, !ecs.isEmpty, !has(["drain-by"]) {
      skipUnlessAskedFor(
        ExhaustionBenchmark.tool,
        "\(ecs.joined(separator: " ")) set without GATEWAY_URL: a pool is drained through its gateway")
    }
    if hasGateway { skipFurtherProfiles() }
    // Beside a real gateway the embedded one's ECS would say nothing about it.
    if hasGateway, ecs.isEmpty, !isSet("SERVICE"), !hasECSOption {
      skipUnlessAskedFor(
        APIBenchmark.tool, "GATEWAY_URL set without CLUSTER or SERVICE: which ECS is behind it is not known")
    }
  }

  /// Gives `CONFIRM_DRAIN`'s host names, with commas between them, to bench-exhaustion; the embedded gateway needs none.
  mutating func confirmDrain() {
    guard isSet("GATEWAY_URL") || has(["gateway-url"]), !has(["drain-by"]) else { return }
    let hosts = (environment["CONFIRM_DRAIN"] ?? "").split(separator: ",").map { $0.trimming(while: \.isWhitespace) }
    for host in hosts where !host.isEmpty { give("confirm-drain", host, to: [ExhaustionBenchmark.tool]) }
  }

  /// Leaves out a drain against which nothing stands but that nobody has confirmed it. To be called when it has all its
  /// options, and before thresholds are given: one that only a skipped tool has is a mistake.
  mutating func skipUnconfirmedDrain() {
    guard let draft = drafts.first(where: { $0.isRun && isDrainToConfirm($0) }) else { return }
    let found = sentences(on: draft)
    if !found.isEmpty, found.allSatisfy(Self.asksForConfirmation) { skip(draft.tool.name, unconfirmedDrain) }
  }

  private mutating func skipUnlessAskedFor(_ name: String, _ reason: String) {
    if drafts.contains(where: { $0.tool.name == name && !$0.isAskedFor }) { skip(name, reason) }
  }

  private func isSet(_ variable: String) -> Bool { !(environment[variable] ?? "").isEmpty }

  /// Whether a scenario file or a word behind `--` gives one of these options to some tool that is run.
  private func has(_ options: [String]) -> Bool {
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

  private func sentences(on draft: Draft) -> [String] {
    draft.tool.problems(with: arguments(of: draft), environment: environment).sentences
  }

  private static func asksForConfirmation(_ sentence: String) -> Bool { sentence.hasPrefix("--confirm-drain: ") }

  /// Adds everything that is wrong with what the tools are given, once where several tools say the same.
  func check(_ problems: inout Problems) {
    var said: [String] = []
    var sayers: [String: [String]] = [:]
    for draft in drafts where draft.isRun {
      var found = sentences(on: draft)
      // Without its other mistakes the drain would be left out: that nobody has confirmed it is none.
      if isDrainToConfirm(draft), !found.allSatisfy(Self.asksForConfirmation) {
        found.removeAll(where: Self.asksForConfirmation)
      }
      for sentence in found {
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

  /// Whether a drain that nobody has confirmed is left out, and is no mistake.
  private func isDrainToConfirm(_ draft: Draft) -> Bool {
    draft.tool.name == ExhaustionBenchmark.tool && !draft.isAskedFor && !isSet("CONFIRM_DRAIN")
      && !draft.optionNames.contains("confirm-drain")
  }

  private var unconfirmedDrain: String {
    let host = (try? Endpoint(parsing: environment["GATEWAY_URL"] ?? ""))?.host ?? "the gateway's host name"
    return "draining takes tasks from the users of this gateway: set CONFIRM_DRAIN to \(host) to confirm it"
  }
}
