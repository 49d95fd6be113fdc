/// What `--scenario FILE` adds to a command line: further arguments, and everything that is wrong with the file.
///
/// Values of the file are in no message of this type: a header's is a secret.
package struct ScenarioFile: Sendable {
  /// To be put in front of the command line's own.
  package private(set) var arguments: [String] = []
  /// What is wrong with the file itself. They also know which options came from it, for messages about their values.
  package private(set) var problems = Problems()

  private static let mostUnknownKeys = 20
  /// They make no sense in a file, or would run what a file says.
  private static let excluded: Set<String> = [
    "scenario", "help", "version", "print-profile", "token-command",
  ]

  /// Without `--scenario`.
  package init() {}

  /// Reads the file that the command line names, if it names one.
  ///
  /// - Parameter commandLine: without the program's name.
  package init(commandLine: [String], tool: String, options: @autoclosure () -> [ToolOption]) {
    let words = CommandLineWords(commandLine)
    guard let path = words.scenarioFiles.first else { return }
    guard words.scenarioFiles.count == 1 else {
      problems.add("--scenario", "it is given twice: write one file")
      return
    }
    do throws(ScenarioFileError) {
      var members = try ScenarioFileContents.members(ofFileAt: path)
      // A file of bench-suite has an object for each tool.
      if members.contains(where: { SuiteTool.names.contains($0.key) }) {
        let file = try ScenarioFileContents.ofSuite(atPath: path)
        for problem in file.problems { problems.add("--scenario", problem) }
        members = file.tools.first { $0.key == tool }?.value ?? []
      }
      problems.fileName = ScenarioFileContents.quoted(path)
      add(members, tool: tool, options: options(), given: words.given)
    } catch {
      problems.add("--scenario", error.reason)
    }
  }

  private mutating func add(_ members: [StrictJSON.Member], tool: String, options: [ToolOption], given: Set<String>) {
    let usable = options.filter { !Self.excluded.contains($0.name) }
    var seen: Set<String> = []
    var unknown = 0
    for member in members {
      let place = "\(problems.fileName), line \(member.line)"
      guard seen.insert(member.key).inserted else {
        problems.add("--scenario", "\(place): \(ScenarioFileContents.shown(member.key)) is there twice")
        continue
      }
      if let option = usable.first(where: { $0.name == member.key }) {
        add(option, member.value, isOverridden: given.contains(option.name))
        continue
      }
      unknown += 1
      if unknown <= Self.mostUnknownKeys {
        problems.add("--scenario", "\(place): \(Self.refusal(of: member.key, tool: tool, options: usable))")
      }
    }
    if unknown > Self.mostUnknownKeys {
      problems.add("--scenario", "\(problems.fileName): \(unknown - Self.mostUnknownKeys) more keys are no options")
    }
  }

  /// A value that the command line overrides is checked all the same.
  private mutating func add(_ option: ToolOption, _ value: StrictJSON.Value, isOverridden: Bool) {
    do throws(ScenarioFileError) {
      let words = try option.arguments(for: value)
      guard !isOverridden else { return }
      arguments += words
      problems.namesFromFile.insert("--\(option.name)")
    } catch {
      problems.add("--\(option.name)", in: problems.fileName, error.reason)
    }
  }

  private static func refusal(of key: String, tool: String, options: [ToolOption]) -> String {
    if excluded.contains(key) { return "'\(key)' can't be given in a file: leave it out" }
    let nearest = key.utf8.count <= 64 ? NearestName.of(key, in: options.map(\.name)) : nil
    return "\(ScenarioFileContents.shown(key)) is no option of \(tool)"
      + (nearest.map { ": the nearest name is '\($0)'" } ?? "")
  }
}
