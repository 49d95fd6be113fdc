/// What is left out because of where the run is pointed at: what has nothing to measure there, and a drain that nobody confirmed.
extension SuitePlan {
  /// Options by which a real ECS is meant rather than the embedded gateway's.
  private static let ecsOptions: Set<String> = [
    "cluster", "service", "family", "started-by", "ecs-endpoint-url", "region", "profile",
  ]

  /// Leaves out what has nothing to measure where this run is pointed at. To be called when all options are known.
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
    // Beside a real gateway the embedded one's ECS would say nothing about it.
    if hasGateway, ecs.isEmpty, !isSet("SERVICE"), !has(Self.ecsOptions) {
      skipUnlessAskedFor(
        APIBenchmark.tool, "GATEWAY_URL set without CLUSTER or SERVICE: which ECS is behind it is not known")
    }
  }

  /// Gives `CONFIRM_DRAIN`'s host names, with commas between them, to bench-exhaustion; the embedded gateway needs none.
  mutating func confirmDrain() {
    guard isSet("GATEWAY_URL") || has(["gateway-url"]), !has(["drain-by"]) else { return }
    for host in confirmedHosts { give("confirm-drain", host, to: [ExhaustionBenchmark.tool]) }
  }

  /// Leaves out a drain against which nothing stands but that nobody has confirmed it. To be called when it has all its
  /// options, and before thresholds are given: one that only a skipped tool has is a mistake.
  mutating func skipUnconfirmedDrain() {
    guard let draft = drafts.first(where: { $0.isRun && isDrainToConfirm($0) }) else { return }
    let problems = problems(of: draft)
    let hosts = problems.unconfirmedDrains.map(\.host)
    if !hosts.isEmpty, problems.sentences.count == hosts.count { skip(draft.tool.name, confirmation(of: hosts)) }
  }

  /// Whether a drain that nobody has confirmed is left out, and is no mistake.
  func isDrainToConfirm(_ draft: Draft) -> Bool {
    draft.tool.name == ExhaustionBenchmark.tool && !draft.isAskedFor && !isSet("CONFIRM_DRAIN")
      && !draft.optionNames.contains("confirm-drain")
  }

  /// How to confirm the drain of these gateways, beside those that are confirmed.
  func confirmation(of hosts: [String]) -> String {
    let names = (confirmedHosts + hosts).joined(separator: ",")
    return "draining takes tasks from the users of \(OptionReader.list(hosts, "and")): set CONFIRM_DRAIN=\(names) to "
      + "confirm it"
  }

  /// What the tool says of a name that came from `CONFIRM_DRAIN`, with the variable in place of the tool's option.
  func namingVariable(_ sentence: String) -> String {
    let option = "--confirm-drain: "
    guard confirmedHosts.contains(where: { sentence.hasPrefix("\(option)'\($0)' is ") }) else { return sentence }
    return "CONFIRM_DRAIN: \(sentence.dropFirst(option.count))"
  }

  /// `CONFIRM_DRAIN`: host names with commas between them.
  private var confirmedHosts: [String] {
    (environment["CONFIRM_DRAIN"] ?? "").split(separator: ",").map { $0.trimming(while: \.isWhitespace) }
      .filter { !$0.isEmpty }
  }

  private mutating func skipUnlessAskedFor(_ name: String, _ reason: String) {
    if drafts.contains(where: { $0.tool.name == name && !$0.isAskedFor }) { skip(name, reason) }
  }

  private func isSet(_ variable: String) -> Bool { !(environment[variable] ?? "").isEmpty }
}
