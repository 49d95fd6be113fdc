import FoundationEssentials
import Latency
import Testing
import TestSupport

@testable import EmbeddedGateway

/// Who is let in by the product's profile.
@Suite struct TokenTests {
  /// A JWT with these claims and no signature worth the name.
  static func jwt(_ claims: String) -> String {
    let payload = Data(claims.utf8).base64EncodedString().filter { $0 != "=" }
      .map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
    return "eyJhbGciOiJub25lIn0.\(String(payload)).c2ln"
  }

  private func verdict(
    _ text: String, _ rules: TokenRules = TokenRules(), wallClock: Double = 1000
  ) throws -> TokenVerdict {
    var book = TokenVerifier(rules: rules)
    return book.verdict(on: try #require(Token(text)), now: 0, wallClock: wallClock)
  }

  @Test(arguments: ["a", "opaque+/=", String(repeating: "x", count: 8192)])
  func everyTokenIsAcceptedWhereNoneAreKnown(text: String) throws {
    #expect(try verdict(text) == .accepted)
  }

  @Test(arguments: ["", "with space", "line\nend", "\u{e4}", "\u{7f}", String(repeating: "x", count: 8193)])
  func whatCannotBeATokenIsNone(text: String) { #expect(Token(text) == nil) }

  @Test func fileNamesTheTokensAndThoseThatHaveExpired() throws {
    var rules = TokenRules()
    rules.known = try TokenRules.known(in: "# tokens\n\nalice\r\n  bob\texpired\n")
    #expect(rules.known == ["alice": false, "bob": true])
    #expect(try verdict("alice", rules) == .accepted)
    #expect(try verdict("bob", rules) == .expired)
    #expect(try verdict("carol", rules) == .unknown)
  }

  @Test(arguments: [
    ("", "no token"), ("# nothing\n", "no token"), ("secret stale\n", "line 1"), ("ok\nsecret \u{e4}\n", "line 2"),
    ("a expired b", "line 1"),
  ])
  func wrongFileIsExplainedWithoutItsTokens(text: String, part: String) throws {
    let mistake = #expect(throws: TokenRules.ParseError.self) { try TokenRules.known(in: text) }
    let message = try #require(mistake?.description)
    #expect(message.contains(part) && !message.contains("secret"))
  }

  @Test(arguments: [
    (#"{"exp":1001}"#, TokenVerdict.accepted), (#"{"exp":1000}"#, .expired), (#"{"exp":999.5}"#, .expired),
    (#"{"exp":"soon"}"#, .accepted), ("{}", .accepted), ("no json", .accepted), (#"{"exp":-1}"#, .expired),
  ])
  func expiryOfAJWTCounts(claims: String, expected: TokenVerdict) throws {
    #expect(try verdict(Self.jwt(claims)) == expected)
  }

  @Test func tokenExpiresItsLifetimeAfterItsFirstUse() throws {
    var rules = TokenRules()
    rules.lifetime = 100
    var book = TokenVerifier(rules: rules)
    let (first, second) = (try #require(Token("first")), try #require(Token("second")))
    #expect(book.verdict(on: first, now: 1000, wallClock: 0) == .accepted)
    #expect(book.verdict(on: first, now: 1099, wallClock: 0) == .accepted)
    #expect(book.verdict(on: second, now: 1099, wallClock: 0) == .accepted)
    #expect(book.verdict(on: first, now: 1100, wallClock: 0) == .expired)
    #expect(book.verdict(on: second, now: 1100, wallClock: 0) == .accepted)
  }

  @Test func subjectNamesTheUserAndATokenIsNotShown() throws {
    #expect(try #require(Token(Self.jwt(#"{"sub":"alice"}"#))).userID == "alice")
    let odd = try #require(Token(Self.jwt(#"{"sub":"../etc"}"#))).userID
    let opaque = try #require(Token("topsecret")).userID
    #expect(odd.hasPrefix("user-") && opaque.hasPrefix("user-") && odd != opaque)
    #expect(!opaque.contains("topsecret"))
    #expect(try #require(Token("topsecret")).userID == opaque)
  }
}
