import Testing

@testable import InfraBench

struct LoadShapeTests {
  private func shape(
    _ parameters: [String: JSONValue], label: String? = nil, kind: String = "embedded", byLabel: Bool = false
  ) throws -> LoadShape {
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

  @Test(arguments: [
    "count", "duration", "concurrency", "maxInFlight", "warmup", "timeout", "threads", "stages", "rate", "arrival",
    "dropWhenBusy", "precise", "thinkTime", "agents", "poolSize", "maxTasks", "taskStartDelay", "waitFor", "hold",
    "bursts", "beyond", "writers", "fsync", "command", "message", "coldBy", "pollInterval", "startTimeout",
    "launchType", "capacityProvider", "drainBy", "drainCount", "cycles", "settle", "refillTimeout", "release",
    "coldFallback", "iterations", "ofALaterVersion",
  ])
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

  /// A parameter that a tool gets must be put on one of the lists above.
  @Test func everyParameterOfTheToolsIsThoughtOf() throws {
    var reader = OptionReader(environment: [:])
    let load = reader.load(try LoadOptions.parse([]), try ArrivalOptions.parse(["--rate", "5/s"]), defaultCount: 1)
    let names = Set(load.parameters.keys)
    #expect(names.intersection(LoadParameters.others) == ["userId", "seed"])
  }
}
