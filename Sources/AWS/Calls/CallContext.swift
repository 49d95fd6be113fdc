/// What an error must name (the operation, the endpoint, whose key it was), and what it must not show.
struct CallContext: Sendable {
  var target: ServiceTarget
  /// `ListTasks`.
  var operation: String
  /// What the request was signed with, `nil` for an unsigned one.
  var credentials: AWSCredentials?
  var redaction: Redaction
  var answerIsSecret: Bool

  init(_ request: ServiceRequest, target: ServiceTarget, credentials: AWSCredentials?) {
    self.target = target
    self.credentials = credentials
    operation = request.operation
    answerIsSecret = request.answerIsSecret
    redaction = Redaction(
      [credentials?.secretAccessKey, credentials?.sessionToken].compactMap { $0 } + request.secrets,
      accessKeyID: credentials?.accessKeyID)
  }

  /// `ecs:ListTasks`, also the name of the permission.
  var action: String { "\(target.signingName):\(operation)" }

  /// `ecs:ListTasks at https://ecs.eu-west-1.amazonaws.com/`.
  var place: String { "\(action) at \(target.endpoint.url)" }

  /// Where the credentials came from.
  var source: String { credentials?.source ?? "nowhere: the request is not signed" }
}
