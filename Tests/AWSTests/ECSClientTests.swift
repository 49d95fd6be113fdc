import Foundation
import Testing
@testable import AWS

@Suite struct ECSClientTests {
  static func bodies(_ transport: ScriptedTransport) -> [String] {
    transport.requests.map { String(decoding: $0.body, as: UTF8.self) }
  }

  @Test func allPagesAreListedAndDesiredStatusIsAlwaysSent() async throws {
    let transport = ScriptedTransport([
      .json(200, #"{"taskArns":["a","b"],"nextToken":"n1"}"#), .json(200, #"{"taskArns":[],"nextToken":"n2"}"#),
      .json(200, #"{"taskArns":["c"],"nextToken":null}"#),
    ])
    let client = try makeClient(transport, environment: ManualEnvironment().environment())
    let answer = try await client.listTasks(.init(cluster: "c", serviceName: "s"))
    #expect(answer.value == ["a", "b", "c"])
    #expect(answer.calls.count == 3)
    #expect(
      ECSClientTests.bodies(transport) == [
        #"{"cluster":"c","desiredStatus":"RUNNING","maxResults":100,"serviceName":"s"}"#,
        #"{"cluster":"c","desiredStatus":"RUNNING","maxResults":100,"nextToken":"n1","serviceName":"s"}"#,
        #"{"cluster":"c","desiredStatus":"RUNNING","maxResults":100,"nextToken":"n2","serviceName":"s"}"#,
      ])
  }

  @Test func theRequestIsSignedOverExactlyTheAgreedHeaders() async throws {
    let transport = ScriptedTransport([.json(200, #"{"taskArns":[]}"#)])
    _ = try await makeClient(transport, environment: ManualEnvironment().environment()).listTasks(.init())
    let headers = try #require(transport.requests.first).headers
    let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,"
    #expect(headers.contains { $0.name == "Authorization" && $0.value.contains(signed) })
    #expect(headers.contains { $0 == ("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListTasks") })
    #expect(headers.contains { $0 == ("Content-Type", "application/x-amz-json-1.1") })
    #expect(!headers.contains { $0.value.contains(testKey.secretAccessKey) })
  }

  @Test func theErrorOfALaterPageNamesTheCallsBeforeIt() async throws {
    let transport = ScriptedTransport([
      .json(200, #"{"taskArns":["a"],"nextToken":"n1"}"#), .json(400, #"{"__type":"ThrottlingException"}"#),
    ])
    let error = await awsError {
      _ = try await makeClient(transport, environment: ManualEnvironment().environment())
        .listTasks(.init(), retry: .never)
    }
    #expect(error?.kind == .throttled)
    #expect(error?.answeredCalls.map(\.operation) == ["ListTasks"])
  }

  @Test func aListThatRepeatsItsTokenIsAnError() async throws {
    let page = ScriptedTransport.Answer.json(200, #"{"taskArns":["a"],"nextToken":"n"}"#)
    let transport = ScriptedTransport([page, page, page])
    let error = await awsError {
      _ = try await makeClient(transport, environment: ManualEnvironment().environment()).listTasks(.init())
    }
    #expect(error?.kind == .malformedAnswer)
    #expect(transport.requests.count == 2)
  }

  @Test func tasksAreDescribedInBatchesOfAHundred() async throws {
    let answer = ScriptedTransport.Answer.json(200, #"{"tasks":[],"failures":[{"arn":"x","reason":"MISSING"}]}"#)
    let transport = ScriptedTransport([answer, answer, answer])
    let client = try makeClient(transport, environment: ManualEnvironment().environment())
    let described = try await client.describeTasks((0..<250).map { "t\($0)" }, cluster: nil)
    #expect(described.failures.map(\.reason) == ["MISSING", "MISSING", "MISSING"])
    let sizes = try transport.requests.map {
      try JSONDecoder().decode([String: [String]].self, from: Data($0.body))["tasks"]?.count
    }
    #expect(sizes == [100, 100, 50])
    #expect(try await client.describeTasks([], cluster: nil).calls.isEmpty)
  }

  @Test(
    arguments: [
      ("1.769903999123E9", 1_769_903_999.123), ("1.769903999123e+9", 1_769_903_999.123),
      ("17699039991.23E-1", 1_769_903_999.123), ("1769903999.123", 1_769_903_999.123), ("1769904001", 1_769_904_001),
      ("0", 0), ("null", nil),
    ] as [(String, Double?)])
  func instantsAreReadInEveryNotation(text: String, expected: Double?) async throws {
    let task = #"{"taskArn":"arn:aws:ecs:r:1:task/c/id1","lastStatus":"RUNNING","startedAt":\#(text)}"#
    let transport = ScriptedTransport([.json(200, #"{"tasks":[\#(task)]}"#)])
    let client = try makeClient(transport, environment: ManualEnvironment().environment())
    let read = try #require(try await client.describeTasks(["id1"], cluster: nil).value.first)
    #expect(read.startedAt == expected)
    #expect(read.createdAt == nil && read.pullStartedAt == nil && read.stoppedAt == nil)
    #expect(read.taskID == "id1" && read.isRunning)
  }
}
