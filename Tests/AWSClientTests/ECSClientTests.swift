import AWSSignature
import Foundation
import Testing

@testable import AWSClient

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

  @Test func instantsAreReadInEveryNotation() async throws {
    let transport = ScriptedTransport([
      .json(
        200,
        #"{"tasks":[{"taskArn":"arn:aws:ecs:r:1:task/c/id1","lastStatus":"RUNNING","createdAt":1.769903999123E9,"#
          + #""startedAt":1769904001,"stoppedAt":null}]}"#)
    ])
    let client = try makeClient(transport, environment: ManualEnvironment().environment())
    let task = try #require(try await client.describeTasks(["id1"], cluster: nil).value.first)
    #expect(task.createdAt == 1_769_903_999.123)
    #expect(task.startedAt == 1_769_904_001)
    #expect(task.stoppedAt == nil)
    #expect(task.taskID == "id1" && task.isRunning)
  }

  static let noListing: [String] = [
    "", " ", "null", "true", "[]", "\"\"", "{}", "{\"taskArns\":null}", "{\"taskArns\":\"a\"}", "{\"taskArns\":[1]}",
    "{\"taskArns\":[\"a\"]", "{\"taskArns\":[\"a\"]}}", "{\"taskArns\":[],\"nextToken\":7}", "{\"taskarns\":[]}",
    "<?xml version=\"1.0\"?><ListAllMyBucketsResult/>", "<html><body>OK</body></html>", "\u{0}\u{0}",
    String(repeating: "[", count: 100_000), String(repeating: "{\"taskArns\":", count: 50_000),
    "{\"taskArns\":" + String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000) + "}",
  ]

  @Test(arguments: noListing.indices)
  func anAnswerWithoutAListIsAnErrorAndNotAnEmptyList(index: Int) async throws {
    let transport = ScriptedTransport([.json(200, ECSClientTests.noListing[index])])
    let error = await awsError {
      _ = try await makeClient(transport, environment: ManualEnvironment().environment()).listTasks(.init())
    }
    #expect(error?.kind == .malformedAnswer)
    #expect((error?.description.count ?? 0) < 600)
  }

  @Test(arguments: [200, 400, 403, 500])
  func randomBytesGiveATypedErrorAndNeverACrash(status: Int) async throws {
    var random = SeededBytes(state: UInt64(status))
    for round in 0..<500 {
      var body = random.bytes(count: round % 97)
      if round.isMultiple(of: 2) { body = Array(#"{"taskArns":["#.utf8) + body }
      let response = HTTPResponse(
        status: status, headers: [("x-amzn-errortype", String(decoding: body, as: UTF8.self))], body: body,
        timings: TransferTimings(sentAt: 0, answeredAt: 0))
      let client = try makeClient(
        ScriptedTransport([.success(response)]), environment: ManualEnvironment().environment())
      let error = await awsError { _ = try await client.listTasks(.init(), retry: .never) }
      #expect(error != nil, "round \(round)")
    }
  }

  @Test func truncationAtEveryByteIsAnError() async throws {
    let whole = #"{"tasks":[{"taskArn":"a","lastStatus":"RUNNING","createdAt":1.7E9}],"failures":[]}"#
    for length in 0..<whole.utf8.count {
      let transport = ScriptedTransport([.json(200, String(whole.prefix(length)))])
      let error = await awsError {
        _ = try await makeClient(transport, environment: ManualEnvironment().environment())
          .describeTasks(["a"], cluster: nil)
      }
      #expect(error?.kind == .malformedAnswer, "\(length) bytes")
    }
  }
}

/// Bytes that are the same in every run (xorshift64*).
struct SeededBytes {
  var state: UInt64

  mutating func bytes(count: Int) -> [UInt8] {
    (0..<count).map { _ in
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return UInt8(truncatingIfNeeded: (state &* 2_685_821_657_736_338_717) >> 56)
    }
  }
}
