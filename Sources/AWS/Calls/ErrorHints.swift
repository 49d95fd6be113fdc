extension AWSError {
  /// What to do about an answer that is no result: the flag that is wrong, the permission that is missing, where the
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

  /// Files are read again and roles taken on again; a running process's environment stays as it was.
  private static func expiryHint(_ context: CallContext) -> String {
    guard context.source == AWSCredentials.environmentSource else {
      return "renew the credentials: they came from \(context.source)"
    }
    return "the credentials came from \(context.source), which cannot be renewed while this tool runs: set new ones "
      + "and start again, or give --profile with a profile that is renewed (role_arn, credential_process)"
  }

  /// Only what polls is called as often as the user says.
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
    // AWS names its errors; something in front of it need not.
    case "": return "this is no answer of AWS's own: check \(endpoint), --region and the proxy"
    case "BlockedException": return "AWS has blocked the account: its support knows why"
    case "UnknownOperationException", "SerializationException":
      return "check \(endpoint): what answers there does not speak this service's protocol"
    default: return nil
    }
  }

  /// The action AWS's message names, which may be another than the operation's (`iam:PassRole`), else the operation's.
  private static func permissionHint(_ message: String, _ context: CallContext) -> String {
    let named = message.firstRange(of: "not authorized to perform: ").map { message[$0.upperBound...] }
    let action = named?.prefix { $0.isLetter || $0.isNumber || $0 == ":" || $0 == "-" } ?? ""
    let missing = action.contains(":") ? String(action) : context.action
    let key = context.credentials.map { "the \($0)" } ?? context.source
    return message.contains("explicit deny")
      ? "a policy denies \(missing) to \(key): an allowance elsewhere does not help"
      : "allow the action \(missing) to \(key)"
  }

  /// The flags of a wrong parameter, by ECS's code, and by its message where the code does not tell.
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

  /// The flags a message about a parameter speaks of; the operation's where it speaks of none.
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
