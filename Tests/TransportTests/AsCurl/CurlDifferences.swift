/// One way in which this reader and curl differ, and why ours is right by RFC 9112, or may be as it is.
///
/// A newer curl may be as strict as we are: nothing here says what curl must do.
struct CurlDifference: Sendable {
  enum Side: Sendable {
    /// Curl takes the answer, and we refuse it with `message`.
    case weRefuse
    /// We take the answer, and curl refuses it.
    case curlRefuses
    /// Both take it, as different things.
    case bothTake
  }

  var side: Side
  /// A part of our refusal.
  var message = ""
  /// A regular expression over the answer as Latin-1: what it must have for this to be the cause.
  var pattern: String
  /// Another one over the body that curl took.
  var curlsBody = ""
  var reason: String

  func explains(_ answer: String, ours: Reading, curl: Reading) throws -> Bool {
    switch (side, ours.refusal, curl.refusal) {
    case (.weRefuse, let refusal?, nil): guard refusal.contains(message) else { return false }
    case (.curlRefuses, nil, .some), (.bothTake, nil, nil): break
    default: return false
    }
    let body = String(String.UnicodeScalarView(curl.body.map { Unicode.Scalar($0) }))
    return try [(answer, pattern), (body, curlsBody)].allSatisfy { text, pattern in
      text.contains(try Regex(pattern).matchingSemantics(.unicodeScalar).ignoresCase())
    }
  }

  static let table = [
    // Lines.
    CurlDifference(
      side: .weRefuse, message: "ends without CR", pattern: "[^\\r]\\n|^\\n",
      reason: "a bare LF as line end: a reader may take it (2.2), and who mixes both is not trusted with lengths"),
    CurlDifference(
      side: .weRefuse, message: "chunks are malformed", pattern: "[^\\r]\\n",
      reason: "a bare LF as line end in a chunked body: the same"),
    CurlDifference(
      side: .weRefuse, message: "has a bare CR", pattern: "\\r(?!\\n)",
      reason: "a bare CR makes its element invalid (2.2)"),
    CurlDifference(
      side: .weRefuse, message: "chunks are malformed", pattern: "\\r(?!\\n)|\\x00",
      reason: "a bare CR or a NUL in a line of a chunked body: the same"),
    CurlDifference(
      side: .weRefuse, message: "closed the connection", pattern: "^HTTP/1\\.[01] [0-9]{3}",
      reason: "an answer that ends inside its head is incomplete (8); curl takes what there is"),
    // The status line.
    CurlDifference(
      side: .weRefuse, message: "does not start with 'HTTP/", pattern: "(^|\\r\\n\\r\\n)(?-i:(?!HTTP/1\\.))http/",
      reason: "the version's name is in capitals (2.3), and HTTP/2 and 3 do not come as text"),
    CurlDifference(
      side: .weRefuse, message: "its status is no number", pattern: "HTTP/1\\.[01] (?![0-9]{3})",
      reason: "one space stands before a status of three digits (4)"),
    CurlDifference(
      side: .weRefuse, message: "its status is not in 100–599", pattern: "HTTP/1\\.[01] ([0-9]{3}[^ \\r]|[6-9])",
      reason: "a space stands behind the status (4), and a status from 600 on is invalid (RFC 9110, 15)"),
    // Fields.
    CurlDifference(
      side: .weRefuse, message: "a header line has no proper name",
      pattern: "\\n([^\\r\\n:]*[^\\x21-\\x7e\\r\\n][^\\r\\n:]*:|:|[^\\r\\n:]+\\r\\n)",
      reason: "a field's name is a token, and the colon follows at once (5.1)"),
    CurlDifference(
      side: .weRefuse, message: "two different lengths", pattern: "content-length:",
      reason: "different lengths are an error that nothing recovers from (6.3, rule 5)"),
    CurlDifference(
      side: .weRefuse, message: "its length is no number",
      pattern: "content-length:(L*[^0-9, \\t\\r\\n]|L*[0-9]B+[0-9]|(,|B)*\\r\\n(?![ \\t])|L*[0-9]{18})"
        .replacing("L", with: "([0-9,]|B)").replacing("B", with: "([ \\t]|\\r\\n[ \\t])"),
      reason: "a length is of digits alone (RFC 9110, 8.6), which curl reads up to what is none"),
    CurlDifference(
      side: .weRefuse, message: "both a length and a transfer encoding", pattern: "transfer-encoding:",
      reason: "a sign of a smuggled answer, which ought to be handled as an error (6.3, rule 3)"),
    CurlDifference(
      side: .weRefuse, message: "its transfer encoding is not 'chunked'", pattern: "transfer-encoding:",
      reason: "no other coding was asked for (7), and none is applied twice (6.1); curl knows gzip and identity"),
    CurlDifference(
      side: .weRefuse, message: "no request asked for", pattern: "content-encoding:",
      reason: "an unknown coding hides the answer; curl decodes only when told"),
    CurlDifference(
      side: .weRefuse, message: "body is corrupt", pattern: "content-encoding:",
      reason: "a body that is not what its coding says; curl decodes only when told"),
    CurlDifference(
      side: .weRefuse, message: "head is larger than", pattern: "[^\\n]{60000}|\\n[^$]{60000}",
      reason: "a head has at most 64 KiB here; curl's bound is 100 KiB a line"),
    CurlDifference(
      side: .curlRefuses, pattern: "content-length:([ \\t]*\\r\\n[ \\t]|[ \\t]*,)",
      reason:
        "a folded value is one with blanks (5.2), and empty elements of a list count for nothing (RFC 9110, 5.6.1)"),
    CurlDifference(
      side: .bothTake, pattern: "transfer-encoding:[ \\t]*\\r\\n[ \\t]",
      reason: "a folded value is one with blanks (5.2): curl misses it, and takes the chunks for the body"),
    CurlDifference(
      side: .weRefuse, message: "chunks are malformed", pattern: "transfer-encoding:[ \\t]*\\r\\n[ \\t]",
      reason: "the same: what curl takes for the body are malformed chunks"),
    // Chunks.
    CurlDifference(
      side: .weRefuse, message: "chunks are malformed", pattern: "\\n[0-9a-f]+[^\\n]*\\r\\n", curlsBody: "\\r\\z",
      reason: "a chunk that is one byte shorter than its size: curl takes the CR for data, and the LF for a line end"),
    CurlDifference(
      side: .weRefuse, message: "chunks are malformed", pattern: "\\n[0-9a-f]+[ \\t]*[^0-9a-f;\\r\\n]",
      reason: "only extensions stand behind a chunk's size (7.1)"),
    CurlDifference(
      side: .curlRefuses, pattern: "\\n0{9,}[0-9a-f]+",
      reason: "leading zeros are digits as others (7.1); curl counts only 16"),
    CurlDifference(
      side: .curlRefuses, pattern: "\\n0[^\\n]*\\r\\n[^\\r\\n]+\\r\\n",
      reason: "trailers are dropped unread (7.1.2); some make curl's own store of fields fail"),
    // Upgrades.
    CurlDifference(
      side: .curlRefuses, pattern: "^HTTP/1\\.1 101",
      reason: "an answer is complete with its head, and its status tells that it is none to the request"),
    CurlDifference(
      side: .bothTake, pattern: "^HTTP/1\\.1 101",
      reason: "what follows belongs to another protocol, and to no body"),
  ]
}
