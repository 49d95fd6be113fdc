import ArgumentParser
import Testing

@testable import InfraBench
@testable import Results
import Comparison

struct WorkloadTests {
  private static let shaping = [
    "count", "duration", "concurrency", "maxInFlight", "warmup", "timeout", "threads", "stages", "rate", "arrival",
    "dropWhenBusy", "precise", "thinkTime", "agents", "poolSize", "maxTasks", "taskStartDelay", "waitFor", "hold",
    "bursts", "beyond", "writers", "fsync", "command", "message", "coldBy", "pollInterval", "startTimeout",
    "launchType", "capacityProvider", "drainBy", "drainCount", "cycles", "settle", "refillTimeout", "release",
    "coldFallback", "iterations", "ofALaterVersion",
  ]

  private func shape(
    _ parameters: [String: JSONValue], of tool: ToolDescription = "bench-allocation", label: String? = nil,
    kind: String = "embedded", byLabel: Bool = false
  ) throws -> Workload {
    var document = SampleRuns.document()
    document.tool = tool
    document.parameters = parameters
    document.label = label
    document.target.kind = kind
    return try #require(try SampleRuns.stored([document]).runs.first).workload(byLabel: byLabel)
  }

  @Test(arguments: [
    "seed", "userId", "headers", "timeline", "root", "peerRoot", "asUid", "keep", "cluster", "service", "family",
    "startedBy", "region", "profile", "taskDefinition", "subnets", "securityGroups", "assignPublicIp",
  ])
  func whereItRanIsNoLoad(_ key: String) throws {
    let tools = ToolDescriptions.suite.all.filter { $0.parameters.contains { $0.name == key } }
    #expect(!tools.isEmpty)
    for tool in tools + [ToolDescriptions.suite.description(of: "bench-of-tomorrow")] {
      #expect(try shape([key: "a", "count": 1], of: tool) == shape([key: "b", "count": 1], of: tool))
      #expect(try shape([key: "a", "count": 1], of: tool) == shape(["count": 1], of: tool))
    }
  }

  @Test(arguments: shaping)
  func whatShapesTheLoadKeepsRunsApart(_ key: String) throws {
    #expect(try shape([key: "a"]) != shape([key: "b"]))
    #expect(try shape([key: "a"]) != shape([:]))
  }

  @Test func whatWasNotGivenIsAbsent() throws {
    #expect(try shape(["rate": nil]) == shape([:]))
  }

  @Test func theKindOfTargetCountsAndTheLabelWhereItIsAskedFor() throws {
    #expect(try shape([:]) != shape([:], kind: "remote"))
    #expect(try shape([:], label: "a") == shape([:], label: "b"))
    #expect(try shape([:], label: "a", byLabel: true) != shape([:], label: "b", byLabel: true))
    #expect(try shape([:], label: "a", byLabel: true) != shape([:], byLabel: true))
  }

  /// A parameter that a benchmark writes must be in its description, which says whether it shapes the load.
  @Test func everyParameterOfTheToolsIsDescribed() throws {
    var reader = OptionReader(environment: [:])
    func expectDescribed<C: BenchmarkCommand>(_ type: C.Type, _ words: [String]...) throws {
      for words in words {
        let benchmark = try type.parse(words).prepare(&reader)
        let known = Set(benchmark.tool.parameters.map(\.name))
        #expect(Set(benchmark.parameters.keys).subtracting(known) == [], "\(type) \(words)")
        #expect(benchmark.parameters.count > 3)
      }
    }
    try expectDescribed(AllocationCommand.self, ["--rate", "5/s", "--timeline", "1s"], ["--agents", "1"])
    try expectDescribed(DirInitCommand.self, [])
    try expectDescribed(EndToEndCommand.self, ["--cold-by", "run-task"], ["--messages", "3", "--expect", "x"])
    try expectDescribed(ConcurrentCommand.self, ["--beyond", "1"], ["--cold-by", "run-task"])
    try expectDescribed(APICommand.self, ["--cluster", "c"], [])
    try expectDescribed(ExhaustionCommand.self, [])
  }
}
