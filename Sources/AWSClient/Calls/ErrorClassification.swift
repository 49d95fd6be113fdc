import AWSSignature

extension AWSError {
  /// Codes that mean "fewer calls, please", in botocore's standard retry mode.
  static let throttlingCodes: Set<String> = [
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
    "TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown", "LimitExceededException",
  ]

  private static let credentialCodes: Set<String> = [
    "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
    "IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "InvalidAccessKeyId", "NotAuthorized", "AuthFailure",
  ]

  /// Classifies an answer that is no result.
  ///
  /// - Parameters:
  ///   - operation: `ecs:ListTasks`.
  ///   - credentials: what the request was signed with; redacted from the text, as services echo what was signed.
  init(answer response: HTTPResponse, operation: String, credentials: AWSCredentials) {
    let answer = ErrorAnswer(response)
    let message = credentials.redacted(answer.message)
    var hint: String?
    let kind: Kind
    switch answer.code {
    case let code where AWSError.throttlingCodes.contains(code):
      kind = .throttled
      hint = "poll less often (--poll-interval)"
    case "ClusterNotFoundException":
      kind = .wrongParameter
      hint = "check --cluster and --region"
    case "ServiceNotFoundException", "ServiceNotActiveException":
      kind = .wrongParameter
      hint = "check --service and --cluster"
    case "InvalidParameterException", "ClientException", "ValidationException":
      kind = .wrongParameter
      hint = AWSError.flagHint(for: message)
    case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation":
      kind = .accessDenied
      hint = "allow the action \(operation) to \(credentials.description)"
    case "ExpiredTokenException", "ExpiredToken":
      kind = .expiredCredentials
      hint = "renew the credentials from \(credentials.source)"
    case "InvalidSignatureException" where AWSError.isClockSkew(message), "RequestTimeTooSkewed", "RequestExpired":
      kind = .clockSkew
      hint = "set this machine's clock"
    case let code where AWSError.credentialCodes.contains(code):
      kind = .wrongCredentials
      hint = "key or secret is wrong: they came from \(credentials.source)"
    default:
      kind = [500, 502, 503, 504].contains(response.status) ? .server : response.status == 429 ? .throttled : .other
      if 300..<400 ~= response.status { hint = "redirects are not followed: check --ecs-endpoint-url" }
    }
    self.init(
      kind, code: answer.code, message: message, hint: hint, requestID: response.requestID, httpStatus: response.status)
  }

  private static func isClockSkew(_ message: String) -> Bool {
    message.contains("Signature expired") || message.contains("Signature not yet current")
  }

  /// The flag a message about a parameter speaks of.
  private static func flagHint(for message: String) -> String {
    let message = message.lowercased()
    let flags = [
      ("cluster", "--cluster"), ("service", "--service"), ("startedby", "--started-by"), ("family", "--family"),
      ("task definition", "--family"),
    ]
    let named = flags.filter { message.contains($0.0) }.map(\.1)
    return "check " + (named.isEmpty ? ["--cluster", "--service", "--family", "--started-by"] : named).joined(separator: ", ")
  }

  /// An answer of status 200 whose body is not the operation's.
  init(malformed response: HTTPResponse, operation: String, credentials: AWSCredentials) {
    let line = credentials.redacted(ErrorAnswer.firstLine(of: response.body))
    self.init(
      .malformedAnswer, message: "the answer to \(operation) is not its JSON: '\(line)'",
      hint: "is --ecs-endpoint-url really an ECS endpoint, and are the requests signed?",
      requestID: response.requestID, httpStatus: response.status)
  }

  /// No complete answer.
  init(_ error: TransferError, operation: String, url: String) {
    self.init(
      .transfer, message: "\(operation) at \(url) got no answer: \(error.message)",
      hint: error.code == .cancelled || error.code == .shutDown
        ? nil : "check --ecs-endpoint-url, --region and the network", transfer: error)
  }
}

extension HTTPResponse {
  /// The service's name for this exchange, printable and bounded.
  var requestID: String? {
    header("x-amzn-requestid").map { String(ErrorAnswer.printable($0).prefix(100)) }
  }
}
