import FoundationEssentials
import TextFormatting

/// Reads a service's error: JSON from AWS itself, or XML or HTML from a proxy or load balancer before it.
struct ErrorAnswer {
  private struct Body: Decodable {
    var type: String?
    var code: String?
    var message: String?

    enum CodingKeys: String, CodingKey {
      case type = "__type"
      case code
      case message
      case capitalizedMessage = "Message"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      // A field of another type counts as missing, because a decoding error would hide the service's own error.
      func text(_ key: CodingKeys) -> String? { try? container.decodeIfPresent(String.self, forKey: key) }
      type = text(.type)
      code = text(.code)
      message = text(.message) ?? text(.capitalizedMessage)
    }
  }

  var code: String
  var message: String

  init(_ response: HTTPResponse, _ redaction: Redaction) {
    let body = try? JSONDecoder().decode(Body.self, from: Data(response.body))
    let xml = body == nil ? String(decoding: response.body.prefix(4_096), as: UTF8.self) : ""
    let rawCode = body?.type ?? body?.code ?? response.header("x-amzn-errortype")
    code = ErrorAnswer.bareCode(redaction.text(rawCode ?? ErrorAnswer.element("Code", of: xml) ?? ""))
    let text = body == nil ? ErrorAnswer.element("Message", of: xml) : body?.message ?? ""
    // Redaction comes before the cut, because a part of a secret is secret too.
    message =
      text.map { ErrorAnswer.printable(redaction.text(ErrorAnswer.withoutCanonicalString($0))) }
      ?? ErrorAnswer.firstLine(of: response.body, redaction)
    if code.isEmpty, message.isEmpty { message = "the service answered HTTP \(response.status) without a word" }
  }

  /// `prefix#ClusterNotFoundException:http://…` → `ClusterNotFoundException`.
  static func bareCode(_ text: String) -> String {
    let untilColon = text.prefix { $0 != ":" }
    let afterHash = untilColon.lastIndex(of: "#").map { untilColon[untilColon.index(after: $0)...] } ?? untilColon
    return String(printable(String(afterHash)).prefix(100))
  }

  /// The text of the first `<name>`, the form of errors in the query protocols (STS, IAM); `nil` where there is no such
  /// element.
  private static func element(_ name: String, of xml: String) -> String? {
    guard let start = xml.firstRange(of: "<\(name)>")?.upperBound,
      let end = xml[start...].firstRange(of: "</\(name)>")?.lowerBound
    else { return nil }
    return String(xml[start..<end])
  }

  /// The message without the canonical string that AWS adds to it: a user cannot use it, and it holds the session
  /// token.
  private static func withoutCanonicalString(_ message: String) -> String {
    message.firstRange(of: "The Canonical String").map { String(message[..<$0.lowerBound]) } ?? message
  }

  /// The first line that is not blank, at most 200 characters.
  static func firstLine(of body: [UInt8], _ redaction: Redaction) -> String {
    let lines = body.prefix(4_096).split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    for line in lines {
      let text = printable(redaction.text(String(decoding: line, as: UTF8.self)))
      if text.contains(where: { $0 != " " }) { return String(text.prefix(200)) }
    }
    return ""
  }

  /// One line without characters that could steer a terminal, at most 1,000 Unicode scalars.
  static func printable(_ text: String) -> String { PlainText.line(text, limit: 1_000) }
}

extension AWSError {
  /// Codes of throttling, in botocore's standard retry mode.
  static let throttlingCodes: Set<String> = [
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
    "TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown", "LimitExceededException",
    "ProvisionedThroughputExceededException", "PriorRequestNotComplete", "EC2ThrottledException",
    "TransactionInProgressException",
  ]

  /// Codes that are retried at any status.
  private static let transientCodes: Set<String> = [
    "RequestTimeout", "RequestTimeoutException", "InternalFailure", "InternalServerError", "ServerException",
    "ServiceUnavailable", "IDPCommunicationError",
  ]

  private static let parameterCodes: Set<String> = [
    "ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException", "InvalidParameterException",
    "ClientException", "ValidationException", "ValidationError", "PlatformUnknownException",
    "PlatformTaskDefinitionIncompatibilityException", "UnsupportedFeatureException", "TaskSetNotFoundException",
    "TargetNotFoundException", "MissingVersionException", "NamespaceNotFoundException",
  ]

  private static let credentialCodes: Set<String> = [
    "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
    "IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "InvalidAccessKeyId", "AuthFailure",
  ]

  /// Classifies an answer that is not a result.
  init(answer response: HTTPResponse, _ context: CallContext) {
    let answer = ErrorAnswer(response, context.redaction)
    let kind = AWSError.kind(of: answer, status: response.status)
    let hint = AWSError.hint(for: kind, answer, response.status, context)
    self.init(
      kind, code: answer.code, message: answer.message, hint: hint,
      requestID: response.requestID.map(context.redaction.text), httpStatus: response.status)
    // An answer without a code, or of status 5xx, may come from a proxy before the service; and STS has no flag of its
    // own.
    let isEndpointInDoubt = answer.code.isEmpty || kind == .server || context.target.signingName != "ecs"
    call = isEndpointInDoubt ? context.place : context.action
  }

