/// Further runs of bench-e2e, each by a gateway profile of its own: `--with-profile`.
extension SuitePlan {
  private static let option = "--with-profile"

  /// Adds a run of bench-e2e for each of `profiles`, behind its usual one. To be called before tools are left out.
  mutating func runAgain(by profiles: [String], _ problems: inout Problems) {
    for profile in profiles {
      let shown = PlainText.line(String(profile.prefix(80)))
      guard BuiltInProfiles.names.contains(profile) else {
        let names = BuiltInProfiles.names
        let nearest = NearestName.near(profile, in: names).map { ": did you mean '\($0)'?" } ?? ""
        let known = OptionReader.list(names, "and")
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

  /// Gives the further runs their profiles. To be called when the other options of bench-e2e are known.
  mutating func giveProfiles(_ problems: inout Problems) {
    // The usual run stands before those by profiles. Where it is left out, they are too.
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

  /// Leaves them out where the gateway is a real one, which is spoken to in one way.
  mutating func skipFurtherProfiles() {
    for index in drafts.indices where drafts[index].profile != nil && drafts[index].isRun {
      drafts[index].skipReason =
        "a gateway is named, and \(Self.option) is for the embedded one: name a real one's by -- --gateway-profile"
    }
  }

  /// The label of a run by a profile: results of one label are of one way through the gateway.
  func labelled(_ profile: String) -> String { [label, profile].compactMap(\.self).joined(separator: "-") }
}
