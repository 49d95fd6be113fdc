import Testing
import TextFormatting

@Suite struct PlainTextTests {
  @Test(arguments: [
    ("a\nb\tc", "a b c"), ("\u{1b}[31mred", " [31mred"), ("a\u{2028}b\u{2029}c", "a b c"),
    ("a\u{202e}b\u{2066}c\u{200f}d\u{61c}e", "a b c d e"), ("für 東京 👩‍🚀", "für 東京 👩‍🚀"), ("", ""),
  ])
  func aLineKeepsLettersAndNoControls(text: String, line: String) {
    #expect(PlainText.line(text) == line)
    #expect(PlainText.line(text, limit: 1_000) == line)
  }

  @Test func aLineIsCutAfterScalars() {
    #expect(PlainText.line("ééé\nx", limit: 4) == "ééé ")
    #expect(PlainText.line("éx", limit: 1) == "é")
    #expect(PlainText.line("x", limit: 0) == "")
  }

  @Test(arguments: [("a\r\nb", "a  b"), ("für", "f  r"), ("~ \u{7f}!", "~  !"), ("\u{202e}x", "   x"), ("", "")])
  func asciiHasABlankForEveryOtherByte(text: String, shown: String) {
    #expect(PlainText.ascii(text) == shown)
    #expect(PlainText.ascii(Array(text.utf8)) == shown)
  }

  @Test func asciiIsCutAfterBytes() {
    #expect(PlainText.ascii(String(repeating: "x", count: 300)).utf8.count == 120)
    #expect(PlainText.ascii("fü", limit: 2) == "f ")
  }

  @Test(arguments: [
    ("<html>\r\n<head><title>400 Bad</title></head>\r\n<hr>nginx\r\n", "400 Bad nginx"), ("a < b <b>c</b>", "a < b c"),
    ("\u{1b}[31mred\u{7}", "[31mred"), ("für", "f r"), ("", ""), ("<p", ""),
  ])
  func pagesAreOneLineWithoutTags(text: String, line: String) {
    #expect(PlainText.withoutMarkup(text) == line)
  }

  @Test func pagesAreCutAfterBytes() {
    #expect(PlainText.withoutMarkup(String(repeating: "x", count: 300), limit: 120).utf8.count == 120)
    #expect(PlainText.withoutMarkup("ab <p>cd", limit: 3) == "ab")
  }
}
