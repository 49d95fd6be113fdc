import Testing
import Transport

@Suite struct PlainLineTests {
  @Test(arguments: [
    ("<html>\r\n<head><title>400 Bad</title></head>\r\n<hr>nginx\r\n", "400 Bad nginx"), ("a < b <b>c</b>", "a < b c"),
    ("\u{1b}[31mred\u{7}", "[31mred"), ("für", "f r"), ("", ""), ("<p", ""),
  ])
  func textFromOutsideIsOneLineWithoutTags(text: String, line: String) {
    #expect(PlainLine.of(text) == line)
  }

  @Test func itsLengthIsBounded() {
    #expect(PlainLine.of(String(repeating: "x", count: 300), limit: 120).utf8.count == 120)
  }

  @Test func headersThatCannotBeSentAreKnownBefore() {
    #expect(UpgradeRequest.problem(ofHeader: "Authorization", "Bearer x") == nil)
    #expect(UpgradeRequest.problem(ofHeader: "Host", "x")?.contains("'Host'") == true)
    #expect(UpgradeRequest.problem(ofHeader: "X", "s3cret\u{1}")?.contains("s3cret") == false)
  }
}
