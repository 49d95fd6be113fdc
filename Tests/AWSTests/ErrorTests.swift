import Foundation
import Latency
import Testing
import TestSupport
@testable import AWS

@Suite struct ErrorTests {
  static func classified(
    _ status: Int, _ body: String, operation: String = "ListTasks",
    headers: [(name: String, value: String)] = [("x-amzn-RequestId", "req-1")]
  ) throws -> AWSError {
    let response = HTTPResponse(
      status: status, headers: headers, body: Array(body.utf8), timings: TransferTimings(sentAt: 0, answeredAt: 0))
    let endpoint = try ServiceEndpoint(parsing: "http://127.0.0.1:9", source: "test")
    let target = ServiceTarget(
      signingName: "ecs", region: "eu-west-1", endpoint: endpoint, endpointSetting: "--ecs-endpoint-url")
    let request = ServiceRequest(operation: operation, headers: [], body: [])
    return AWSError(answer: response, CallContext(request, target: target, credentials: testKey))
  }

  struct Row: Sendable, CustomTestStringConvertible {
    var code: String
    var message = "m"
    var status = 400
    var operation = "ListTasks"
    var kind: AWSError.Kind
    /// What the description must say.
    var says: [String]

    var testDescription: String { "\(code) \(message) \(operation)" }
  }

  static let table: [Row] = [
    Row(code: "ThrottlingException", message: "Rate exceeded", kind: .throttled, says: ["--poll-interval", "Rate"]),
    Row(code: "TooManyRequestsException", kind: .throttled, says: ["--poll-interval"]),
    Row(code: "ServerException", status: 500, kind: .server, says: ["ServerException"]),
    Row(code: "InternalFailure", kind: .server, says: ["InternalFailure"]),
    Row(
      code: "com.amazonaws.ecs#ClusterNotFoundException:http://x", message: "Cluster not found.",
      kind: .wrongParameter, says: ["--cluster", "--region", "--profile", "Cluster not found."]),
    Row(
      code: "ServiceNotFoundException", message: "Service not found.", kind: .wrongParameter,
      says: ["--service", "--cluster"]),
    Row(code: "ServiceNotActiveException", operation: "UpdateService", kind: .wrongParameter, says: ["--service"]),
    Row(code: "TaskSetNotFoundException", kind: .wrongParameter, says: ["--service"]),
    Row(
      code: "InvalidParameterException", message: "The referenced cluster was inactive.", kind: .wrongParameter,
      says: ["check --cluster"]),
    Row(
      code: "InvalidParameterException", message: "startedBy can't be combined with family", kind: .wrongParameter,
      says: ["--started-by, --family"]),
    Row(
      code: "InvalidParameterException", message: "?", kind: .wrongParameter,
      says: ["--cluster, --service, --family, --started-by"]),
    Row(
      code: "InvalidParameterException", message: "?", operation: "UpdateService", kind: .wrongParameter,
      says: ["check --cluster, --service"]),
    Row(
      code: "ClientException", message: "TaskDefinition not found.", operation: "RunTask", kind: .wrongParameter,
      says: ["--task-definition"]),
    Row(
      code: "InvalidParameterException",
      message: "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
      operation: "RunTask", kind: .wrongParameter, says: ["--subnets"]),
    Row(
      code: "InvalidParameterException", message: "Error retrieving security group information for [sg-1]",
      operation: "RunTask", kind: .wrongParameter, says: ["--security-groups"]),
    Row(code: "ClientException", message: "?", operation: "StopTask", kind: .wrongParameter, says: ["check --cluster"]),
    Row(
      code: "PlatformUnknownException", message: "The platform is unknown", operation: "RunTask", kind: .wrongParameter,
      says: ["The platform is unknown"]),
    Row(code: "UnsupportedFeatureException", operation: "RunTask", kind: .wrongParameter, says: ["Unsupported"]),
    Row(code: "BlockedException", operation: "RunTask", kind: .other, says: ["blocked"]),
    Row(code: "ConflictException", operation: "RunTask", kind: .other, says: ["ConflictException: m"]),
    Row(code: "UnknownOperationException", status: 404, kind: .other, says: ["--ecs-endpoint-url"]),
    Row(
      code: "AccessDeniedException", message: "no", kind: .accessDenied,
      says: ["ecs:ListTasks", "the key …TEST from the test"]),
    Row(
      code: "AccessDeniedException",
      message: "User: arn:aws:iam::1:user/u is not authorized to perform: ecs:StopTask on resource: arn:aws:ecs:x",
      operation: "StopTask", kind: .accessDenied,
      says: [
        "User: arn:aws:iam::1:user/u", "on resource: arn:aws:ecs:x",
        "allow the action ecs:StopTask to the key …TEST from the test",
      ]),
    Row(
      code: "AccessDeniedException",
      message: "User: u is not authorized to perform: iam:PassRole on resource: r because no identity-based policy",
      operation: "RunTask", kind: .accessDenied, says: ["allow the action iam:PassRole"]),
    Row(
      code: "AccessDeniedException",
      message: "User: u is not authorized to perform: ecs:ListTasks with an explicit deny in a service control policy",
      kind: .accessDenied, says: ["a policy denies ecs:ListTasks"]),
    Row(code: "ExpiredTokenException", kind: .expiredCredentials, says: ["the test"]),
    Row(code: "InvalidSignatureException", message: "Signature expired: 1", kind: .clockSkew, says: ["clock"]),
    Row(code: "InvalidSignatureException", message: "Signature not yet current: 1", kind: .clockSkew, says: ["clock"]),
    Row(code: "RequestTimeTooSkewed", status: 403, kind: .clockSkew, says: ["clock"]),
    Row(code: "RequestExpired", kind: .clockSkew, says: ["clock"]),
    Row(
      code: "InvalidSignatureException", message: "no match", kind: .wrongCredentials,
      says: ["they came from the test", "--profile"]),
    Row(
      code: "InvalidSignatureException", message: "Credential should be scoped to a valid region.",
      kind: .wrongCredentials, says: ["--region", "--ecs-endpoint-url"]),
    Row(code: "UnrecognizedClientException", kind: .wrongCredentials, says: ["the test", "--profile"]),
    Row(code: "InvalidClientTokenId", status: 403, kind: .wrongCredentials, says: ["the test"]),
    Row(code: "IncompleteSignatureException", kind: .wrongCredentials, says: ["the test"]),
    Row(code: "SomethingNew", kind: .other, says: ["SomethingNew: m"]),
  ]

