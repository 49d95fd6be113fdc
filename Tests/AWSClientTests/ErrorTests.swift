import AWSSignature
import Testing

@testable import AWSClient

@Suite struct ErrorTests {
  static func classified(
    _ status: Int, _ body: String, headers: [(name: String, value: String)] = [("x-amzn-RequestId", "req-1")]
  ) throws -> AWSError {
    let response = HTTPResponse(
      status: status, headers: headers, body: Array(body.utf8), timings: TransferTimings(sentAt: 0, answeredAt: 0))
    let endpoint = try ServiceEndpoint(parsing: "http://127.0.0.1:9", source: "test")
    let target = ServiceTarget(
      signingName: "ecs", region: "eu-west-1", endpoint: endpoint, endpointSetting: "--ecs-endpoint-url")
    let request = ServiceRequest(operation: "ListTasks", headers: [], body: [])
    return AWSError(answer: response, CallContext(request, target: target, credentials: testKey))
  }

  @Test(arguments: [
    (#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#, 400, AWSError.Kind.throttled, "--poll-interval"),
    (
      #"{"__type":"com.amazonaws.ecs#ClusterNotFoundException:http://x","message":"m"}"#, 400, .wrongParameter,
      "--cluster"
    ),
    (#"{"__type":"ServiceNotFoundException","Message":"m"}"#, 400, .wrongParameter, "--service"),
    (#"{"__type":"InvalidParameterException","message":"Invalid startedBy"}"#, 400, .wrongParameter, "--started-by"),
    (#"{"__type":"InvalidParameterException","message":"?"}"#, 400, .wrongParameter, "--family"),
    (#"{"__type":"AccessDeniedException","Message":"no"}"#, 400, .accessDenied, "ecs:ListTasks"),
    (#"{"__type":"ExpiredTokenException","message":"m"}"#, 400, .expiredCredentials, "the test"),
    (#"{"__type":"InvalidSignatureException","message":"Signature expired: 1"}"#, 400, .clockSkew, "clock"),
    (#"{"__type":"InvalidSignatureException","message":"Signature not yet current: 1"}"#, 400, .clockSkew, "clock"),
    (#"{"__type":"InvalidSignatureException","message":"does not match"}"#, 400, .wrongCredentials, "the test"),
    (#"{"__type":"UnrecognizedClientException","message":"m"}"#, 400, .wrongCredentials, "the test"),
    (#"{"__type":"SomethingNew","message":"m"}"#, 400, .other, "SomethingNew"),
    (#"{"__type":"ServerException","message":"m"}"#, 500, .server, "ServerException"),
    ("<html>\n<h1>502 Bad Gateway</h1>", 502, .server, "<html>"),
    ("", 503, .server, "HTTP 503"), ("", 504, .server, "HTTP 504"), ("", 429, .throttled, "HTTP 429"),
    ("", 501, .other, "HTTP 501"), ("", 301, .other, "--ecs-endpoint-url"),
    ("\n\n  \n<?xml version='1.0'?>\nsecond", 403, .other, "<?xml version='1.0'?>"),
    ("<Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error>", 403, .wrongCredentials, "Id: no"),
    ("<Code>Throttling", 400, .other, "<Code>Throttling"), ("<Code></Code>", 403, .other, "<Code></Code>"),
    (#"{"__type":5,"message":["x"]}"#, 400, .other, "HTTP 400"), ("[1,2]", 400, .other, "[1,2]"),
  ])
  func errorsAreClassifiedAndSayWhatToDo(body: String, status: Int, kind: AWSError.Kind, text: String) throws {
    let error = try ErrorTests.classified(status, body)
    #expect(error.kind == kind)
    #expect(error.description.contains(text), "\(error)")
    #expect(error.description.contains("req-1"))
    #expect(error.httpStatus == status)
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

  @Test func whatTheServiceEchoesIsRedactedAndSteersNoTerminal() throws {
    let body = #"{"__type":"InvalidSignatureException","message":"token:tOkEn-value sEcReT/value \#u{5c}u001b[31m"}"#
    let text = try ErrorTests.classified(400, body).description
    #expect(!text.contains("tOkEn-value") && !text.contains("sEcReT/value") && !text.contains("\u{1b}"))
    let html = try ErrorTests.classified(403, "<p>tOkEn-value").description
    #expect(!html.contains("tOkEn-value"))
  }

  @Test(arguments: [
    ("Sun, 06 Nov 1994 08:49:37 GMT", Int64(784_111_777)), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("", nil),
    ("Sun, 31 Feb 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49 GMT", nil),
  ])
  func httpDatesAreRead(text: String, seconds: Int64?) { #expect(HTTPDate.epochSeconds(text) == seconds) }
}
