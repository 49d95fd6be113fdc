/// `AssumeRole`: another role's temporary credentials for a key that may take it on.
struct AssumeRoleRequest: Sendable, Equatable {
  /// `arn:aws:iam::123456789012:role/name`.
  var roleARN: String
  /// Who it is, in CloudTrail: 2–64 of letters, digits and `+=,.@-_`.
  var sessionName: String
  /// The secret word some roles of other accounts ask for.
  var externalID: String?
  /// 900–43,200 s; `nil` takes the role's own, an hour unless it says otherwise.
  var durationSeconds: Int?
}

/// `AssumeRoleWithWebIdentity`: a role's temporary credentials for a token of an identity provider.
struct WebIdentityRequest: Sendable {
  /// `arn:aws:iam::123456789012:role/name`.
  var roleARN: String
  /// Who it is, in CloudTrail.
  var sessionName: String
  /// The identity provider's token, a secret.
  var token: String
  /// 900–43,200 s; `nil` takes the role's own.
  var durationSeconds: Int?
}
