import Foundation
import Latency
import Testing
import TestSupport
@testable import AWS

@Suite struct RedactionTests {
  /// As long as AWS's tokens are, and of the same characters.
  static let token = "IQoJb3JpZ2luX2Vj" + String(repeating: "Ab9/+x", count: 150) + "=="
  static let key = AWSCredentials(
    accessKeyID: "ASIATEST", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", sessionToken: token,
    source: "the test")

  static func error(_ body: String, _ status: Int = 403, answerIsSecret: Bool = false) throws -> AWSError {
    let target = ServiceTarget(
      signingName: "ecs", region: "r", endpoint: try ServiceEndpoint(parsing: "http://h", source: ""),
      endpointSetting: "--ecs-endpoint-url")
    var request = ServiceRequest(operation: "ListTasks", headers: [], body: [], secrets: ["web-identity.t0k3n"])
    request.answerIsSecret = answerIsSecret
    let context = CallContext(request, target: target, credentials: key)
    let response = HTTPResponse(
      status: status, headers: [("x-amzn-requestid", "r \(token)"), ("x-amzn-errortype", token)],
      body: Array(body.utf8),
      timings: TransferTimings(sentAt: 0, answeredAt: 0))
    return status == 200 ? AWSError(malformed: response, context) : AWSError(answer: response, context)
  }

  /// Every textual form of an error.
  static func texts(_ error: AWSError) -> String {
    var dumped = ""
    dump(error, to: &dumped)
    return "\(error) \(String(reflecting: error)) \(dumped) \(error.localizedDescription)"
  }

  static var echoes: [String] {
    let canonical =
      "The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n"
      + "'POST\n/\n\nhost:h\nx-amz-date:20260202T024000Z\nx-amz-security-token:\(token)\n\nhost\nabc'"
    let header =
      "AWS4-HMAC-SHA256 Credential=ASIATEST/d/r/ecs/aws4_request, SignedHeaders=host, Signature=0123456789abcdef"
    return [
      key.secretAccessKey, token, canonical, header, "before \(header), after", "'\(header)' not a valid header",
      String(repeating: "x", count: 995) + token, String(repeating: "x", count: 190) + token,
      "x-amz-security-token:" + token.prefix(500), token.replacingOccurrences(of: "/", with: "&#x2F;"),
      key.secretAccessKey.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "", "web-identity.t0k3n",
      String(repeating: "\n", count: 4_050) + token, "AWS4-HMAC-SHA256 Credential=ASIATEST/x, cut off Sig",
    ]
  }

  @Test(arguments: echoes.indices) func whatAServiceEchoesIsNotShown(index: Int) throws {
    let echo = RedactionTests.echoes[index]
    for type in ["SignatureDoesNotMatch", "InvalidSignatureException", "Other"] {
      let json = try JSONEncoder().encode(["__type": type, "message": echo])
      let bodies = [
        String(decoding: json, as: UTF8.self), echo, "<html>\(echo)</html>", "{\"__type\":\"\(RedactionTests.token)\"}",
        "<Error><Code>\(type)</Code><Message>\(echo)</Message></Error>",
      ]
      for (body, status) in bodies.flatMap({ [($0, 403), ($0, 200)] }) {
        let text = RedactionTests.texts(try RedactionTests.error(body, status))
        for secret in ["wJalrXUt", "bPxRfiCY", "IQoJb3Jp", "Ab9/+x", "web-iden", "0123456789abcdef", "Credential="] {
          #expect(!text.contains(secret), "\(text)")
        }
      }
    }
  }

  @Test func whatIsNoSecretStays() throws {
    let text = try RedactionTests.error(#"{"__type":"X","message":"say \#(RedactionTests.token), ASIATEST is wrong"}"#)
    #expect(text.message == "say [redacted], ASIATEST is wrong")
    let without = Redaction(["", "ab"])
    #expect(without.text("a b abc a") == "a b [redacted] a")
    // Encoded within its first characters already.
    #expect(Redaction(["a/+=ef ghij"]).text("t=a%2F%2B%3Def%20ghij u") == "t=[redacted] u")
    #expect(Redaction([]).text("ä\u{0}b") == "ä\u{0}b")
  }

  @Test func anEchoedKeyIDIsNotShownButAWordThatATestServerTakesForOneIs() throws {
    let id = "AKIAIOSFODNN7EXAMPLE"
    #expect(Redaction([], accessKeyID: id).text("user \(id), no") == "user [redacted], no")
    #expect(Redaction([], accessKeyID: "test").text("testing the test") == "testing the test")
    let context = CallContext(
      ServiceRequest(operation: "ListTasks", headers: [], body: []),
      target: ServiceTarget(
        signingName: "ecs", region: "r", endpoint: try ServiceEndpoint(parsing: "http://h", source: ""),
        endpointSetting: "--ecs-endpoint-url"),
      credentials: AWSCredentials(accessKeyID: id, secretAccessKey: "s3cr3t", source: "the test"))
    for type in ["AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException", "Other"] {
      let response = HTTPResponse(
        status: 400, headers: [], body: Array(#"{"__type":"\#(type)","message":"\#(id) may not"}"#.utf8),
        timings: TransferTimings(sentAt: 0, answeredAt: 0))
      let text = RedactionTests.texts(AWSError(answer: response, context))
      #expect(text.contains(" may not") && !text.contains("AKIA") && !text.contains("EXAMPLE"), "\(text)")
    }
  }

  @Test func ofAnAnswerThatHoldsSecretsOnlyTheSizeIsShown() throws {
    let body = "<AssumeRoleResponse><SecretAccessKey>new-one</SecretAccessKey>"
    let text = RedactionTests.texts(try RedactionTests.error(body, 200, answerIsSecret: true))
    #expect(!text.contains("new-one") && text.contains("62 bytes"))
  }

  @Test func controlCharactersSteerNoTerminal() throws {
    let error = try RedactionTests.error(#"{"__type":"X","message":"\#u{5c}u001b[31m red\#u{5c}r\#u{5c}nline"}"#)
    #expect(error.message == " [31m red  line")
    #expect(try RedactionTests.error("\u{1b}[2J<p>").message == " [2J<p>")
  }
}