  @Test(arguments: table) func everyCodeSaysWhatToDoAndWhichRequestItWas(row: Row) throws {
    for key in ["message", "Message"] {
      let body = try JSONEncoder().encode(["__type": row.code, key: row.message])
      let error = try ErrorTests.classified(row.status, String(decoding: body, as: UTF8.self), operation: row.operation)
      #expect(error.kind == row.kind)
      for text in row.says { #expect(error.description.contains(text), "\(error)") }
      #expect(error.description.contains("request id req-1") && error.description.contains("HTTP \(row.status)"))
      #expect(error.httpStatus == row.status)
    }
  }

  @Test(arguments: [
    ("ListTasks", "--poll-interval"), ("DescribeTasks", "--poll-interval"), ("RunTask", "start fewer tasks at once"),
    ("StopTask", "rate of StopTask"), ("UpdateService", "rate of UpdateService"),
    ("DescribeServices", "rate of DescribeServices"),
  ])
  func onlyThrottledPollsBlameThePollInterval(operation: String, says: String) throws {
    let body = #"{"__type":"ThrottlingException","message":"Rate exceeded"}"#
    let hint = try #require(try ErrorTests.classified(400, body, operation: operation).hint)
    #expect(hint.contains(says) && hint.contains("--poll-interval") == (says == "--poll-interval"), "\(hint)")
  }

  @Test(arguments: [
    ("<html>\n<h1>502 Bad Gateway</h1>", 502, AWSError.Kind.server, "<html>"),
    ("", 503, .server, "HTTP 503"), ("", 504, .server, "HTTP 504"), ("", 429, .throttled, "HTTP 429"),
    ("", 501, .other, "HTTP 501"), ("", 301, .other, "--ecs-endpoint-url"), ("", 307, .other, "not followed"),
    ("\n\n  \n<?xml version='1.0'?>\nsecond", 403, .other, "<?xml version='1.0'?>"),
    ("<html><title>403 by the gateway", 403, .other, "no answer of AWS's own"),
    ("<Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error>", 403, .wrongCredentials, "Id: no"),
    ("<Code>Throttling", 400, .other, "<Code>Throttling"), ("<Code></Code>", 403, .other, "<Code></Code>"),
    (#"{"__type":5,"message":["x"]}"#, 400, .other, "HTTP 400"), ("[1,2]", 400, .other, "[1,2]"),
    (#"{"message":"Missing Authentication Token"}"#, 403, .other, "Missing Authentication Token"),
  ])
  func answersOfOthersShowTheirFirstLine(body: String, status: Int, kind: AWSError.Kind, text: String) throws {
    let error = try ErrorTests.classified(status, body)
    #expect(error.kind == kind)
    #expect(error.description.contains(text), "\(error)")
    #expect(error.description.contains("req-1"))
    #expect(error.httpStatus == status)
  }

  @Test(arguments: [
    ("<!doctype html>", 500), ("", 503), ("<html>\n<h1>502 Bad Gateway</h1>", 502), ("<title>403", 403), ("", 429),
    (#"{"message":"Missing Authentication Token"}"#, 403), (#"{"__type":"ServerException","message":"m"}"#, 500),
  ])
  func answersOfOthersAndFailuresNameOperationAndEndpoint(body: String, status: Int) throws {
    for operation in ["ListTasks", "StopTask"] {
      let error = try ErrorTests.classified(status, body, operation: operation)
      #expect(error.description.hasPrefix("ecs:\(operation) at http://127.0.0.1:9/: "), "\(error)")
      #expect(error.hint != nil || error.code == "ServerException", "\(error)")
      if status >= 500, error.code.isEmpty { #expect(error.hint?.contains("--ecs-endpoint-url") == true, "\(error)") }
    }
  }

  /// A line break of Unicode's, an override of the direction and a mark of it: what follows would read as something else.
  @Test(
    arguments: ["\u{1b}", "\u{9b}", "\u{2028}", "\u{2029}", "\u{202e}", "\u{2066}", "\u{200f}", "\u{61c}"]
      as [Character])
  func whatCouldSteerATerminalIsNotRepeated(character: Character) throws {
    let digits = String(character.unicodeScalars.reduce(0) { $1.value + $0 }, radix: 16)
    let escaped = "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    let json = try ErrorTests.classified(400, #"{"__type":"A\#(escaped)B","message":"left\#(escaped)right"}"#)
    #expect(!json.description.contains(character) && json.description.contains("A B: left right"), "\(json)")
    let page = try ErrorTests.classified(502, "left\(character)right")
    #expect(!page.description.contains(character) && page.description.contains("left right"), "\(page)")
  }

  @Test func errorsOfTheServiceNameTheOperation() throws {
    let error = try ErrorTests.classified(400, #"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#)
    #expect(error.description.hasPrefix("ecs:ListTasks: ClusterNotFoundException: Cluster not found. (HTTP 400"))
  }

  @Test func theHeaderNamesTheErrorWhereTheBodyDoesNot() throws {
    let error = try ErrorTests.classified(
      400, #"{"message":"m"}"#, headers: [("X-Amzn-ErrorType", "ClusterNotFoundException:http://x/")])
    #expect(error.code == "ClusterNotFoundException")
  }

  @Test(arguments: [
    ("a#B:c", "B"), ("B", "B"), ("B:", "B"), ("#", ""), ("", ""), ("a#b#C", "C"), (":x", ""),
    ("http://internal#Code", "http"),
  ])
  func codesAreCutAtTheColonAndKeptAfterTheHash(text: String, code: String) {
    #expect(ErrorAnswer.bareCode(text) == code)
  }

  @Test(arguments: [
    ("Sun, 06 Nov 1994 08:49:37 GMT", Int64(784_111_777)), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("", nil),
    ("Sun, 31 Feb 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49 GMT", nil),
  ])
  func httpDatesAreRead(text: String, seconds: Int64?) { #expect(HTTPDate.epochSeconds(text) == seconds) }
}
