import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct EscapingTests {
  @Test(
    arguments: [
      ("a < b & c > d", "a &lt; b &amp; c &gt; d"), ("\"'", "&quot;&#39;"), ("&lt;", "&amp;lt;"),
      ("a\nb\tc\r\u{2028}d", "a b c  d"), ("\u{0}\u{1b}\u{7f}\u{9b}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
      ("\u{202a}\u{202e}\u{2066}\u{2069}\u{200f}\u{61c}", String(repeating: "\u{fffd}", count: 6)),
      ("\u{fffe}\u{1ffff}", "\u{fffd}\u{fffd}"), ("µ – Ω 日本 🚀", "µ – Ω 日本 🚀"),
      // A combining mark makes another character of what is before it.
      ("<\u{301}script>", "&lt;\u{301}script&gt;"), ("\"\u{301}", "&quot;\u{301}"),
    ] as [(String, String)])
  func textsAreEscaped(_ text: String, _ expected: String) {
    let inside: HTML = "<b title=\"\(text)\">\(text)</b>"
    #expect(inside.source == "<b title=\"\(expected)\">\(expected)</b>")
  }

  @Test func markupIsPutTogetherAsItIs() {
    let part: HTML = "<i>\(1 as Int)</i>"
    let nothing: HTML? = nil
    let whole: HTML = "<p>\(part)\([part, part])\(nothing)\(2 as UInt64)</p>"
    #expect(whole.source == "<p><i>1</i><i>1</i><i>1</i>2</p>")
    #expect((part + HTML() + HTML([part])).source == "<i>1</i><i>1</i>")
  }

  @Test(
    arguments: [
      (1, "1"), (1.25, "1.3"), (-0.04, "0"), (12.04, "12"), (.nan, "0"), (.infinity, "0"), (1e300, "100000"),
      (-1e300, "-100000"),
    ] as [(Double, String)])
  func coordinatesAreShortAndFinite(_ length: Double, _ expected: String) {
    let html: HTML = "<g x=\"\(px: length)\"/>"
    #expect(html.source == "<g x=\"\(expected)\"/>")
  }
}
