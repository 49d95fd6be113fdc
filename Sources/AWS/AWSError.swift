/// Why an AWS call, or the search for its credentials and settings, failed. No text in it holds a secret or a session
/// token.
public struct AWSError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of failure, as far as a program decides by it.
  public enum Kind: String, Sendable {
    /// The service asks for fewer calls; retried.
    case throttled
    /// The service or something before it failed (500, 502, 503, 504); retried.
    case server
    /// The service has no room now, or the account's limit of tasks is reached; a later call may succeed.
    case capacity
    /// A cluster, service or parameter is wrong.
    case wrongParameter
    /// The key is right but may not do this.
    case accessDenied
    /// Temporary credentials have ended.
    case expiredCredentials
    /// This machine's clock and the service's differ too much.
    case clockSkew
    /// AWS does not accept the key id, the secret or the session token.
    case wrongCredentials
    /// The body does not have the form of the operation's answer, at any status.
    case malformedAnswer
    /// No complete answer came; see ``AWSError/transfer``.
    case transfer
    /// A source of credentials (STS, a container's agent, the instance's metadata) failed or refused, after retries
    /// where these may help.
    case credentials
    /// No credentials, no region, or a malformed setting.
    case configuration
    /// Any other error the service names.
    case other
  }

  /// The kind of failure, as far as a program decides by it.
  public var kind: Kind
  /// The operation, `ecs:ListTasks`, with `at URL` where the endpoint may be wrong; `nil` where the message names it.
  public var call: String?
  /// The service's code, `ClusterNotFoundException`; empty for an error without a code.
  public var code: String
  /// What went wrong, one line.
  public var message: String
  /// The next step for the user: the flag that is wrong, the permission that is missing.
  public var hint: String?
  /// `x-amzn-requestid`.
  public var requestID: String?
  /// Status of the answer, `nil` where none came.
  public var httpStatus: Int?
  /// Why no complete answer came.
  public var transfer: TransferError?
  /// The calls of a paged or batched operation that were answered before the failed one.
  public var answeredCalls: [CallRecord] = []
  /// The tries made, 1 and up.
  public var attempts = 1
  /// How many of those tries the service refused because there were too many calls.
  public var throttles = 0
  /// Whether no further try was made because earlier failures have used up the client's retry quota.
  public var isRetryQuotaUsedUp = false

  /// Makes an error.
  public init(
    _ kind: Kind, code: String = "", message: String, hint: String? = nil, requestID: String? = nil,
    httpStatus: Int? = nil, transfer: TransferError? = nil
  ) {
    self.kind = kind
    self.code = code
    self.message = message
    self.hint = hint
    self.requestID = requestID
    self.httpStatus = httpStatus
    self.transfer = transfer
  }

  /// The call, the code and the message, without numbers and hint.
  var outcome: String { [call ?? "", code, message].filter { !$0.isEmpty }.joined(separator: ": ") }

  /// Call, code, message, status, request id, tries and hint on one line.
  public var description: String {
    var text = outcome
    let details = [
      httpStatus.map { "HTTP \($0)" }, requestID.map { "request id \($0)" }, attempts > 1 ? "\(attempts) tries" : nil,
    ].compactMap { $0 }
    if !details.isEmpty { text += " (\(details.joined(separator: ", ")))" }
    if isRetryQuotaUsedUp { text += "; not tried again, as earlier failures have used up the retry quota" }
    if let hint { text += "; \(hint)" }
    return text
  }

  /// Whether another try may succeed.
  public var isRetryable: Bool {
    switch kind {
    case .throttled, .server: true
    case .transfer: transfer?.isTransient ?? false
    default: false
    }
  }

  /// This error, worded for the call that needed the credentials of `source`; a cancelled wait keeps its kind.
  func gettingCredentials(of source: String) -> AWSError {
    guard transfer?.kind != .cancelled else { return self }
    var error = self
    error.kind = .credentials
    error.message = "no credentials of \(source): \(outcome)"
    // Call, code and transfer belonged to the request for credentials, not to the call that fails now.
    (error.call, error.code, error.transfer) = (nil, "", nil)
    return error
  }

  static func configuration(_ message: String, hint: String? = nil) -> AWSError {
    AWSError(.configuration, message: message, hint: hint)
  }
}

