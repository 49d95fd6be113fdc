import Testing

@testable import InfraBench
@testable import Reports
import TextFormatting

/// Text that came from elsewhere, in reports.
struct ForeignTextTests {
  /// Such marks make a reader see other text than is there.
  @Test(arguments: ["\u{202e}", "\u{2066}", "\u{200f}", "\u{61c}", "\u{1b}", "\u{9b}", "\n"])
  func nothingTurnsTextAround(mark: String) {
    #expect(PlainText.line("a\(mark)b") == "a b")
    #expect(Markdown.escape("a\(mark)b") == "a b")
  }

  /// In the comment of a pull request.
  @Test func nobodyIsCalledByALabel() {
    #expect(!Markdown.escape("for @team").contains("@team"))
  }
}
