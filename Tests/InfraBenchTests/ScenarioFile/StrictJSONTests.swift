import Foundation
import Testing

@testable import InfraBench
@testable import Results

@Suite struct StrictJSONTests {
  private func parse(_ text: String) throws -> StrictJSON.Value { try StrictJSON.parse(Array(text.utf8)) }

  @Test(
    arguments: [
      ("{}", .object([])), (" [ ] ", .array([])), ("null", .null), ("true", .bool(true)), ("false", .bool(false)),
      ("0", .number("0")), ("-0.10e+05", .number("-0.10e+05")),
      ("12345678901234567890.0", .number("12345678901234567890.0")),
      ("1E2", .number("1E2")), (#""""#, .string("")), (#""a\"\\\/\b\f\n\r\té""#, .string("a\"\\/\u{8}\u{c}\n\r\té")),
      (#""\u00e9\uD83D\uDE42\u0000""#, .string("é🙂\u{0}")),
      ("[1, [2], {}]", .array([.number("1"), .array([.number("2")]), .object([])])),
      ("\u{feff}{}", .object([])),
      (
        "{\n\"a\": 1,\r\n\n \"a\" :2}",
        .object([.init(key: "a", value: .number("1"), line: 2), .init(key: "a", value: .number("2"), line: 4)])
      ),
    ] as [(String, StrictJSON.Value)])
  func whatIsWrittenIsKept(_ text: String, _ value: StrictJSON.Value) throws {
    #expect(try parse(text) == value)
  }

  @Test(arguments: [
    "", " ", "{", "[", "\"", "{]", "[1,]", "{\"a\":1,}", "{,}", "[,]", "{\"a\"}", "{\"a\" 1}", "{a: 1}", "{'a': 1}",
    "{1: 2}", "1 2", "{} {}", "01", "+1", ".5", "5.", "1e", "1e+", "-", "--1", "0x10", "NaN", "Infinity", "True", "nul",
    "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\uD800\"", "\"\\uD800\\u0041\"",
    "\"\\uDC00\"", "\"\\uD800x\"", "// c\n{}", "{} # c", "[1;2]", "\u{a0}{}", "[\u{2028}]", "\"\\u+123\"", "{\"a\":}",
  ])
  func whatIsNoJSONIsRefused(_ text: String) {
    #expect(throws: StrictJSON.Failure.self) { try parse(text) }
  }

  @Test func bytesThatAreNoTextAreRefused() {
    for bytes in [[0xff], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x00]] as [[UInt8]] {
      #expect(throws: StrictJSON.Failure.self) { try StrictJSON.parse(bytes) }
    }
  }

  @Test func depthIsBounded() throws {
    for (depth, isAllowed) in [(30, true), (33, false), (100_000, false)] {
      let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      #expect(((try? parse(text)) != nil) == isAllowed, "\(depth)")
    }
  }

  @Test func aFailureSaysWhereAndNotWhat() {
    let error = #expect(throws: StrictJSON.Failure.self) { try parse("{\n  \"header\": \"s3cret\n\"}") }
    #expect(error?.line == 2 && error?.column == 20)
    #expect(error.map { !"\($0)".contains("s3cret") } ?? false)
    #expect(throws: StrictJSON.Failure(line: 2, column: 3, reason: "a comma or } is expected")) {
      try parse("{\"a\": 1\n  b}")
    }
  }

  /// Every way to cut or spoil a valid text either fails or is read by another decoder too.
  @Test func nothingIsReadThatAnotherDecoderRefuses() throws {
    let bytes = Array(#"{"a": [1, -2.5e3, "x\u00e9\n", true, null], "b": {"c": false}}"#.utf8)
    for place in bytes.indices {
      for spoiled in [Array(bytes[..<place])]
        + [0x00, 0x20, 0x22, 0x2c, 0x5c, 0x7d, 0x30, 0xff].map({ (byte: UInt8) in
          Array(bytes[..<place]) + [byte] + bytes[(place + 1)...]
        }) where (try? StrictJSON.parse(spoiled)) != nil
      {
        #expect(throws: Never.self) { try JSONDecoder().decode(JSONValue.self, from: Data(spoiled)) }
      }
    }
  }
}
