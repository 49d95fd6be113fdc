import EmbeddedGateway
import FoundationEssentials
import Gateway
import Testing

/// The REST side of the product's profile.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ProductRESTTests {
  private struct Refusal: Decodable {
    struct Failure: Decodable {
      let message, code: String
    }
    let error: Failure
  }
  private struct Made: Decodable {
    let id, userId, state: String
    let latency: Double
  }

  private func ask(
    _ gateway: GatewayFixture, _ method: String, _ path: String, token: String? = "t", _ body: String? = nil
  ) async throws -> RawConnection.Answer {
    let connection = try await gateway.connection()
    defer { connection.close() }
    let header = token.map { "authorization: Bearer \($0)\r\n" } ?? ""
    try await connection.request(method, path, body, headers: header)
    return try await connection.answer()
  }

  private func code(_ answer: RawConnection.Answer) throws -> String {
    let refusal = try answer.json(Refusal.self).error
    #expect(!refusal.message.isEmpty && !refusal.message.contains("secret"))
    return refusal.code
  }

  @Test func sessionIsMadeWithoutATaskAndDeletedOnce() async throws {
    try await withProduct { gateway in
      try await gateway.warm(1)
      let answer = try await ask(gateway, "POST", "/api/sessions", #"{"userId":"alice","more":[1]}"#)
      #expect(answer.status == 201)
      let made = try answer.json(Made.self)
      #expect(made.id.utf8.count == 32 && made.userId == "alice" && made.state == "idle" && made.latency >= 0)
      #expect(try await gateway.status().assignedCount == 0)
      let connection = try await gateway.connection()
      // Twice on one connection: a 204 has neither a body nor a length, and the next answer is still understood.
      for status in [204, 404] {
        try await connection.request(
          "DELETE", "/api/sessions/\(made.id)", headers: "authorization: bearer  t\r\n")
        let answer = try await connection.answer()
        #expect(answer.status == status)
        if status == 204 {
          #expect(answer.headers["content-length"] == nil && answer.headers["content-type"] == nil)
        } else {
          #expect(try code(answer) == "SESSION_NOT_FOUND")
        }
      }
      connection.close()
    }
  }

  @Test(arguments: [nil, "", "{}", #"{"userId":null}"#])
  func userOfASessionIsItsTokensWhereNobodyIsNamed(body: String?) async throws {
    try await withProduct { gateway in
      let token = TokenTests.jwt(#"{"sub":"bob"}"#)
      let answer = try await ask(gateway, "POST", "/api/sessions", token: token, body)
      #expect(answer.status == 201)
      #expect(try answer.json(Made.self).userId == "bob")
    }
  }

  @Test(arguments: [
    ("[]", "INVALID_BODY"), ("{", "INVALID_BODY"), (#"{"userId":7}"#, "INVALID_BODY"),
    (#"{"userId":"../etc"}"#, "INVALID_USER"), (#"{"userId":""}"#, "INVALID_USER"),
  ])
  func wrongBodyIsRefused(body: String, expected: String) async throws {
    try await withProduct { gateway in
      let answer = try await ask(gateway, "POST", "/api/sessions", body)
      #expect(answer.status == 400)
      #expect(try code(answer) == expected)
    }
  }

  @Test func onlyKnownTokensThatHaveNotExpiredAreAccepted() async throws {
    try await withProduct(profile: { $0.tokens.known = ["good": false, "secret-old": true] }) { gateway in
      let id = try await ask(gateway, "POST", "/api/sessions", token: "good").json(Made.self).id
      let cases = [
        (nil, "UNAUTHORIZED"), ("", "UNAUTHORIZED"), ("secret-other", "INVALID_TOKEN"),
        ("secret-old", "TOKEN_EXPIRED"), ("two words", "INVALID_TOKEN"),
      ]
      for (token, expected) in cases {
        for (method, path) in [("POST", "/api/sessions"), ("DELETE", "/api/sessions/\(id)")] {
          let answer = try await ask(gateway, method, path, token: token)
          #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer")
          #expect(try code(answer) == expected)
        }
      }
      #expect(try await ask(gateway, "DELETE", "/api/sessions/\(id)", token: "good").status == 204)
    }
  }

  @Test func expiredJWTIsRefused() async throws {
    try await withProduct { gateway in
      let answer = try await ask(gateway, "POST", "/api/sessions", token: TokenTests.jwt(#"{"exp":1}"#))
      #expect(answer.status == 401)
      #expect(try code(answer) == "TOKEN_EXPIRED")
      let later = TokenTests.jwt(#"{"exp":\#(Date.now.timeIntervalSince1970 + 3600)}"#)
      #expect(try await ask(gateway, "POST", "/api/sessions", token: later).status == 201)
    }
  }

  @Test func sessionOfAnotherSubjectIsNotFound() async throws {
    try await withProduct { gateway in
      let (bob, eve) = (TokenTests.jwt(#"{"sub":"bob"}"#), TokenTests.jwt(#"{"sub":"eve"}"#))
      let id = try await ask(gateway, "POST", "/api/sessions", token: bob).json(Made.self).id
      #expect(try await ask(gateway, "DELETE", "/api/sessions/\(id)", token: eve).status == 404)
      #expect(try await ask(gateway, "DELETE", "/api/sessions/\(id)", token: bob).status == 204)
    }
  }

  @Test func sessionsAreBounded() async throws {
    try await withProduct(profile: { $0.maximumSessions = 2 }) { gateway in
      let id = try await ask(gateway, "POST", "/api/sessions").json(Made.self).id
      #expect(try await ask(gateway, "POST", "/api/sessions").status == 201)
      let refused = try await ask(gateway, "POST", "/api/sessions")
      #expect(refused.status == 503)
      #expect(try code(refused) == "TOO_MANY_SESSIONS")
      #expect(try await ask(gateway, "DELETE", "/api/sessions/\(id)").status == 204)
      #expect(try await ask(gateway, "POST", "/api/sessions").status == 201)
    }
  }

  @Test(arguments: ["POST /api/acquire", "POST /api/release", "GET /session/alice", "GET /nothing"])
  func whatTheProductHasNotIsNotFound(request: String) async throws {
    try await withProduct { gateway in
      let parts = request.split(separator: " ").map(String.init)
      let answer = try await ask(gateway, parts[0], parts[1], #"{"userId":"a"}"#)
      #expect(answer.status == 404)
      #expect(try code(answer) == "NOT_FOUND")
    }
  }

  @Test func whatPoolToolsLookAtIsThereWithoutAToken() async throws {
    try await withProduct { gateway in
      try await gateway.warm(1)
      #expect(try await gateway.status().warmCount == 1)
      #expect(try await ask(gateway, "GET", "/health", token: nil).status == 200)
    }
  }

  @Test func productsPathsAreNotFoundInTheEmbeddedProfile() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let answers = (
        try await ask(gateway, "POST", "/api/sessions"), try await ask(gateway, "GET", "/?token=t")
      )
      #expect(answers.0.status == 404 && answers.1.status == 405)
    }
  }
}
