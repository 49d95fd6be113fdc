/// Signs requests for one service in one region.
public struct RequestSigner: Sendable {
  /// The credentials that sign.
  public var credentials: AWSCredentials
  /// `eu-west-1`; an endpoint override does not change it.
  public var region: String
  /// The signing name, `ecs`, `logs`.
  public var service: String

  /// Makes a signer.
  public init(credentials: AWSCredentials, region: String, service: String) {
    self.credentials = credentials
    self.region = region
    self.service = service
  }

  /// The signature of a request, with the steps that led to it.
  public struct Result: Sendable {
    /// Headers to add to the request: `X-Amz-Date`, `X-Amz-Security-Token` with a session token, `Authorization`.
    public var addedHeaders: [(name: String, value: String)]
    /// Names of the headers the signature covers, in lower case, joined by `;`.
    public var signedHeaders: String
    /// The canonical request.
    public var canonicalRequest: String
    /// The string to sign.
    public var stringToSign: String
    /// The signature, 64 hexadecimal digits.
    public var signature: String
  }

  /// Signs every header of the request except those that proxies change (`User-Agent`, `Expect`, …).
  ///
  /// An `X-Amz-Date`, `X-Amz-Security-Token` or `Authorization` that is already in the request is replaced.
  /// The value of `X-Amz-Content-SHA256`, where there is one, serves as the body's hash.
  public func sign(_ request: SignableRequest, at date: SigningDate) -> Result {
    var added: [(name: String, value: String)] = [("X-Amz-Date", date.description)]
    if let token = credentials.sessionToken { added.append(("X-Amz-Security-Token", token)) }

    var signable = request
    signable.headers.removeAll { ["x-amz-date", "x-amz-security-token"].contains($0.name.lowercased()) }
    signable.headers += added
    let names = Set(signable.headers.map { $0.name.lowercased() }).subtracting(CanonicalRequest.neverSigned).sorted()

    let canonicalRequest = CanonicalRequest.text(
      of: signable, signedHeaders: names,
      payloadHash: signable.header("x-amz-content-sha256") ?? SignatureV4.hash(request.body))
    let scope = SignatureV4.Scope(day: date.day, region: region, service: service)
    let stringToSign = SignatureV4.stringToSign(canonicalRequest: canonicalRequest, date: date, scope: scope)
    let signature = SignatureV4.signature(
      of: stringToSign, secretAccessKey: credentials.secretAccessKey, scope: scope)
    let signedHeaders = names.joined(separator: ";")
    added.append(
      (
        "Authorization",
        "\(SignatureV4.algorithm) Credential=\(credentials.accessKeyID)/\(scope.text), "
          + "SignedHeaders=\(signedHeaders), Signature=\(signature)"
      ))
    return Result(
      addedHeaders: added, signedHeaders: signedHeaders, canonicalRequest: canonicalRequest,
      stringToSign: stringToSign, signature: signature)
  }
}

/// The signed parts of an HTTP request, before it is sent or after it was received.
public struct SignableRequest: Sendable {
  /// `GET`, `POST`, …
  public var method: String
  /// The path as it stands on the request line: percent-encoded, without the query.
  public var path: String
  /// The query as it stands on the request line: percent-encoded, without the `?`; empty for none.
  public var query: String
  /// Every header, `Host` included; names in any case, repeated ones in order.
  public var headers: [(name: String, value: String)]
  /// The body.
  public var body: [UInt8]

  /// Makes a request.
  public init(
    method: String, path: String = "/", query: String = "", headers: [(name: String, value: String)], body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// The first value of a header, `nil` where it is missing.
  ///
  /// - Parameter name: in lower case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name }?.value
  }
}