extension AWSError {
  /// The hint for an answer that is not a result: the flag that is wrong, the permission that is missing, the source of
  /// the credentials.
  /// credentials came from.
  static func hint(for kind: Kind, _ answer: ErrorAnswer, _ status: Int, _ context: CallContext) -> String? {
    let endpoint = context.target.endpointSetting
    let isECS = context.target.signingName == "ecs"
    switch kind {
    case .throttled: return throttlingHint(context)
    case .wrongParameter: return isECS ? parameterHint(answer, context) : nil
    case .accessDenied: return permissionHint(answer.message, context)
    case .expiredCredentials: return expiryHint(context)
    case .clockSkew: return "set this machine's clock"
    case .wrongCredentials:
      if answer.message.contains("scoped to") {
        return "check --region and \(endpoint); the credentials came from \(context.source)"
      }
      return "key or secret is wrong: they came from \(context.source); choose others with --profile"
    case .server:
      return answer.code.isEmpty ? "AWS's own errors have a code: check \(endpoint), --region and the proxy" : nil
    case .capacity, .malformedAnswer, .transfer, .credentials, .configuration: return nil
    case .other: return otherHint(answer, status, endpoint)
    }
  }

  /// A renewal reads the files and assumes roles again, but cannot change the environment of a running process.
  private static func expiryHint(_ context: CallContext) -> String {
    guard context.source == AWSCredentials.environmentSource else {
      return "renew the credentials: they came from \(context.source)"
    }
    return "the credentials came from \(context.source), which cannot be renewed while this tool runs: set new ones "
      + "and start again, or give --profile with a profile that is renewed (role_arn, credential_process)"
  }

  /// The interval is a flag of the polling operations only; other calls have no rate that a user can set.
  private static func throttlingHint(_ context: CallContext) -> String {
    switch context.action {
    case "ecs:ListTasks", "ecs:DescribeTasks": "call less often (--poll-interval)"
    case "ecs:RunTask": "start fewer tasks at once; all callers of the account share its rate of RunTask in a region"
    default: "all callers of the account share its rate of \(context.operation) in a region: try again later"
    }
  }

  private static func otherHint(_ answer: ErrorAnswer, _ status: Int, _ endpoint: String) -> String? {
    if 300..<400 ~= status { return "redirects are not followed: check \(endpoint)" }
    switch answer.code {
    // AWS's errors have a code; an answer of a proxy or load balancer may have none.
    case "": return "this is no answer of AWS's own: check \(endpoint), --region and the proxy"
    case "BlockedException": return "AWS has blocked the account: its support knows why"
    case "UnknownOperationException", "SerializationException":
      return "check \(endpoint): what answers there does not speak this service's protocol"
    default: return nil
    }
  }

  /// The action that AWS's message names, which may differ from the operation's (`iam:PassRole`), else the operation's.
  private static func permissionHint(_ message: String, _ context: CallContext) -> String {
    let named = message.firstRange(of: "not authorized to perform: ").map { message[$0.upperBound...] }
    let action = named?.prefix { $0.isLetter || $0.isNumber || $0 == ":" || $0 == "-" } ?? ""
    let missing = action.contains(":") ? String(action) : context.action
    let key = context.credentials.map { "the \($0)" } ?? context.source
    return message.contains("explicit deny")
      ? "a policy denies \(missing) to \(key): an allowance elsewhere does not help"
      : "allow the action \(missing) to \(key)"
  }

  /// The flags of a wrong parameter, by ECS's code, and by its message where the code does not name the parameter.
  private static func parameterHint(_ answer: ErrorAnswer, _ context: CallContext) -> String? {
    switch answer.code {
    case "ClusterNotFoundException":
      return "check --cluster; a cluster belongs to one --region and to the account of --profile"
    case "ServiceNotFoundException", "ServiceNotActiveException", "TaskSetNotFoundException":
      return "check --service and --cluster"
    case "TargetNotFoundException", "MissingVersionException", "NamespaceNotFoundException", "PlatformUnknownException",
      "PlatformTaskDefinitionIncompatibilityException", "UnsupportedFeatureException":
      return nil  // The message alone says what is meant.
    default: return flagHint(for: answer.message, operation: context.operation)
    }
  }

  /// The flags of the parameter that a message names; the operation's flags where it names no parameter.
  private static func flagHint(for message: String, operation: String) -> String {
    let message = message.lowercased().filter { $0 != " " }
    let taskDefinition = operation == "RunTask" ? "--task-definition" : "--family"
    let flagsByWord = [
      ("cluster", "--cluster"), ("service", "--service"), ("startedby", "--started-by"), ("family", "--family"),
      ("taskdefinition", taskDefinition), ("subnet", "--subnets"), ("networkconfiguration", "--subnets"),
      ("securitygroup", "--security-groups"), ("launchtype", "--launch-type"),
      ("capacityprovider", "--capacity-provider"),
    ]
    var flags: [String] = []
    for (word, flag) in flagsByWord where message.contains(word) && !flags.contains(flag) { flags.append(flag) }
    if flags.isEmpty {
      flags =
        switch operation {
        case "ListTasks": ["--cluster", "--service", "--family", "--started-by"]
        case "RunTask": ["--cluster", taskDefinition, "--subnets"]
        case "DescribeServices", "UpdateService": ["--cluster", "--service"]
        default: ["--cluster"]
        }
    }
    return "check " + flags.joined(separator: ", ")
  }
}
