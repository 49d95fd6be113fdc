import Testing
import Transport

@Suite struct UpgradeRequestTests {
  @Test func headersThatCannotBeSentAreKnownBefore() {
    #expect(UpgradeRequest.problem(ofHeader: "Authorization", "Bearer x") == nil)
    #expect(UpgradeRequest.problem(ofHeader: "Host", "x")?.contains("'Host'") == true)
    #expect(UpgradeRequest.problem(ofHeader: "X", "s3cret\u{1}")?.contains("s3cret") == false)
  }
}
