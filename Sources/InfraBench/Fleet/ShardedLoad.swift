import LoadEngine
import Results

/// What cannot be divided among shards, or needs more than a shard knows.
struct UndividedOptions {
  var load: LoadOptions
  var repetition: RepeatOptions
  /// Options of the tool that have no parts, by name, and whether each is given.
  var others: [(name: String, isGiven: Bool)] = []
  /// What is done in equal parts, and how much of it there is: each shard must have some of it.
  var divided: [(name: String, number: Int)] = []
}

extension OptionReader {
  /// Checks `--shard` against the other options, and divides the target's agents.
  mutating func shard(
    _ options: ShardOptions, _ settings: inout LoadSettings, _ target: inout TargetSettings, _ other: UndividedOptions
  ) {
    guard let shard = shard(options) else { return }
    settings.shard = shard
    for (name, isGiven) in other.others where isGiven {
      refuse(name, "it can't be divided among parts of a load: leave it out, or --shard")
    }
    if (other.repetition.count ?? "1") != "1" {
      refuse("--repeat", "parts of a load are one run: start all of them again, or leave it out")
    }
    if target.second != nil { refuse("--ab-gateway-url", "parts of a load are one run of one gateway: leave it out") }
    guard !shard.shard.isWhole else { return }
    if other.load.seed == nil {
      refuse("--seed", "all parts have to draw the same schedule: give each the same number")
    }
    if case .embedded = target.gateway {
      refuse("--gateway-url", "each part would start a gateway of its own: name the one that all of them load")
    }
    for (name, number) in other.divided + [(settings.isOpenLoop ? "--max-in-flight" : "--concurrency", settings.users)]
    where number > 0 && number < shard.shard.count {
      refuse(
        name, "\(number) can't be divided among \(shard.shard.count) parts: write at least as many as there are parts")
    }
    if let count = other.load.count.flatMap({ Int($0) }), count < shard.shard.count {
      refuse("--count", "\(count) can't be divided among \(shard.shard.count) parts: write at least as many")
    }
    if target.agents > 0 {
      if !target.allowsAgentsBesideReal {
        refuse("--agents", "the other parts' agents look like real tasks: give --agents-beside-real too")
      }
      target.ownAgents = shard.shard.share(of: target.agents)
    }
  }
}
