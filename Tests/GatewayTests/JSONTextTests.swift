import Foundation
import Testing

@testable import Gateway

/// Our own JSON texts, read back by Foundation's decoder.
struct JSONTextTests {
  @Test(
    arguments: [
      "", "plain", "\"quoted\"", "\\", "a\\\"b", "\u{0}\u{1}\u{1f} \u{20}", "\n\r\t", "ä €  🙂", "e\u{301}",
      "\u{7f}\u{9f}\u{2028}",
      "</script>", "{\"a\":1}",
    ])
  func whatIsQuotedIsReadBackAsItWas(_ text: String) throws {
    let quoted = JSONText.quoted(text)
    #expect(try JSONDecoder().decode([String].self, from: Data("[\(quoted)]".utf8)) == [text])
    #expect(JSONText.needsEscapes(text) == (quoted != "\"\(text)\""))
  }

  /// What may stand in a literal as it is stays: a gateway that compares bytes sees the user's own.
  @Test func nothingElseIsEscaped() {
    #expect(JSONText.escaped("ä/€ '🙂\u{7f}") == "ä/€ '🙂\u{7f}")
    #expect(JSONText.escaped("\u{1}") == "\\u0001" && JSONText.escaped("\u{1f}") == "\\u001f")
  }
}
