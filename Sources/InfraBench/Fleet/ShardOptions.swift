package import ArgumentParser
package import FoundationEssentials
package import LoadEngine
import TextFormatting

/// Which part of a load a tool makes, and when all parts begin.
package struct ShardOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Make part i of n of the load, from 0: every n-th start, user and iteration. All other options are those of the \
      whole. auto: as AWS Batch, Slurm or Kubernetes say.
      """, valueName: "i/n|auto"))
  package var shard: String?

  @Option(
    help: ArgumentHelp(
      """
      When all parts begin: an instant, 2026-11-20T21:00:00Z, or a folder that all share, in which bench-fleet tells it.
      """, valueName: "instant|dir"))
  package var startAt: String?

  package init() {}
}

/// Which part of a load is made, and when it begins, checked.
package struct ShardSettings: Sendable, Equatable {
  package enum Begin: Sendable, Equatable {
    case instant(Date)
    /// A folder that all shards share.
    case folder(String)
  }

  package var shard: Shard
  package var begin: Begin

  package init(shard: Shard, begin: Begin) {
    self.shard = shard
    self.begin = begin
  }
}

extension OptionReader {
  /// Checks `--shard` and `--start-at`; nil where the whole load is made at once.
  mutating func shard(_ options: ShardOptions) -> ShardSettings? {
    guard let written = options.shard else {
      if options.startAt != nil { refuse("--start-at", "it is for parts of a load: give --shard too, or leave it out") }
      return nil
    }
    let shard = written == "auto" ? shardOfEnvironment() : shard(written)
    guard let text = options.startAt else {
      problems.add("--shard", "all parts have to begin at one instant: give --start-at too")
      return nil
    }
    guard let shard, let begin = begin(text) else { return nil }
    return ShardSettings(shard: shard, begin: begin)
  }

  private mutating func shard(_ written: String) -> Shard? {
    let parts = written.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2, let index = PlainText.wholeNumber(parts[0]), let count = PlainText.wholeNumber(parts[1]),
      let shard = Shard(index: index, of: count)
    {
      return shard
    }
    problems.add(
      "--shard",
      "'\(PlainText.line(String(written.prefix(40))))' is no part: write i/n, such as 0/4 for the first of four, or auto"
    )
    return nil
  }

  private mutating func begin(_ written: String) -> ShardSettings.Begin? {
    if written.contains("/") || written == "." || written == ".." {
      if let reason = Self.reasonNotWritable(written) {
        problems.add("--start-at", reason)
        return nil
      }
      return .folder(written)
    }
    let instant = [true, false].lazy.compactMap {
      try? Date.ISO8601FormatStyle(includingFractionalSeconds: $0).parse(written)
    }.first
    guard let instant else {
      problems.add(
        "--start-at",
        "'\(PlainText.line(String(written.prefix(40))))' is neither an instant nor a folder: write 2026-11-20T21:00:00Z, or "
          + "a path with a slash")
      return nil
    }
    guard instant > now else {
      problems.add("--start-at", "'\(written)' has passed: write an instant that all parts can be ready for")
      return nil
    }
    return .instant(instant)
  }
}

/// Reads the part of a load from the variables of the systems that start several copies of a program.
struct ShardEnvironment {
  private let environment: [String: String]

  init(_ environment: [String: String]) { self.environment = environment }

  /// A part, the variables that name it, and what is wrong with them.
  enum Answer: Equatable {
    case shard(Shard)
    case wrong(String)
    /// No system has set its variables.
    case none
  }

  /// The first system whose variables are set; a later one may run within an earlier one.
  var answer: Answer {
    if let text = value("INFRABENCH_SHARD") {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2 else { return .wrong("INFRABENCH_SHARD is '\(shown(text))': set it to i/n") }
      return shard(String(parts[0]), String(parts[1]), "INFRABENCH_SHARD")
    }
    if let index = value("AWS_BATCH_JOB_ARRAY_INDEX") {
      return shard(index, value("AWS_BATCH_JOB_ARRAY_SIZE"), "AWS_BATCH_JOB_ARRAY_INDEX and AWS_BATCH_JOB_ARRAY_SIZE")
    }
    if let index = value("SLURM_ARRAY_TASK_ID") { return slurmArray(index) }
    if let index = value("SLURM_PROCID"), let count = value("SLURM_NTASKS") {
      return shard(index, count, "SLURM_PROCID and SLURM_NTASKS")
    }
    if let index = value("JOB_COMPLETION_INDEX") {
      return shard(index, value("INFRABENCH_SHARDS"), "JOB_COMPLETION_INDEX and INFRABENCH_SHARDS")
    }
    return .none
  }

  /// An array may begin at any number, but must not leave numbers out.
  private func slurmArray(_ index: String) -> Answer {
    let names = "SLURM_ARRAY_TASK_ID, SLURM_ARRAY_TASK_MIN and SLURM_ARRAY_TASK_COUNT"
    guard let number = PlainText.wholeNumber(index),
      let first = value("SLURM_ARRAY_TASK_MIN").flatMap(PlainText.wholeNumber),
      let count = value("SLURM_ARRAY_TASK_COUNT").flatMap(PlainText.wholeNumber)
    else { return .wrong("\(names) do not name a part: submit the job with --array=0-N") }
    if let tasks = value("SLURM_NTASKS").flatMap(PlainText.wholeNumber), tasks > 1 {
      return .wrong("this is a task of \(tasks) in an array of \(count): use an array, or several tasks, not both")
    }
    return shard("\(number - first)", "\(count)", names)
  }

  private func shard(_ index: String, _ count: String?, _ names: String) -> Answer {
    if let index = PlainText.wholeNumber(index), let count = count.flatMap(PlainText.wholeNumber),
      let shard = Shard(index: index, of: count)
    {
      return .shard(shard)
    }
    return .wrong("\(names) name no part: '\(shown(index))' of '\(shown(count ?? ""))'")
  }

  private func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

  private func shown(_ text: String) -> String { PlainText.line(String(text.prefix(40))) }
}

extension OptionReader {
  private mutating func shardOfEnvironment() -> Shard? {
    switch ShardEnvironment(environment).answer {
    case .shard(let shard): return shard
    case .wrong(let sentence): problems.add("--shard", sentence)
    case .none:
      problems.add(
        "--shard",
        "auto finds no part: set INFRABENCH_SHARD to i/n, or start this in an array of AWS Batch, Slurm or Kubernetes "
          + "(there with INFRABENCH_SHARDS)")
    }
    return nil
  }
}
