/// Credentials as a source gave them out.
struct IssuedCredentials: Sendable, Equatable {
  var credentials: AWSCredentials
  /// When they end, seconds since 1970; `nil` for keys that do not end by themselves.
  var expiration: Int64?
}
