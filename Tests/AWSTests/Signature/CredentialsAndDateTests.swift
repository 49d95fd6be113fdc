import Testing

@testable import AWS

@Suite struct CredentialsAndDateTests {
  @Test func noTextShowsTheSecretOrTheWholeKeyID() {
    let key = AWSCredentials(
      accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "hush-hush", sessionToken: "tok-tok", source: "test")
    var dumped = ""
    dump(key, to: &dumped)
    let texts = ["\(key)", String(reflecting: key), dumped, String(describing: [key]), "\(Optional(key) as Any)"]
    for text in texts {
      #expect(!text.contains("hush-hush") && !text.contains("tok-tok"), "\(text.count) characters")
      #expect(text.contains("…MPLE") && !text.contains("EXAMPLE") && !text.contains("AKIA"), "\(text)")
    }
    #expect(key.redacted("a hush-hush b tok-tok") == "a [redacted] b [redacted]")
  }

  @Test(arguments: [("AKIAIOSFODNN7EXAMPLE", "…MPLE"), ("test", "…st"), ("x", "…"), ("", "…")])
  func ofAKeyIDAtMostHalfAndFourCharactersAreShown(id: String, shown: String) {
    #expect(AWSCredentials(accessKeyID: id, secretAccessKey: "s", source: "x").accessKeyIDEnding == shown)
  }

  @Test func anEmptySessionTokenIsNone() {
    #expect(AWSCredentials(accessKeyID: "a", secretAccessKey: "b", sessionToken: "", source: "").sessionToken == nil)
  }

  @Test(arguments: [
    (Int64(0), "19700101T000000Z"), (-1, "19691231T235959Z"), (951_782_400, "20000229T000000Z"),
    (1_769_903_999, "20260131T235959Z"), (4_107_542_400, "21000301T000000Z"), (4_107_542_399, "21000228T235959Z"),
  ])
  func datesAreWrittenAndRead(epoch: Int64, text: String) {
    #expect(SigningDate(epochSeconds: epoch).description == text)
    #expect(SigningDate(text)?.epochSeconds == epoch)
  }

  @Test(arguments: [
    "", "20260131", "20260131T235959", "20260131t235959Z", "20261301T000000Z", "20260229T000000Z", "2026013 T235959Z",
    "20260131T245959Z", "20260131T236059Z", "00000131T235959Z", "+0260131T235959Z", "２0260131T235959Z",
  ])
  func whatIsNoDateIsRefused(text: String) { #expect(SigningDate(text) == nil) }
}
