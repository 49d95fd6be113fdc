import AWSSignature

extension AWSError {
  /// What to do about an answer that is no result: the flag that is wrong, the permission that is missing, where the
  /// credentials came from.
  static func hint(for kind: Kind, _ answer: ErrorAnswer, _ status: Int, _ context: CallContext) -> String? {
    let endpoint = context.target.endpointSetting
    switch kind {
    case .throttled: return "call less often (--poll-interval)"
    case .wrongParameter: return context.target.signingName == "ecs" ? parameterHint(answer, context) : nil
    case .accessDenied: return permissionHint(answer.message, context)
    case .expiredCredentials: return "renew the credentials: they came from \(context.source)"
    case .clockSkew: return "set this machine's clock"
    case .wrongCredentials:
      if answer.message.contains("scoped to") {
        return "check --region and \(endpoint); the credentials came from \(context.source)"
      }
      return "key or secret is wrong: they came from \(context.source); choose others with --profile"
    case .server, .malformedAnswer, .transfer, .configuration: return nil
    case .other: return otherHint(answer, status, endpoint)
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
    let key = context.credentials?.description ?? context.source
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
    default: return flagHint(for: answer.message)
    }
  }

  /// The flags a message about a parameter speaks of.
  private static func flagHint(for message: String) -> String {
    let message = message.lowercased()
    let flags = [
      ("cluster", "--cluster"), ("service", "--service"), ("startedby", "--started-by"), ("family", "--family"),
      ("task definition", "--family"), ("taskdefinition", "--family"),
    ]
    var named = [String]()
    for (word, flag) in flags where message.contains(word) && !named.contains(flag) { named.append(flag) }
    return "check "
      + (named.isEmpty ? ["--cluster", "--service", "--family", "--started-by"] : named).joined(separator: ", ")
  }
}
