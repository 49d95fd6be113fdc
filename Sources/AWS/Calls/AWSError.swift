/// Why an AWS call, or finding out how to make it, failed. No text of it holds a secret or a session token.
public struct AWSError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What to do about it, as far as a program decides by it.
  public enum Kind: String, Sendable {
    /// The service asks for fewer calls; retried.
    case throttled
    /// The service or something before it failed (500, 502, 503, 504); retried.
    case server
    /// The service has no room now, or the account's limit of tasks is reached: later there may be some.
    case capacity
    /// A cluster, service or parameter is wrong.
    case wrongParameter
    /// The key is right but may not do this.
    case accessDenied
    /// Temporary credentials have ended.
    case expiredCredentials
    /// This machine's clock and the service's differ too much.
    case clockSkew
    /// Key id, secret or token are not accepted.
    case wrongCredentials
    /// The answer is not what the operation answers with, whatever its status.
    case malformedAnswer
    /// No complete answer came; see ``AWSError/transfer``.
    case transfer
    /// Whoever gives credentials (STS, a container's agent, an instance's metadata) failed or refused. It was asked again
    /// already where that may help.
    case credentials
    /// No credentials, no region, or a malformed setting.
    case configuration
    /// Any other error the service names.
    case other
  }

  /// What to do about it.
  public var kind: Kind
  /// What was called, `ecs:ListTasks`, with `at URL` where the endpoint may be what is wrong; `nil` where the message says it.
  public var call: String?
  /// The service's code, `ClusterNotFoundException`; empty where there is none.
  public var code: String
  /// What went wrong, one line.
  public var message: String
  /// What to do next: the flag that is wrong, the permission that is missing.
  public var hint: String?
  /// `x-amzn-requestid`.
  public var requestID: String?
  /// Status of the answer, `nil` where none came.
  public var httpStatus: Int?
  /// Why no complete answer came.
  public var transfer: TransferError?
  /// Of an operation of several calls, those that were answered before the one that failed.
  public var answeredCalls: [CallRecord] = []
  /// The tries made, 1 and up.
  public var attempts = 1
  /// How many of those tries the service refused because there were too many calls.
  public var throttles = 0
  /// Whether a further try was left out because earlier failures have used up the client's retry quota.
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

  /// What was called and what came of it, without numbers and hint.
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

  /// Whether another try may fare better.
  public var isRetryable: Bool {
    switch kind {
    case .throttled, .server: true
    case .transfer: transfer?.isTransient ?? false
    default: false
    }
  }

  /// What it means to the call that needed the credentials of `source`; a cancelled wait stays one.
  func gettingCredentials(of source: String) -> AWSError {
    guard transfer?.code != .cancelled else { return self }
    var error = self
    error.kind = .credentials
    error.message = "no credentials of \(source): \(outcome)"
    // They were about another call than the one that fails now.
    (error.call, error.code, error.transfer) = (nil, "", nil)
    return error
  }

  static func configuration(_ message: String, hint: String? = nil) -> AWSError {
    AWSError(.configuration, message: message, hint: hint)
  }
}
