/// Which service is asked, where, and how signatures name it.
struct ServiceTarget: Sendable {
  /// `ecs`: in signatures and in the names of permissions.
  var signingName: String
  /// The region that signatures name.
  var region: String
  /// Where requests go.
  var endpoint: ServiceEndpoint
  /// The setting to check when the endpoint is wrong, `--ecs-endpoint-url`.
  var endpointSetting: String
}

/// One `POST` of an operation, without its signature.
struct ServiceRequest: Sendable {
  /// `ListTasks`.
  var operation: String
  /// The headers of the protocol; they are signed too.
  var headers: [(name: String, value: String)]
  /// The same in every try: a token against repetition in it holds for all of them.
  var body: [UInt8]
  /// Whether to sign; `AssumeRoleWithWebIdentity` is not signed.
  var isSigned = true
  /// What no error may show beside the credentials, such as a web identity token.
  var secrets: [String] = []
  /// Whether a successful answer holds secrets, so that nothing of a malformed one may be shown.
  var answerIsSecret = false
}