  private static func kind(of answer: ErrorAnswer, status: Int) -> Kind {
    switch answer.code {
    // ECS reports a lack of capacity under codes that otherwise name a wrong parameter.
    case let code where parameterCodes.contains(code) && isLackOfCapacity(answer.message): .capacity
    case let code where throttlingCodes.contains(code): .throttled
    case let code where parameterCodes.contains(code): .wrongParameter
    case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorized": .accessDenied
    case "ExpiredTokenException", "ExpiredToken": .expiredCredentials
    case "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture": .clockSkew
    case let code where credentialCodes.contains(code): isClockSkew(answer.message) ? .clockSkew : .wrongCredentials
    case let code where transientCodes.contains(code): .server
    default: [500, 502, 503, 504].contains(status) ? .server : status == 429 ? .throttled : .other
    }
  }

  /// Whether RunTask on Fargate reports a lack of capacity; see "RunTask", Amazon ECS API Reference, and AWS's
  /// troubleshooting pages.
  private static func isLackOfCapacity(_ message: String) -> Bool {
    let message = message.lowercased()
    return message.contains("capacity is unavailable") || message.contains("try again later")
      || message.contains("reached the limit on the number of")
  }

  private static func isClockSkew(_ message: String) -> Bool {
    message.contains("Signature expired") || message.contains("Signature not yet current")
  }

  /// An answer of status 200 whose body is not the operation's.
  init(malformed response: HTTPResponse, _ context: CallContext) {
    let what =
      context.answerIsSecret
      ? "\(response.body.count) bytes" : "'\(ErrorAnswer.firstLine(of: response.body, context.redaction))'"
    self.init(
      .malformedAnswer, message: "the answer to \(context.action) is not what this operation answers with: \(what)",
      hint: "check \(context.target.endpointSetting): is \(context.target.endpoint.url) the service's endpoint?",
      requestID: response.requestID.map(context.redaction.text), httpStatus: response.status)
  }

  /// The error of a transfer without a complete answer.
  init(_ error: TransferError, _ context: CallContext) {
    let hint: String? =
      switch error.kind {
      case .cancelled, .shutDown: nil
      case .malformedAnswer, .answerTooLarge: "check \(context.target.endpointSetting): what answers there is not AWS"
      case .tls: "check \(context.target.endpointSetting); AWS_CA_BUNDLE names a file of other authorities to trust"
      default: "check \(context.target.endpointSetting), --region, the network and the proxy (HTTPS_PROXY, NO_PROXY)"
      }
    self.init(
      .transfer, message: "\(context.place) got no answer: \(error.message)",
      hint: hint, transfer: error)
  }
}

extension HTTPResponse {
  /// The service's id for this exchange, printable and bounded.
  var requestID: String? {
    header("x-amzn-requestid").map { String(ErrorAnswer.printable($0).prefix(100)) }
  }
}

/// Removes secrets from text that a service wrote, because services echo what was signed, whole or cut off.
struct Redaction: Sendable {
  private static let replacement = Array("[redacted]".utf8)
  private static let stemLength = 8

  /// The beginnings of the secrets, plain and percent-encoded. The beginnings suffice, and they also match an echo that
  /// was cut.
  private let stems: [[UInt8]]

  /// - Parameter accessKeyID: not a secret, but scanners for secrets report it. It is taken out only if it has at least
  ///   the 16 characters of AWS's ids, because the ids of test servers are ordinary words.
  init(_ secrets: [String], accessKeyID: String? = nil) {
    let ids = accessKeyID.map { $0.utf8.count < 16 ? [] : [$0] } ?? []
    stems = (secrets + ids).filter { !$0.isEmpty }
      .flatMap { [$0, PercentEncoding.encode($0)] }
      .map { Array($0.utf8.prefix(Redaction.stemLength)) }
  }

  /// The text without words that begin like a secret, and without the values of `Authorization`.
  func text(_ text: String) -> String {
    String(decoding: withoutAuthorization(withoutSecrets(Array(text.utf8))), as: UTF8.self)
  }

  private func withoutSecrets(_ bytes: [UInt8]) -> [UInt8] {
    guard !stems.isEmpty else { return bytes }
    var result: [UInt8] = []
    var rest = bytes[...]
    while let first = rest.first {
      guard let stem = stems.first(where: { rest.starts(with: $0) }) else {
        result.append(first)
        rest = rest.dropFirst()
        continue
      }
      result += Redaction.replacement
      // The rest of the word goes too, because its further characters may be escaped in some way.
      rest = rest.dropFirst(stem.count).drop { !Redaction.endsWord($0) }
    }
    return result
  }

  /// The bytes with each `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` replaced.
  private func withoutAuthorization(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = bytes[...]
    while let start = rest.firstRange(of: "AWS4-HMAC-SHA256 Credential=".utf8) {
      result += rest[..<start.lowerBound] + Redaction.replacement
      let signature = rest[start.upperBound...].firstRange(of: "Signature=".utf8)
      rest = signature.map { rest[$0.upperBound...].drop { !Redaction.endsWord($0) } } ?? []
    }
    return result + rest
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    byte <= 0x20 || "\"'<>,)".utf8.contains(byte)
  }
}
