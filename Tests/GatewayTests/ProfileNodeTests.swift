import Foundation
import Gateway
import Testing

/// What a gateway sends as JSON, read into a tree.
@Suite struct ProfileNodeTests {
  @Test(
    arguments: [
      ("null", .null), ("true", .bool(true)), ("1", .number(1)), ("1.0", .number(1)), ("0", .number(0)),
      ("-2.5e3", .number(-2500)),
      (#""1""#, .string("1")), ("[]", .array([])), ("{}", .object([:])),
      (
        #"[1, "a", null, false, [], {"b": {}}]"#,
        .array([.number(1), .string("a"), .null, .bool(false), .array([]), .object(["b": .object([:])])])
      ),
      (#"{"é": "\u00e9🙂"}"#, .object(["é": .string("é🙂")])),
    ] as [(String, JSONNode)])
  func everyValueIsReadAsWhatItIs(_ text: String, _ expected: JSONNode) {
    #expect(JSONNode.parse(text.utf8) == expected)
  }

  @Test(arguments: ["", " ", "{", "nul", "{'a': 1}", "[1,", "{\"a\":}", "<html>", "hello", "\u{0}", "1 2", "{} {}"])
  func whatIsNoJSONIsNothing(_ text: String) { #expect(JSONNode.parse(text.utf8) == nil) }

  @Test func bytesThatAreNoTextAreNothing() {
    #expect(JSONNode.parse([0x22, 0xff, 0x22]) == nil)
    #expect(JSONNode.parse([0xff, 0xfe, 0xfd]) == nil)
  }

  /// A number that names a task must be that number to its last digit: a task of another name would be given back.
  @Test(arguments: ["9007199254740993", "9223372036854775807", "-9223372036854775808", "1234567890123456789", "17"])
  func aWholeNumberNamesWhatItSays(_ digits: String) {
    #expect(JSONNode.parse(digits.utf8)?.text == digits)
    #expect(JSONNode.parse(digits.utf8)?.number == Double(digits))
  }

  @Test(arguments: ["1.5", "18446744073709551616", "1e400", "-1e400", "true", "null", "[]", "{}"])
  func whatIsNoTextAndNoWholeNumberNamesNothing(_ text: String) {
    let node = JSONNode.parse(Array("[\(text)]".utf8))
    guard case .array(let elements)? = node else {
      Issue.record("\(text) is JSON")
      return
    }
    #expect(elements.first?.text == nil)
  }

  /// A gateway may send a figure beyond all bounds in a field that nobody reads.
  @Test func aNumberBeyondAllBoundsSpoilsNothingElse() throws {
    let node = try #require(JSONNode.parse(#"{"id": "t", "latency": 1e400, "deep": [-1e999]}"#.utf8))
    #expect(JSONPointer("/id")?.value(in: node) == .string("t"))
    #expect(JSONPointer("/latency")?.value(in: node)?.number == nil)
  }

  @Test(arguments: [10, 400, 5000, 200_000]) func depthNeverCrashes(_ depth: Int) {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let text = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
      #expect((JSONNode.parse(text.utf8) != nil) == (depth <= 400))
    }
  }
}
