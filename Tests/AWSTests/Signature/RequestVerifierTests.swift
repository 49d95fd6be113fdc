import Testing

@testable import AWS

@Suite struct RequestVerifierTests {
  static let key = AWSCredentials(accessKeyID: "AKIATEST", secretAccessKey: "s3cr3t-value", source: "test")
  static let now = SigningDate(epochSeconds: 1_770_000_000)
  static let verifier = RequestVerifier(credentials: key, service: "ecs")

  static func signed(
    with key: AWSCredentials = key, at date: SigningDate = now, service: String = "ecs"
  ) -> SignableRequest {
    var request = SignableRequest(
      method: "POST", path: "/", headers: [("Host", "h:1"), ("X-Amz-Target", "T.ListTasks")], body: Array("{}".utf8))
    request.headers +=
      RequestSigner(credentials: key, region: "eu-west-1", service: service).sign(request, at: date)
      .addedHeaders
    return request
  }

  static func rejection(of request: SignableRequest) -> SignatureRejection? {
    do {
      try verifier.verify(request, at: now)
      return nil
    } catch { return error }
  }

  @Test func whatWasSignedIsAccepted() {
    #expect(RequestVerifierTests.rejection(of: RequestVerifierTests.signed()) == nil)
  }

  static let tamperings: [(String, SignatureRejection.Code, @Sendable (inout SignableRequest) -> Void)] = [
    ("body", .invalidSignature, { $0.body = Array("{} ".utf8) }),
    ("method", .invalidSignature, { $0.method = "PUT" }),
    ("path", .invalidSignature, { $0.path = "/x" }),
    ("query", .invalidSignature, { $0.query = "a=1" }),
    ("target", .invalidSignature, { set(&$0, "x-amz-target", "T.StopTask") }),
    ("target twice", .invalidSignature, { $0.headers.append(("x-amz-target", "T.StopTask")) }),
    ("host", .invalidSignature, { set(&$0, "host", "other") }),
    ("unsigned amz header", .invalidSignature, { $0.headers.append(("X-Amz-Extra", "1")) }),
    ("content hash of another body", .invalidSignature, { $0.headers.append(("x-amz-content-sha256", "00")) }),
    ("no header", .missingAuthenticationToken, { $0.headers.removeAll { $0.name == "Authorization" } }),
    ("empty header", .incompleteSignature, { set(&$0, "authorization", "") }),
    ("other scheme", .incompleteSignature, { set(&$0, "authorization", "Basic Zm9v") }),
    ("no parameters", .incompleteSignature, { set(&$0, "authorization", "AWS4-HMAC-SHA256 ") }),
    ("parameter twice", .incompleteSignature, { append(&$0, ", Signature=00") }),
    ("no pair", .incompleteSignature, { append(&$0, ", x") }),
    ("short scope", .incompleteSignature, { replace(&$0, "/aws4_request", "") }),
    ("wrong date's scope", .invalidSignature, { replace(&$0, "/2026", "/2025") }),
    ("wrong key id", .unrecognizedClient, { replace(&$0, "AKIATEST", "AKIAOTHER") }),
    ("unknown token", .unrecognizedClient, { $0.headers.append(("X-Amz-Security-Token", "t")) }),
    ("host not covered", .invalidSignature, { replace(&$0, "host;", "") }),
    ("short signature", .invalidSignature, { $0.headers[$0.headers.count - 1].value.removeLast() }),
    ("no date", .incompleteSignature, { $0.headers.removeAll { $0.name == "X-Amz-Date" } }),
    ("no real date", .incompleteSignature, { set(&$0, "x-amz-date", "20260230T000000Z") }),
  ]

  @Test(arguments: tamperings.indices)
  func whatWasChangedIsRefusedWithItsCode(index: Int) {
    let (name, code, change) = RequestVerifierTests.tamperings[index]
    var request = RequestVerifierTests.signed()
    change(&request)
    #expect(RequestVerifierTests.rejection(of: request)?.code == code, "\(name)")
  }

  @Test func anotherSecretIsRefusedAndNeverShown() throws {
    var other = RequestVerifierTests.key
    other.secretAccessKey = "another-secret"
    let rejection = try #require(RequestVerifierTests.rejection(of: RequestVerifierTests.signed(with: other)))
    #expect(rejection.code == .invalidSignature)
    #expect(!rejection.description.contains("secret-value") && !rejection.description.contains("s3cr3t"))
  }

  @Test func anotherServiceIsRefused() {
    #expect(RequestVerifierTests.rejection(of: RequestVerifierTests.signed(service: "logs"))?.code == .invalidSignature)
  }

  @Test(arguments: [(-901, "Signature expired"), (-900, nil), (900, nil), (901, "Signature not yet current")])
  func fifteenMinutesOfSkewAreAllowed(seconds: Int64, message: String?) {
    let date = SigningDate(epochSeconds: RequestVerifierTests.now.epochSeconds + seconds)
    let rejection = RequestVerifierTests.rejection(of: RequestVerifierTests.signed(at: date))
    #expect((rejection == nil) == (message == nil))
    if let message { #expect(rejection?.message.hasPrefix(message) == true) }
  }

  @Test func aSessionTokenMustBeTheKnownOne() throws {
    let temporary = AWSCredentials(accessKeyID: "ASIA", secretAccessKey: "s", sessionToken: "tok", source: "test")
    let verifier = RequestVerifier(credentials: temporary, service: "ecs")
    try verifier.verify(RequestVerifierTests.signed(with: temporary), at: RequestVerifierTests.now)
    var other = temporary
    other.sessionToken = "other"
    #expect(throws: SignatureRejection.self) {
      try verifier.verify(RequestVerifierTests.signed(with: other), at: RequestVerifierTests.now)
    }
  }

  @Test func randomAuthorizationHeadersAreRefusedWithoutACrash() {
    var random = Seeded(state: 7)
    let alphabet = Array("AWS4-HMAC-SHA256 Credential=/,;Signature=SignedHeaders=é\u{0}\n\"aws4_request".unicodeScalars)
    for _ in 0..<2_000 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...60, using: &random) {
        text.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
      }
      var request = RequestVerifierTests.signed()
      RequestVerifierTests.set(&request, "authorization", "AWS4-HMAC-SHA256 " + String(text))
      #expect(RequestVerifierTests.rejection(of: request) != nil)
    }
  }

  static func set(_ request: inout SignableRequest, _ name: String, _ value: String) {
    for index in request.headers.indices where request.headers[index].name.lowercased() == name {
      request.headers[index].value = value
    }
  }

  static func append(_ request: inout SignableRequest, _ text: String) {
    set(&request, "authorization", (request.header("authorization") ?? "") + text)
  }

  static func replace(_ request: inout SignableRequest, _ old: String, _ new: String) {
    let parts = (request.header("authorization") ?? "").split(separator: old, omittingEmptySubsequences: false)
    set(&request, "authorization", parts.joined(separator: new))
  }
}

/// A generator that gives the same numbers in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
