import Foundation
import Testing

@testable import AWS

/// What RunTask is sent: where its tasks are to run.
@Suite struct RunTaskTests {
  private func body(
    launchType: String? = nil, capacityProvider: String? = nil, network: TaskNetwork? = nil
  ) async throws -> String {
    let transport = ScriptedTransport([.json(200, #"{"tasks":[],"failures":[]}"#)])
    _ = try await makeClient(transport, environment: ManualEnvironment().environment()).runTask(
      "shell:3", cluster: "c", count: 1, startedBy: "us", launchType: launchType, capacityProvider: capacityProvider,
      network: network)
    let body = String(decoding: try #require(transport.requests.first).body, as: UTF8.self)
    return body.replacing(/"clientToken":"[-0-9A-F]{36}",/, with: "")
  }

  private static let rest = #""cluster":"c","count":1"#

  @Test func nothingIsSentOfWhatIsNotAskedFor() async throws {
    #expect(try await body() == #"{\#(Self.rest),"startedBy":"us","taskDefinition":"shell:3"}"#)
  }

  @Test func launchTypeAndCapacityProviderHaveFieldsOfTheirOwn() async throws {
    #expect(
      try await body(launchType: "EC2")
        == #"{\#(Self.rest),"launchType":"EC2","startedBy":"us","taskDefinition":"shell:3"}"#)
    let strategy = #""capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT"}]"#
    #expect(
      try await body(capacityProvider: "FARGATE_SPOT")
        == #"{\#(strategy),\#(Self.rest),"startedBy":"us","taskDefinition":"shell:3"}"#)
  }

  @Test(arguments: [
    (TaskNetwork(subnets: ["a", "b"]), #""assignPublicIp":"DISABLED","subnets":["a","b"]"#),
    (
      TaskNetwork(subnets: ["a"], securityGroups: ["g"], assignsPublicIP: true),
      #""assignPublicIp":"ENABLED","securityGroups":["g"],"subnets":["a"]"#
    ),
  ]) func theNetworkIsThatOfAwsvpc(network: TaskNetwork, sent: String) async throws {
    #expect(try await body(network: network).contains(#""networkConfiguration":{"awsvpcConfiguration":{\#(sent)}}"#))
  }

  @Test func whatFoundNoRoomIsInTheFailures() async throws {
    let transport = ScriptedTransport([
      .json(200, #"{"tasks":[],"failures":[{"arn":"i","reason":"RESOURCE:MEMORY","detail":"d"}]}"#)
    ])
    let answer = try await makeClient(transport, environment: ManualEnvironment().environment())
      .runTask("shell", cluster: nil, count: 1)
    #expect(answer.value.isEmpty && answer.failures == [ECSFailure(arn: "i", reason: "RESOURCE:MEMORY", detail: "d")])
  }
}
