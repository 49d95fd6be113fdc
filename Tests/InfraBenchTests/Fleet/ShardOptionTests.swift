import FoundationEssentials
import LoadEngine
import Testing

@testable import InfraBench

@Suite struct ShardOptionTests {
  private static let now = Date(timeIntervalSince1970: 1_800_000_000)
  private static let instant = "2027-01-15T08:00:10Z"
  private static let common = ["--gateway-url", "http://gw.test", "--seed", "1", "--start-at", instant]

  /// What is said against the options of a tool.
  private func problems(
    _ words: [String], _ environment: [String: String] = [:], of tool: String = "bench-concurrent"
  ) throws -> String {
    let tool = try #require(SuiteTool.all.first { $0.name == tool })
    return tool.problems(with: words, environment: environment, now: Self.now).sentences.joined(separator: "\n")
  }

  @Test(arguments: ["bench-concurrent", "bench-allocation", "bench-e2e"])
  func `the tools with a schedule take a part of it`(_ tool: String) throws {
    #expect(try problems(Self.common + ["--rate", "10/s", "--shard", "2/4"], of: tool) == "")
    #expect(
      try problems(Self.common + ["--rate", "10/s", "--shard", "4/4"], of: tool).hasPrefix("--shard: '4/4' is no part"))
  }

  @Test(arguments: ["bench-api", "bench-dirinit", "bench-exhaustion"])
  func `a tool that has no schedule refuses`(_ tool: String) throws {
    #expect(try problems(["--shard", "0/2"], of: tool).contains("--shard"))
  }

  @Test func `all mistakes are said at once`() throws {
    let said = try problems([
      "--shard", "0/4", "--start-at", "soon", "--rate", "1/s", "--max-in-flight", "3", "--count", "2",
    ])
    #expect(said.contains("--start-at: 'soon' is neither an instant nor a folder"))
    let rest = try problems([
      "--shard", "0/4", "--start-at", Self.instant, "--rate", "1/s", "--max-in-flight", "3", "--count", "2", "--repeat",
      "2", "--soak",
    ])
    for option in ["--seed", "--gateway-url", "--max-in-flight", "--count", "--repeat", "--soak"] {
      #expect(rest.contains("\(option): "), "\(option) in \(rest)")
    }
  }

  @Test func `a part needs a begin that has not passed, and a begin needs a part`() throws {
    #expect(try problems(["--shard", "0/2"]).contains("give --start-at too"))
    #expect(try problems(["--start-at", Self.instant]).contains("give --shard too"))
    #expect(try problems(["--shard", "0/1", "--start-at", "2027-01-15T08:00:00Z"]).contains("has passed"))
    #expect(try problems(["--shard", "0/1", "--start-at", "2027-01-15T08:00:00.5Z"]) == "")
    #expect(try problems(["--shard", "0/1", "--start-at", "/tmp/fleet"]) == "")
  }

  @Test func `parts of several bursts need a folder to agree on each`() throws {
    #expect(try problems(Self.common + ["--shard", "0/2", "--bursts", "2"]).contains("--start-at: parts of several"))
    let words = ["--gateway-url", "http://gw.test", "--seed", "1", "--shard", "0/2", "--start-at", "/tmp/x"]
    #expect(try problems(words + ["--bursts", "2", "--beyond", "3"]) == "")
    #expect(try problems(words + ["--bursts", "2", "--beyond", "1"]).contains("--beyond: 1 can't be divided"))
  }

  @Test func `agents of parts lie beside one another's`() throws {
    let words = Self.common + ["--shard", "0/2", "--agents", "5"]
    #expect(try problems(words).contains("--agents: the other parts' agents look like real tasks"))
    #expect(try problems(words + ["--agents-beside-real"]) == "")
    #expect(
      try problems(words + ["--agents-beside-real", "--rate", "1/s"], of: "bench-e2e").contains("--agents: it can't"))
  }

  @Test func `auto reads what AWS Batch, Slurm and Kubernetes say, and nothing else does`() throws {
    func answer(_ environment: [String: String]) -> ShardEnvironment.Answer { ShardEnvironment(environment).answer }
    func shard(_ index: Int, _ count: Int) throws -> ShardEnvironment.Answer {
      .shard(try #require(Shard(index: index, of: count)))
    }
    let batch = ["AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "8"]
    #expect(try answer(batch) == shard(3, 8))
    #expect(try answer(batch.merging(["INFRABENCH_SHARD": "1/2"]) { $1 }) == shard(1, 2))
    let array = ["SLURM_ARRAY_TASK_ID": "12", "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_COUNT": "4"]
    #expect(try answer(array.merging(["SLURM_PROCID": "0", "SLURM_NTASKS": "1"]) { $1 }) == shard(2, 4))
    #expect(try answer(["SLURM_PROCID": "1", "SLURM_NTASKS": "4"]) == shard(1, 4))
    #expect(try answer(["JOB_COMPLETION_INDEX": "5", "INFRABENCH_SHARDS": "6"]) == shard(5, 6))
    #expect(answer([:]) == .none)
    for wrong in [
      ["INFRABENCH_SHARD": "2"], ["AWS_BATCH_JOB_ARRAY_INDEX": "3"], ["JOB_COMPLETION_INDEX": "0"],
      ["SLURM_ARRAY_TASK_ID": "1"], array.merging(["SLURM_NTASKS": "2"]) { $1 }, ["INFRABENCH_SHARD": "2/2"],
    ] {
      guard case .wrong = answer(wrong) else { Issue.record("\(wrong) is taken"); continue }
    }
    let words = Self.common + ["--rate", "1/s", "--shard", "auto"]
    #expect(try problems(words, ["INFRABENCH_SHARD": "0/2"]) == "")
    #expect(try problems(words).contains("auto finds no part"))
    // A variable alone divides nothing.
    #expect(try problems(["--rate", "1/s"], ["INFRABENCH_SHARD": "9/2"]) == "")
  }
}
