import Foundation
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The tokens of users: when one expires, and that none is ever shown.
@Suite struct TokenSourceTests {
  /// RFC 7519, section 3.1.
  private static let ofTheRFC =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

  private func token(_ claims: String) -> String {
    let base64 = Data(claims.utf8).base64EncodedString()
    let url = base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    return "eyJhbGciOiJub25lIn0.\(url)."
  }

  @Test func theExampleOfTheRFCExpires() { #expect(TokenSource.expiry(of: Self.ofTheRFC) == 1_300_819_380) }

  /// Tokens that Python's standard library has written, of every length that base64 pads in its own way.
  @Test(.enabled(if: Python.canImport("base64"), "needs Python")) func pythonsTokensExpireWhenPythonSays() async throws
  {
    let script = """
      import base64, hashlib, hmac, json
      def part(data):
          return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
      tokens = {}
      for length in range(40):
          claims = {"sub": "ü" * length + "?>~" * (length % 3), "exp": 1700000000 + length, "iat": 1.5}
          text = part(b'{"alg":"HS256"}') + "." + part(json.dumps(claims, ensure_ascii=False).encode())
          tokens[text + "." + part(hmac.digest(b"key", text.encode(), hashlib.sha256))] = claims["exp"]
      print(json.dumps(tokens))
      """
    let result = try await Python.run(["-c", script])
    let tokens = try JSONDecoder().decode([String: Double].self, from: Data(result.output.utf8))
    #expect(tokens.count == 40)
    for (token, expiry) in tokens { #expect(TokenSource.expiry(of: token) == expiry, "\(token)") }
  }

  @Test(
    arguments: [
      (#"{"exp": 1700000000.5}"#, 1_700_000_000.5), (#"{"exp": 1.7e9}"#, 1.7e9), (#"{"exp": 1}"#, 1),
      (#"{"exp": 9999999999}"#, 9_999_999_999),
      (#"{"exp": "1700000000"}"#, nil), (#"{"exp": null}"#, nil), (#"{"exp": -5}"#, nil), (#"{"exp": 0}"#, nil),
      (#"{"exp": 1e400}"#, nil),
      (#"{"exp": 1e300}"#, nil), (#"{"exp": true}"#, nil), (#"{"iat": 5}"#, nil), ("[]", nil), ("null", nil), ("", nil),
      ("exp", nil),
    ] as [(String, Double?)])
  func onlyANumberIsAnExpiry(_ claims: String, _ expiry: Double?) {
    #expect(TokenSource.expiry(of: token(claims)) == expiry)
  }

  @Test(arguments: [
    "", ".", "..", "...", "a.b.c", "secret", "a..b", "a.e30.b", "a.e30=.b", "a.%%%.b", "a.é.b", ofTheRFC + ".x",
    "x." + ofTheRFC,
    String(ofTheRFC.prefix(60)), "a." + String(repeating: "e", count: 100_000) + ".b",
  ]) func whatIsNoJWTNeverExpires(_ token: String) { #expect(TokenSource.expiry(of: token) == nil) }

  // MARK: Renewal

  @Test(
    arguments: [
      // A minute before, of a life of two minutes or more; else after half of it, and never at once.
      (3600, 3540), (121, 61), (120, 60), (100, 50), (10, 5), (2, 1), (1, 1), (0, 1), (-1000, 1),
    ])
  func aTokenIsReplacedBeforeItExpires(_ left: Double, _ seconds: Int) {
    #expect(TokenSource.pause(until: 1000 + left, now: 1000) == .seconds(seconds))
  }

  @Test(arguments: [1e10, 9_999_999_999, 99_999_999_999]) func aTokenThatLivesForAgesIsWaitedForWithinBounds(
    _ expiry: Double
  ) {
    let pause = TokenSource.pause(until: expiry, now: 1.7e9)
    #expect(pause > .seconds(86_400) && pause <= .seconds(10_000_000))
  }

  @Test func usersTakeTokensInTurn() {
    let tokens = TokenSource(["a", "b", "c"])
    #expect((0..<7).map { tokens.token(ofUser: $0) } == ["a", "b", "c", "a", "b", "c", "a"])
    #expect(TokenSource([]).token(ofUser: 3) == nil && TokenSource([]).count == 0)
    #expect(TokenSource(["one"]).token(ofUser: 17) == "one")
  }

  @Test func aCommandThatPrintsExpiredTokensIsLeftAloneForLongerAndLonger() {
    var rests: [Nanoseconds] = [.zero]
    for _ in 0..<8 { rests.append(TokenSource.rest(after: rests.last ?? .zero, left: -5)) }
    #expect(rests.dropFirst().map { $0 / .seconds(1) } == [2, 4, 8, 16, 32, 60, 60, 60])
    #expect(TokenSource.rest(after: .seconds(60), left: 1) == .zero && TokenSource.rest(after: .zero, left: 0) > .zero)
  }

  // MARK: Secrecy

  /// A session keeps the token that it was opened with.
  @Test func tokensThatWereReplacedLongAgoAreInNoText() {
    let tokens = TokenSource(["token-number-0"])
    for number in 1...1200 { tokens.replace(by: "token-number-\(number)") }
    #expect(tokens.generation == 1200)
    for number in [200, 201, 700, 1199, 1200] {
      #expect(tokens.withoutTokens("'token-number-\(number)'", ofUser: 3) == "'…'")
    }
    #expect(tokens.withoutTokens("'token-number-199'", ofUser: 3) == "'token-number-199'", "a thousand are kept")
  }

  @Test func noTokenIsInAText() {
    let tokens = TokenSource(["first-s3cret", "a b+c/d=", "first-s3cret-longer"])
    for (text, expected) in [
      ("GET /?token=first-s3cret HTTP/1.1", "GET /?token=… HTTP/1.1"),
      ("GET /?token=a%20b%2Bc%2Fd%3D&x=1", "GET /?token=…&x=1"), ("'a b+c/d=' is expired", "'…' is expired"),
      ("first-s3cret-longer, first-s3cret", "…, …"), ("nothing", "nothing"), ("", ""),
    ] {
      #expect(tokens.withoutTokens(text) == expected)
    }
  }

  /// Texts from outside are cut after some bytes, in the middle of a token too.
  @Test func noBeginningOfATokenIsAtTheEndOfAText() {
    let token = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2VjcmV0"
    let tokens = TokenSource([token])
    for length in 8..<token.count {
      let shown = tokens.withoutTokens("status 401: no such token: \(token.prefix(length))")
      #expect(shown == "status 401: no such token: …", "\(length)")
    }
    #expect(tokens.withoutTokens("it begins with eyJ") == "it begins with eyJ")
  }
}
