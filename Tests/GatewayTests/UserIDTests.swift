import Gateway
import Testing

@Suite struct UserIDTests {
  @Test(arguments: [
    "a", "test-user", "test-user-0001", "A.b_c-9", "0", "-", "_", "a.", "a..b", String(repeating: "x", count: 128),
  ])
  func validIDsAreAccepted(_ text: String) { #expect(UserID.isValid(text)) }

  @Test(arguments: [
    "", ".", "..", ".hidden", "../../etc", "a/b", "a\\b", "a b", "a\n", "a\u{0}", "é", "a\u{301}", "ａ", "a\"", "a%2e",
    "a:b",
    "@", "[", "`", "{", String(repeating: "x", count: 129), String(repeating: "x", count: 10_000),
  ])
  func hostileIDsAreRefused(_ text: String) { #expect(!UserID.isValid(text)) }
}
