import FoundationEssentials
package import Latency
import Results
import TextFormatting

/// What bench-fleet is asked for, checked.
package struct FleetSettings: Sendable {
  /// Where the shards run.
  package enum Place: String, Sendable, CaseIterable {
    case local, ssh, slurm
  }

  package var place: Place
  package var shards: Int
  /// The folder that all shards share; absolute.
  package var directory: String
  /// The tool that makes the load, such as `bench-concurrent`.
  package var tool: String
  /// Its options, with the seed and the users' prefix that all shards have.
  package var arguments: [String]
  /// The folder of the suite's programs on the shards' machines.
  package var programs: String
  /// From the moment when all shards are ready to the begin.
  package var lead: Nanoseconds
  /// How long the coordinator waits until all shards are ready.
  package var readyBound: Nanoseconds
  /// How far a shard's clock may be from the coordinator's.
  package var clockBound: Nanoseconds
  /// For ssh: the machines, one after another and again from the first; at least one.
  package var hosts: [String] = []
  /// For ssh: OpenSSH's configuration; nil: the user's own.
  package var sshConfiguration: String?
  /// For Slurm: options of sbatch, a line of the script each.
  package var sbatchOptions: [String] = []
  package var output: OutputSettings
}

/// Options of bench-fleet as they were written.
struct FleetWords {
  var place: String?
  var shards: String?
  var directory: String?
  var programs: String?
  var lead: String?
  var readyBound: String?
  var clockBound: String?
  var hosts: String?
  var sshConfiguration: String?
  var sbatch: [String]
  var output: OutputOptions
  var tool: [String]
}

extension OptionReader {
  /// Checks the options of bench-fleet and those of the tool behind `--`.
  mutating func fleet(_ words: FleetWords) -> FleetSettings {
    let places = FleetSettings.Place.allCases.map(\.rawValue)
    if words.place == nil { problems.add("--on", "say where the shards run: \(PlainText.list(places))") }
    let place = FleetSettings.Place(rawValue: choice("--on", words.place, of: places, default: "local")) ?? .local
    if words.shards == nil { problems.add("--shards", "say how many shards there are, such as 4") }
    let shards = integer("--shards", words.shards, default: 1, in: 1...10_000)
    let directory = fleetDirectory(words.directory)
    let isWhole = words.output.outputDir == nil
    var output = words.output
    output.outputDir = output.outputDir ?? directory
    if isWhole, problems.names("--dir") { output.outputDir = nil }
    var settings = FleetSettings(
      place: place, shards: shards, directory: directory, tool: words.tool.first ?? "", arguments: [],
      programs: Self.absolute(words.programs ?? Executables.ownDirectory),
      lead: duration("--lead", words.lead, default: .seconds(10), minimum: .milliseconds(500)),
      readyBound: duration("--ready-within", words.readyBound, default: .seconds(120), minimum: .seconds(1)),
      clockBound: duration("--clock-bound", words.clockBound, default: .milliseconds(50), minimum: .milliseconds(1)),
      output: self.output(output))
    readPlace(words, &settings)
    settings.arguments = toolArguments(Array(words.tool.dropFirst()), settings)
    return settings
  }

  private mutating func fleetDirectory(_ written: String?) -> String {
    guard let written else {
      problems.add("--dir", "name a folder that all shards share: on one machine any, else on NFS or EFS")
      return "."
    }
    if let reason = Self.reasonNotWritable(written) { problems.add("--dir", reason) }
    return Self.absolute(written)
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }

  private mutating func readPlace(_ words: FleetWords, _ settings: inout FleetSettings) {
    let own: [(String, Bool, FleetSettings.Place)] = [
      ("--hosts", words.hosts != nil, .ssh), ("--ssh-config", words.sshConfiguration != nil, .ssh),
      ("--sbatch", !words.sbatch.isEmpty, .slurm),
    ]
    for (name, isGiven, place) in own where isGiven && settings.place != place {
      refuse(name, "it is for --on \(place.rawValue): leave it out")
    }
    settings.sshConfiguration = words.sshConfiguration
    for option in words.sbatch {
      if !option.hasPrefix("-") || option.contains(where: \.isNewline) {
        problems.add("--sbatch", "'\(PlainText.line(option))' is no option of sbatch: write --sbatch=--partition=load")
      }
    }
    settings.sbatchOptions = words.sbatch
    guard settings.place == .ssh else { return }
    guard let file = words.hosts else {
      problems.add("--hosts", "name a file with a machine a line, as ssh knows them")
      return
    }
    do throws(FileReadError) {
      let text = String(decoding: try FileContents(file, ordinaryOnly: true).bytes, as: UTF8.self)
      settings.hosts = text.split(whereSeparator: \.isNewline).map { line in
        String(line.prefix { $0 != "#" }).split(separator: " ").first.map(String.init) ?? ""
      }.filter { !$0.isEmpty }
    } catch {
      problems.add("--hosts", "'\(PlainText.line(file))' \(error)")
      return
    }
    if settings.hosts.isEmpty { problems.add("--hosts", "'\(PlainText.line(file))' names no machine") }
    for host in settings.hosts where host.hasPrefix("-") {
      problems.add("--hosts", "'\(PlainText.line(host))' begins with a dash, as options do")
    }
  }

  /// The options of the tool, with what all shards have in common. All mistakes in them are found here, before any shard
  /// is started.
  private mutating func toolArguments(_ words: [String], _ settings: FleetSettings) -> [String] {
    let divisible = SuiteTool.all.filter { $0.option(named: "shard") != nil }
    guard let tool = divisible.first(where: { $0.name == settings.tool }) else {
      let names = PlainText.list(divisible.map(\.name), "and")
      problems.add(
        "--",
        settings.tool.isEmpty
          ? "write the tool and its options behind it, such as -- bench-concurrent --rate 100/s --duration 1m"
          : "'\(PlainText.line(String(settings.tool.prefix(40))))' has no schedule that could be divided: \(names) have one"
      )
      return words
    }
    func has(_ name: String) -> Bool { words.contains { $0 == "--\(name)" || $0.hasPrefix("--\(name)=") } }
    for name in ["shard", "start-at", "output-dir", "format", "print"] where has(name) {
      problems.add("--\(name)", "bench-fleet gives it to the shards: leave it out behind '--'")
    }
    if settings.place != .local, has("header") {
      problems.add("--header", "other machines would show its value in their lists of processes: use --token-file")
    }
    var arguments = words
    if !has("seed") { arguments += ["--seed", "\(UInt64.random(in: RunPlan.seeds))"] }
    // The default prefix is of the machine, and all shards are to have the users of one run.
    if !has("user-id") { arguments += ["--user-id", DefaultUserID.prefix] }
    guard !has("shard"), !has("start-at"), !has("output-dir") else { return arguments }
    let asShard = ["--shard", "0/\(settings.shards)", "--start-at", "\(settings.directory)/"]
    let found = tool.problems(
      with: arguments + asShard + ["--output-dir", settings.directory], environment: environment, now: now)
    for sentence in found.sentences where !problems.sentences.contains(sentence) { problems.add(whole: sentence) }
    return arguments
  }
}
