import ArgumentParser
import Testing

@testable import InfraBench
@testable import Results

struct LoadShapeTests {
  private static let shaping = [
    "count", "duration", "concurrency", "maxInFlight", "warmup", "timeout", "threads", "stages", "rate", "arrival",
    "dropWhenBusy", "precise", "thinkTime", "agents", "poolSize", "maxTasks", "taskStartDelay", "waitFor", "hold",
    "bursts", "beyond", "writers", "fsync", "command", "message", "coldBy", "pollInterval", "startTimeout",
    "launchType", "capacityProvider", "drainBy", "drainCount", "cycles", "settle", "refillTimeout", "release",
    "coldFallback", "iterations", "ofALaterVersion",
  ]

  private func shape(
    _ parameters: [String: JSONValue], label: String? = nil, kind: String = "embedded", byLabel: Bool = false
  ) throws -> Workload {
    var document = SampleRuns.document()
    document.parameters = parameters
    document.label = label
    document.target.kind = kind
    return try #require(try SampleRuns.stored([document]).runs.first).shape(byLabel: byLabel)
  }

  @Test(arguments: [
    "seed", "userId", "headers", "timeline", "root", "peerRoot", "asUid", "keep", "cluster", "service", "family",
    "startedBy", "region", "profile", "taskDefinition", "subnets", "securityGroups", "assignPublicIp",
  ])
  func whereItRanIsNoLoad(_ key: String) throws {
    #expect(try shape([key: "a", "count": 1]) == shape([key: "b", "count": 1]))
    #expect(try shape([key: "a", "count": 1]) == shape(["count": 1]))
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

  /// A parameter that a tool gets must be put on one of the lists.
  @Test func everyParameterOfTheToolsIsThoughtOf() throws {
    var reader = OptionReader(environment: [:])
    let commands: [any SuiteCommand] = [
      try AllocationCommand.parse(["--rate", "5/s", "--timeline", "1s"]),
      try AllocationCommand.parse(["--agents", "1"]),
      try DirInitCommand.parse([]), try EndToEndCommand.parse(["--cold-by", "run-task"]),
      try ConcurrentCommand.parse(["--beyond", "1"]), try APICommand.parse(["--cluster", "c"]),
      try APICommand.parse([]),
      try ExhaustionCommand.parse([]),
    ]
    let names = commands.reduce(into: Set<String>()) { $0.formUnion($1.prepare(&reader).parameters.keys) }
    #expect(names.count > 30)
    #expect(names.subtracting(WorkloadParameters.others).subtracting(Self.shaping) == [])
  }
}
