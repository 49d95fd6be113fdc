extension AWSError {
  /// Codes that mean "fewer calls, please", in botocore's standard retry mode.
  static let throttlingCodes: Set<String> = [
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
    "TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown", "LimitExceededException",
    "ProvisionedThroughputExceededException", "PriorRequestNotComplete", "EC2ThrottledException",
    "TransactionInProgressException",
  ]

  /// Codes that are worth another try whatever their status.
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

  /// Classifies an answer that is no result.
  init(answer response: HTTPResponse, _ context: CallContext) {
    let answer = ErrorAnswer(response, context.redaction)
    let kind = AWSError.kind(of: answer, status: response.status)
    let hint = AWSError.hint(for: kind, answer, response.status, context)
    self.init(
      kind, code: answer.code, message: answer.message, hint: hint,
      requestID: response.requestID.map(context.redaction.text), httpStatus: response.status)
    // Who names no error, or fails, need not be the service; and where STS is asked, no flag says.
    let isEndpointInDoubt = answer.code.isEmpty || kind == .server || context.target.signingName != "ecs"
    call = isEndpointInDoubt ? context.place : context.action
  }

  private static func kind(of answer: ErrorAnswer, status: Int) -> Kind {
    switch answer.code {
    // Said by codes that name a wrong parameter otherwise.
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

  /// As RunTask words it on Fargate; see "RunTask", Amazon ECS API Reference, and AWS's troubleshooting pages.
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

  /// No complete answer.
  init(_ error: TransferError, _ context: CallContext) {
    let hint: String? =
      switch error.code {
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
  /// The service's name for this exchange, printable and bounded.
  var requestID: String? {
    header("x-amzn-requestid").map { String(ErrorAnswer.printable($0).prefix(100)) }
  }
}
