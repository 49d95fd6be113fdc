import Foundation
import Testing
import TextFormatting

@Suite struct PercentEncodingTests {
  @Test(arguments: [
    ("aZ09-._~", "aZ09-._~"), ("a b/c+d=e%", "a%20b%2Fc%2Bd%3De%25"), ("é\u{0}", "%C3%A9%00"), ("", ""),
  ])
  func allButUnreservedCharactersAreEncoded(text: String, encoded: String) {
    #expect(PercentEncoding.encode(text) == encoded)
    #expect(encoded.removingPercentEncoding == text)
  }

  @Test func charactersCanBeKept() { #expect(PercentEncoding.encode("/a b/%", keeping: "/") == "/a%20b/%25") }
}
