import AWSTestSupport
import Foundation
import Latency
import TestSupport
import Testing
@testable import AWS

/// Bodies that no service should send: each is a typed error, and none ends the process or an endless wait.
@Suite(.timeLimit(.minutes(2))) struct HostileAnswerTests {
  struct Operation: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// A right answer's body.
    var answer: String
    var call: @Sendable (ECSClient) async throws -> Void
  }

  static let task = #"{"taskArn":"a","lastStatus":"RUNNING","createdAt":1.7E9,"startedAt":null}"#
  static let service =
    #"{"serviceArn":"a","serviceName":"s","desiredCount":1,"runningCount":1,"pendingCount":0,"deployments":[{"id":"d"}]}"#

  static let operations = [
    Operation(testDescription: "ListTasks", answer: #"{"taskArns":["a","b"]}"#) {
      _ = try await $0.listTasks(.init(), retry: .never)
    },
    Operation(testDescription: "DescribeTasks", answer: #"{"tasks":[\#(task)],"failures":[{"arn":"x"}]}"#) {
      _ = try await $0.describeTasks(["a"], cluster: nil, retry: .never)
    },
    Operation(testDescription: "DescribeServices", answer: #"{"services":[\#(service)],"failures":[]}"#) {
      _ = try await $0.describeServices(["s"], cluster: nil, retry: .never)
    },
    Operation(testDescription: "UpdateService", answer: #"{"service":\#(service)}"#) {
      _ = try await $0.updateService("s", cluster: nil, desiredCount: 1, retry: .never)
    },
    Operation(testDescription: "RunTask", answer: #"{"tasks":[\#(task)],"failures":[]}"#) {
      _ = try await $0.runTask("t", cluster: nil, count: 1, retry: .never)
    },
    Operation(testDescription: "StopTask", answer: #"{"task":\#(task)}"#) {
      _ = try await $0.stopTask("t", cluster: nil, retry: .never)
    },
  ]

  static func error(_ operation: Operation, _ body: [UInt8], status: Int = 200) async throws -> AWSError? {
    let response = HTTPResponse(
      status: status, headers: [], body: body, timings: TransferTimings(sentAt: 0, answeredAt: 0))
    let client = try makeClient(
      ScriptedTransport([.success(response)]), environment: ManualEnvironment().environment())
    return await awsError { try await operation.call(client) }
  }

  static func bytes(_ seed: Int, count: Int) -> [UInt8] {
    var random = SeededRandom(seed: UInt64(seed))
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  static let randomBodies = (0..<10).map { bytes($0, count: 100_000) }

  @Test(arguments: operations) func theRightAnswerIsRead(operation: Operation) async throws {
    #expect(try await HostileAnswerTests.error(operation, Array(operation.answer.utf8)) == nil)
  }

  @Test(arguments: operations) func aHundredThousandRandomBytesAreAnError(operation: Operation) async throws {
    for body in HostileAnswerTests.randomBodies {
      for status in [200, 400, 403, 500] {
        let error = try await HostileAnswerTests.error(operation, body, status: status)
        let expected: AWSError.Kind = status == 200 ? .malformedAnswer : status == 500 ? .server : .other
        #expect(error?.kind == expected)
        #expect((error?.description.utf8.count ?? .max) < 2_000)
      }
    }
  }

  @Test(arguments: operations) func everyTruncationIsAnError(operation: Operation) async throws {
    let whole = Array(operation.answer.utf8)
    for length in whole.indices {
      #expect(
        try await HostileAnswerTests.error(operation, Array(whole[..<length]))?.kind == .malformedAnswer,
        "\(length) bytes")
    }
  }

  /// Right answers with one to three bytes changed: whatever comes of it, nothing traps.
  @Test(arguments: operations) func changedBytesAreAnErrorOrAnotherAnswer(operation: Operation) async throws {
    let whole = Array(operation.answer.utf8)
    var random = SeededRandom(seed: 7)
    for _ in 0..<WholeSuite.draws(2_000, fast: 200) {
      var body = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        body[Int.random(in: whole.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      let error = try await HostileAnswerTests.error(operation, body)
      #expect(error == nil || error?.kind == .malformedAnswer)
    }
  }

  static var shapes: [[UInt8]] {
    let depth = 100_000
    var texts = [
      "", " ", "null", "true", "[]", "{}", "\"taskArns\"", "7", "{\"taskArns\":null}", "{\"tasks\":{}}",
      "{\"service\":[]}", "{\"task\":\"RUNNING\"}", "{\"services\":[null]}", "{\"taskArns\":[1,2]}",
      "<?xml version=\"1.0\"?><ListAllMyBucketsResult/>", "<html><body>OK</body></html>", "OK",
      "{\"tasks\":[{\"taskArn\":\"a\",\"lastStatus\":1e999}]}",
      "{\"service\":{\"desiredCount\":\(String(repeating: "9", count: 100_000))}}",
      "{\"taskArns\":[-1e\(String(repeating: "9", count: 50_000))]}", "{\"taskArns\":[\"\\ud800\"",
      "{\"taskArns\":[],\"nextToken\":1e999}", "{\"taskArns\":[\"a\"]}x",
    ]
    let brackets = [("[", "]"), (#"{"a":"#, "}"), (#"{"tasks":[{"taskArn":"#, "}]}"), (#"[{"task":"#, "}]")]
    for (opening, closing) in brackets {
      let open = String(repeating: opening, count: depth)
      texts += [open, open + "1" + String(repeating: closing, count: depth)]
    }
    for key in ["taskArns", "tasks", "services", "service", "task", "__type", "message"] {
      texts.append("{\"\(key)\":\(String(repeating: "[", count: depth))")
    }
    let gzip: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56, 0x2a, 0x49, 0x2c]
    let invalidText = Array("{\"taskArns\":7,\"".utf8) + [0xff, 0xfe, 0xc3, 0x28] + Array("\":\"\"}".utf8)
    return texts.map { Array($0.utf8) } + [
      gzip, invalidText, [0xef, 0xbb, 0xbf], [0xff, 0xfe, 0x7b, 0], [0, 0, 0, 0],
    ]
  }

  @Test(.wholeSuiteOnly, arguments: operations) func otherShapesAreAnErrorAndNeverAnEmptyList(operation: Operation)
    async throws
  {
    for (index, body) in HostileAnswerTests.shapes.enumerated() {
      let text = String(decoding: body.prefix(60), as: UTF8.self)
      let error = try await HostileAnswerTests.error(operation, body)
      #expect(error?.kind == .malformedAnswer, "\(index): \(text)")
      #expect((error?.description.utf8.count ?? .max) < 2_000)
    }
  }

  @Test func otherShapesAreErrorsWithoutACodeToo() async throws {
    for (index, body) in HostileAnswerTests.shapes.enumerated() {
      let error = try await HostileAnswerTests.error(HostileAnswerTests.operations[0], body, status: 400)
      #expect(error?.kind == .other && error?.code == "", "\(index)")
    }
  }

  /// What JSON leaves open is decided somehow; the answer is one of the two.
  @Test func ofDuplicateKeysOneIsTaken() async throws {
    let transport = ScriptedTransport([.json(200, #"{"taskArns":["a"],"taskArns":["b"]}"#)])
    let tasks = try await makeClient(transport, environment: ManualEnvironment().environment()).listTasks(.init()).value
    #expect(tasks == ["a"] || tasks == ["b"])
  }

  static let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
  static let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
  static let exchanges: [(name: String, answer: [UInt8], expected: TransferError.Kind?)] = [
    ("random bytes", bytes(1, count: 100_000), .malformedAnswer),
    ("random body", Array((head + "Content-Length: 100000\r\n\r\n").utf8) + bytes(2, count: 100_000), nil),
    ("random body to the connection's end", Array((head + "\r\n").utf8) + bytes(3, count: 100_000), nil),
    ("body beyond the bound", Array((head + "\r\n").utf8) + bytes(4, count: 300_000), .answerTooLarge),
    ("length beyond the bound", Array((head + "Content-Length: 99999999999\r\n\r\n{}").utf8), .connectionLost),
    ("absurd length", Array((head + "Content-Length: 99999999999999999999999\r\n\r\n{}").utf8), nil),
    ("negative length", Array((head + "Content-Length: -5\r\n\r\n{}").utf8), nil),
    ("chunk size that is none", Array((chunked + "zz\r\n{}\r\n0\r\n\r\n").utf8), .connectionLost),
    ("absurd chunk size", Array((chunked + "ffffffffffffffffffff\r\n{}").utf8), .connectionLost),
    ("chunks without an end", Array((chunked + "2\r\n{}\r\n").utf8), .connectionLost),
    ("gzip that was not asked for", Array((head + "Content-Encoding: gzip\r\n\r\n").utf8) + [0x1f, 0x8b, 8, 0], nil),
    ("one huge header", Array((head + "X: \(String(repeating: "x", count: 500_000))\r\n\r\n").utf8), .answerTooLarge),
    ("many headers", Array((head + String(repeating: "X: y\r\n", count: 100_000) + "\r\n").utf8), .answerTooLarge),
    ("interim answers", Array(String(repeating: "HTTP/1.1 103 Early\r\n\r\n", count: 20_000).utf8), .answerTooLarge),
    ("binary header", Array((head + "X: ").utf8) + [0, 0xff, 0xfe] + Array("\r\n\r\n{}".utf8), nil),
    ("status that is none", Array("HTTP/1.1 abc OK\r\n\r\n{}".utf8), .malformedAnswer),
    ("nothing", [], .connectionLost),
  ]

  @Test(arguments: exchanges.indices) func brokenExchangesOverASocketAreTypedErrors(index: Int) async throws {
    let (name, answer, expected) = HostileAnswerTests.exchanges[index]
    try await HTTPTestServer.run { _ in
      .raw(answer)
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport(options: .init(timeout: .seconds(20), maximumBodyBytes: 200_000))
      let client = try makeClient(transport, endpoint: server.url, environment: .system { _ in })
      let error = try #require(await awsError { _ = try await client.listTasks(.init(), retry: .never) }, "\(name)")
      if let expected {
        #expect(error.transfer?.kind == expected, "\(name): \(error)")
      } else {
        #expect(error.kind == .malformedAnswer || error.kind == .transfer, "\(name): \(error)")
      }
    }
  }
}
