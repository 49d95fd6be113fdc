/// Checks the signatures of received requests, as the AWS front end does.
public struct RequestVerifier: Sendable {
  /// The only key pair that the verifier accepts.
  public var credentials: AWSCredentials
  /// The service that the credential scope must name.
  public var service: String
  /// The largest difference between the request's date and this machine's clock, in seconds.
  public var allowedSkew: Int64

  /// Makes a verifier. It accepts any region, because an endpoint override does not change the signing region.
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

    // The hash is of the body itself, because a header with a hash may be wrong.
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

  /// Requires `host` and every `x-amz-…` header to be signed: a third party could change an unsigned one.
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

  /// Compares in the same time wherever the first difference is, so that the time reveals nothing of the right
  /// signature.
  static func equalInConstantTime(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// The parts of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
struct AuthorizationHeader: Equatable {
  var accessKeyID: String
  var scope: SignatureV4.Scope
  var signedHeaders: [String]
  var signature: String

  /// - Throws: ``SignatureRejection`` `IncompleteSignatureException` that names what is missing or malformed.
  init(parsing text: String) throws(SignatureRejection) {
    guard let space = text.firstIndex(of: " "), text[..<space] == SignatureV4.algorithm else {
      throw .incomplete("Unsupported AWS 'algorithm': '\(text.prefix { $0 != " " }.prefix(40))'.")
    }
    var parameters: [Substring: Substring] = [:]
    for part in text[space...].split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = pair[0].drop { $0 == " " }
      guard pair.count == 2, parameters.updateValue(pair[1], forKey: name) == nil else {
        throw .incomplete("'\(name.prefix(40))' is not a valid key=value pair in the Authorization header.")
      }
    }
    guard let credential = parameters["Credential"], let headers = parameters["SignedHeaders"],
      let signature = parameters["Signature"]
    else {
      let missing = ["Credential", "SignedHeaders", "Signature"].filter { parameters[$0[...]] == nil }
      throw .incomplete(
        missing.map { "Authorization header requires '\($0)' parameter." }.joined(separator: " "))
    }
    let scope = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard scope.count == 5, scope[4] == "aws4_request", scope.allSatisfy({ !$0.isEmpty }) else {
      throw .incomplete("Credential must have exactly 5 slash-delimited elements and end with 'aws4_request'.")
    }
    accessKeyID = scope[0]
    self.scope = SignatureV4.Scope(day: scope[1], region: scope[2], service: scope[3])
    signedHeaders = headers.split(separator: ";").map { $0.lowercased() }
    self.signature = String(signature)
  }
}

/// Why a received request's signature was refused, in AWS's own codes (HTTP status 400).
public struct SignatureRejection: Error, Sendable, Equatable, CustomStringConvertible {
  /// The `__type` of the answer.
  public enum Code: String, Sendable {
    /// No `Authorization` header at all.
    case missingAuthenticationToken = "MissingAuthenticationTokenException"
    /// The header, or the date, is malformed.
    case incompleteSignature = "IncompleteSignatureException"
    /// The verifier does not know the key id or the session token.
    case unrecognizedClient = "UnrecognizedClientException"
    /// The signature is wrong or leaves out a required header, or its date is too far from this machine's clock.
    case invalidSignature = "InvalidSignatureException"
  }

  /// AWS's code.
  public var code: Code
  /// AWS's message; contains no secret.
  public var message: String

  /// Code and message.
  public var description: String { "\(code.rawValue): \(message)" }

  static let missing = SignatureRejection(
    code: .missingAuthenticationToken, message: "Missing Authentication Token")
  static let unrecognized = SignatureRejection(
    code: .unrecognizedClient, message: "The security token included in the request is invalid.")

  static func incomplete(_ message: String) -> SignatureRejection {
    SignatureRejection(code: .incompleteSignature, message: message)
  }

  static func invalid(_ message: String) -> SignatureRejection {
    SignatureRejection(code: .invalidSignature, message: message)
  }
}
