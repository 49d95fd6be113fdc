import FoundationEssentials
import Glibc
import TextFormatting

/// Which tools of the suite run with which arguments, while that is being decided.
struct SuitePlan {
  /// One run of a tool.
  struct Draft {
    let tool: SuiteTool
    /// The gateway profile that tells a further run of the tool from its usual run; nil: the usual run.
    var profile: String?
    var skipReason: String?
    /// Whether the user named the tool: then an obstacle is an error, and no reason to leave the tool out.
    var isAskedFor = false
    /// Its arguments beside those of its usual size.
    var words: [String] = []
    /// Options that a scenario file or the words behind `--` give, by long name.
    var optionNames: Set<String> = []

    var isRun: Bool { skipReason == nil }

    /// The run's name in messages: `bench-e2e (PROFILE)`.
    var name: String { tool.name + (profile.map { " (\($0))" } ?? "") }
  }

  let environment: [String: String]
  let now: Date
  let size: SuiteSize
  /// `--label`; nil without one.
  let label: String?
  var drafts = SuiteTool.all.map { Draft(tool: $0) }
  /// Options behind `--`, by long name, that went to a tool which was to run at that time.
  var takenOptions: Set<String> = []
  /// The file of `--scenario`, where it can be given to tools.
  var scenarioFile: (path: String, contents: ScenarioFileContents.OfSuite)?

  init(environment: [String: String], now: Date, size: SuiteSize, label: String? = nil) {
    self.environment = environment
    self.now = now
    self.size = size
    self.label = label
  }

  /// All runs with their arguments, in the order in which they are made.
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

  /// Leaves out the tools that the option `option` names.
  mutating func skip(_ names: [String], _ option: String, _ problems: inout Problems) {
    for name in known(names, option, &problems) { skip(name, option) }
  }

  mutating func skip(_ name: String, _ reason: String) {
    for index in drafts.indices where drafts[index].tool.name == name && drafts[index].isRun {
      drafts[index].skipReason = reason
    }
  }

  /// Leaves out all tools but those named; changes nothing where no known tool is named.
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

  /// Whether a scenario file or a word behind `--` gives one of these options to a tool that is run.
  func has(_ options: Set<String>) -> Bool {
    drafts.contains { $0.isRun && !$0.optionNames.isDisjoint(with: options) }
  }

  // MARK: What they are given

  /// Gives an option and its value to the tools of these names; nil: to all tools.
  mutating func give(_ option: String, _ value: String, to names: [String]? = nil) {
    // The parser reads `--name=` with an empty text as no value, so the value is a word of its own. It would read a
    // word that begins with a dash as another option, so such a value stands behind an equals sign.
    let words = value.first == "-" ? ["--\(option)=\(value)"] : ["--\(option)", value]
    for index in drafts.indices where names?.contains(drafts[index].tool.name) ?? true { drafts[index].words += words }
  }

  /// Notes which options the words for a tool give it.
  mutating func note(_ options: Set<String>, to name: String) {
    for index in drafts.indices where drafts[index].tool.name == name { drafts[index].optionNames.formUnion(options) }
  }

  /// Gives a tool these words unchanged.
  mutating func give(words: [String], to name: String) {
    for index in drafts.indices where drafts[index].tool.name == name { drafts[index].words += words }
  }

  // MARK: What is wrong with that

  func problems(of draft: Draft) -> Problems {
    draft.tool.problems(with: arguments(of: draft), environment: environment, now: now)
  }

  /// The draft's problems in bench-suite's own words.
  private func sentences(on draft: Draft) -> [String] {
    let problems = problems(of: draft)
    let unconfirmed = problems.unconfirmedDrains
    let others = problems.sentences.filter { sentence in !unconfirmed.contains { $0.sentence == sentence } }
      .map(namingVariable)
    // Without its other problems the unconfirmed drain would only be left out, so the missing confirmation is no
    // problem.
    if unconfirmed.isEmpty || isDrainToConfirm(draft) && !others.isEmpty { return others }
    return others + ["CONFIRM_DRAIN: \(confirmation(of: unconfirmed.map(\.host)))"]
  }

