/// Checks the signatures of received requests, as the AWS front end does.
public struct RequestVerifier: Sendable {
  /// The one key pair that is known.
  public var credentials: AWSCredentials
  /// The service that scopes must name.
  public var service: String
  /// How far the request's date may lie from this machine's clock, in seconds.
  public var allowedSkew: Int64

  /// Makes a verifier. Any region is accepted, as an endpoint override leaves the signing region alone.
  public init(credentials: AWSCredentials, service: String, allowedSkew: Int64 = 900) {
    self.credentials = credentials
    self.service = service
    self.allowedSkew = allowedSkew
  }

  /// Checks one request.
  ///
  /// - Parameter now: this machine's wall clock.
  /// - Throws: ``SignatureRejection`` with the code AWS answers with.
  public func verify(_ request: SignableRequest, at now: SigningDate) throws(SignatureRejection) {
    guard let header = request.header("authorization") else { throw .missing }
    let authorization = try AuthorizationHeader(parsing: header)
    guard let dateText = request.header("x-amz-date"), let date = SigningDate(dateText) else {
      throw .incomplete("Authorization header requires existence of a valid 'X-Amz-Date' header.")
    }
    guard authorization.accessKeyID == credentials.accessKeyID,
      request.header("x-amz-security-token") == credentials.sessionToken
    else { throw .unrecognized }
    guard authorization.scope.day == date.day, authorization.scope.service == service else {
      throw .invalid(
        "Credential should be scoped to service '\(service)' and the date of 'X-Amz-Date', "
          + "got '\(authorization.scope.service.prefix(40))' and '\(authorization.scope.day.prefix(8))'.")
    }
    try checkCoverage(of: request, by: authorization.signedHeaders)
    try checkSkew(of: date, now: now)

    // The body itself is hashed, whatever a header says its hash is.
    let canonicalRequest = CanonicalRequest.text(
      of: request, signedHeaders: authorization.signedHeaders, payloadHash: SignatureV4.hash(request.body))
    let expected = SignatureV4.signature(
      of: SignatureV4.stringToSign(canonicalRequest: canonicalRequest, date: date, scope: authorization.scope),
      secretAccessKey: credentials.secretAccessKey, scope: authorization.scope)
    guard RequestVerifier.equalInConstantTime(expected, authorization.signature) else {
      throw .invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
          + "Access Key and signing method. Consult the service documentation for details.")
    }
  }

  /// `host` and every `x-amz-…` header must be signed, or they could be changed under way.
  private func checkCoverage(of request: SignableRequest, by signedHeaders: [String]) throws(SignatureRejection) {
    guard signedHeaders == signedHeaders.sorted() else { throw .incomplete("'SignedHeaders' must be sorted.") }
    guard signedHeaders.contains("host") else {
      throw .invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    }
    let unsigned = request.headers.map { $0.name.lowercased() }
      .filter { $0.hasPrefix("x-amz-") && !signedHeaders.contains($0) }
    guard unsigned.isEmpty else {
      throw .invalid(
        "There were headers present in the request which were not signed: \(unsigned.joined(separator: ", "))")
    }
  }

  private func checkSkew(of date: SigningDate, now: SigningDate) throws(SignatureRejection) {
    let minutes = allowedSkew / 60
    if date.epochSeconds < now.epochSeconds - allowedSkew {
      let bound = SigningDate(epochSeconds: now.epochSeconds - allowedSkew)
      throw .invalid("Signature expired: \(date) is now earlier than \(bound) (\(now) - \(minutes) min.)")
    }
    if date.epochSeconds > now.epochSeconds + allowedSkew {
      let bound = SigningDate(epochSeconds: now.epochSeconds + allowedSkew)
      throw .invalid("Signature not yet current: \(date) is still later than \(bound) (\(now) + \(minutes) min.)")
    }
  }

  /// Takes as long for a wrong first byte as for a wrong last one.
  static func equalInConstantTime(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