  /// Adds the problems of all tools' arguments, once where several tools have the same one.
  func check(_ problems: inout Problems) {
    var said: [String] = []
    var sayers: [String: [String]] = [:]
    for draft in drafts where draft.isRun {
      // Problems of the scenario file as a whole have been added before.
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

/// Leaves out what can't be measured at the run's target: a tool that has nothing to measure there, and an unconfirmed
/// drain.
extension SuitePlan {
  /// Options that choose a real ECS in place of the embedded gateway's.
  private static let ecsOptions: Set<String> = [
    "cluster", "service", "family", "started-by", "ecs-endpoint-url", "region", "profile",
  ]

  /// Leaves out tools that have nothing to measure at this run's target. Call it when all options are known.
  mutating func skipByTarget() {
    let ecs = ["CLUSTER", "AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL"].filter(isSet)
    let ecsOptions = takenOptions.intersection(Self.ecsOptions).sorted().map { "--\($0)" }
    let hasGateway = isSet("GATEWAY_URL") || has(["gateway-url"])
    if !hasGateway, !ecs.isEmpty || !ecsOptions.isEmpty, !has(["drain-by"]) {
      let named = [
        ecs.isEmpty ? nil : "\(ecs.joined(separator: " ")) set",
        ecsOptions.isEmpty ? nil : "\(ecsOptions.joined(separator: " ")) given",
      ]
      skipUnlessAskedFor(
        ExhaustionBenchmark.tool,
        "\(named.compactMap(\.self).joined(separator: ", ")) without GATEWAY_URL: a pool is drained through its gateway"
      )
    }
    if hasGateway { skipFurtherProfiles() }
    // The embedded gateway's ECS would say nothing about a real gateway.
    if hasGateway, ecs.isEmpty, !isSet("SERVICE"), !has(Self.ecsOptions) {
      skipUnlessAskedFor(
        APIBenchmark.tool, "GATEWAY_URL set without CLUSTER or SERVICE: which ECS is behind it is not known")
    }
  }

  /// Gives the host names of `CONFIRM_DRAIN` to bench-exhaustion; the embedded gateway needs no confirmation.
  mutating func confirmDrain() {
    guard isSet("GATEWAY_URL") || has(["gateway-url"]), !has(["drain-by"]) else { return }
    for host in confirmedHosts { give("confirm-drain", host, to: [ExhaustionBenchmark.tool]) }
  }

  /// Leaves out a drain that lacks nothing but its confirmation. Call it when bench-exhaustion has all its options, and
  /// before thresholds are given: a threshold that only a skipped tool has is a mistake.
  mutating func skipUnconfirmedDrain() {
    guard let draft = drafts.first(where: { $0.isRun && isDrainToConfirm($0) }) else { return }
    let problems = problems(of: draft)
    let hosts = problems.unconfirmedDrains.map(\.host)
    if !hosts.isEmpty, problems.sentences.count == hosts.count { skip(draft.tool.name, confirmation(of: hosts)) }
  }

  /// Whether an unconfirmed drain is left out without being a mistake.
  func isDrainToConfirm(_ draft: Draft) -> Bool {
    draft.tool.name == ExhaustionBenchmark.tool && !draft.isAskedFor && !isSet("CONFIRM_DRAIN")
      && !draft.optionNames.contains("confirm-drain")
  }

  /// How to confirm the drain of these gateways, in addition to the hosts that are confirmed.
  func confirmation(of hosts: [String]) -> String {
    let names = (confirmedHosts + hosts).joined(separator: ",")
    return "draining takes tasks from the users of \(PlainText.list(hosts, "and")): set CONFIRM_DRAIN=\(names) to "
      + "confirm it"
  }

  /// A tool's sentence about a name from `CONFIRM_DRAIN`, with the variable in place of the tool's option.
  func namingVariable(_ sentence: String) -> String {
    let option = "--confirm-drain: "
    guard confirmedHosts.contains(where: { sentence.hasPrefix("\(option)'\($0)' is ") }) else { return sentence }
    return "CONFIRM_DRAIN: \(sentence.dropFirst(option.count))"
  }

  /// The host names in `CONFIRM_DRAIN`, which are separated by commas.
  private var confirmedHosts: [String] {
    (environment["CONFIRM_DRAIN"] ?? "").split(separator: ",").map { $0.trimming(while: \.isWhitespace) }
      .filter { !$0.isEmpty }
  }

  private mutating func skipUnlessAskedFor(_ name: String, _ reason: String) {
    if drafts.contains(where: { $0.tool.name == name && !$0.isAskedFor }) { skip(name, reason) }
  }

  private func isSet(_ variable: String) -> Bool { !(environment[variable] ?? "").isEmpty }
}

/// Further runs of bench-e2e, one for each gateway profile of `--with-profile`.
extension SuitePlan {
  private static let option = "--with-profile"

  /// Adds a run of bench-e2e for each of `profiles`, behind the usual one. Call it before tools are left out.
  mutating func runAgain(by profiles: [String], _ problems: inout Problems) {
    for profile in profiles {
      let shown = PlainText.line(String(profile.prefix(80)))
      guard BuiltInProfiles.names.contains(profile) else {
        let names = BuiltInProfiles.names
        let nearest = NearestName.near(profile, in: names).map { ": did you mean '\($0)'?" } ?? ""
        let known = PlainText.list(names, "and")
        problems.add(Self.option, "'\(shown)' is none of the suite's own profiles, which are \(known)\(nearest)")
        continue
      }
      guard let place = drafts.lastIndex(where: { $0.tool.name == EndToEndBenchmark.tool }) else { continue }
      if drafts.contains(where: { $0.profile == profile }) {
        problems.add(Self.option, "'\(shown)' is given twice")
      } else {
        drafts.insert(Draft(tool: drafts[place].tool, profile: profile), at: place + 1)
      }
    }
  }

  /// Gives each run its label.
  mutating func giveLabels() {
    for index in drafts.indices {
      guard let label = drafts[index].profile.map(labelled) ?? label else { continue }
      drafts[index].words += label.first == "-" ? ["--label=\(label)"] : ["--label", label]
    }
  }

  /// Gives the further runs their profiles. Call it when the other options of bench-e2e are known.
  mutating func giveProfiles(_ problems: inout Problems) {
    // The usual run comes before those by profiles. Where it is left out, they are left out too.
    if let reason = drafts.first(where: { $0.tool.name == EndToEndBenchmark.tool })?.skipReason {
      for profile in drafts.compactMap(\.profile) {
        problems.add(
          Self.option,
          "'\(profile)' is for \(EndToEndBenchmark.tool), which is skipped (\(reason)): leave one of them out")
      }
    }
    for index in drafts.indices where drafts[index].isRun {
      guard let profile = drafts[index].profile else { continue }
      if drafts[index].optionNames.contains("gateway-profile") {
        problems.add(
          Self.option, "beside --gateway-profile, which is for every run of bench-e2e, it has no use: leave one out")
      }
      drafts[index].words += ["--gateway-profile", profile]
    }
  }

  /// Leaves out the further runs where the gateway is a real one, because that has one profile only.
  mutating func skipFurtherProfiles() {
    for index in drafts.indices where drafts[index].profile != nil && drafts[index].isRun {
      drafts[index].skipReason =
        "a gateway is named, and \(Self.option) is for the embedded one: name a real one's by -- --gateway-profile"
    }
  }

  /// The label of a run by a profile. All results of one label must come from one profile.
  func labelled(_ profile: String) -> String { [label, profile].compactMap(\.self).joined(separator: "-") }
}
