import Foundation
import Gateway
import TestSupport
import Testing

/// JSON Pointers (RFC 6901), and a profile's fields made of them.
@Suite struct ProfilePointerTests {
  /// RFC 6901, section 5.
  static let example = #"""
    {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}
    """#

  static func node(_ text: String) throws -> JSONNode { try #require(JSONNode.parse(text.utf8), "\(text)") }

  private func value(_ pointer: String, in text: String = example) throws -> JSONNode? {
    try #require(JSONPointer(pointer), "\(pointer)").value(in: try Self.node(text))
  }

  @Test(
    arguments: [
      ("/foo", .array([.string("bar"), .string("baz")])), ("/foo/0", .string("bar")), ("/", .number(0)),
      ("/a~1b", .number(1)), ("/c%d", .number(2)), ("/e^f", .number(3)), ("/g|h", .number(4)), (#"/i\j"#, .number(5)),
      (#"/k"l"#, .number(6)), ("/ ", .number(7)), ("/m~0n", .number(8)),
    ] as [(String, JSONNode)])
  func theExamplesOfTheRFC(_ pointer: String, _ expected: JSONNode) throws {
    #expect(try value(pointer) == expected)
  }

  @Test func theEmptyPointerIsTheWholeText() throws {
    #expect(try value("") == Self.node(Self.example))
    #expect(try value("", in: "7") == .number(7))
  }

  @Test(
    arguments: ["/foo/2", "/foo/-", "/foo/01", "/foo/00", "/foo/-1", "/foo/+1", "/foo/ 1", "/foo/1e0", "/foo/0/x"]
      + ["/foo/99999999999999999999999999", "/foo/9223372036854775807", "/foo/", "/nowhere", "/foo/bar", "//", "/a/b"])
  func aPlaceThatIsNotThereHasNoValue(_ pointer: String) throws {
    #expect(try value(pointer) == nil)
  }

  @Test(arguments: ["foo", " /foo", "/~", "/~2", "/a~", "/~01~", "#/foo", "~0", "/x/~/y", "/~~0"])
  func whatIsNoPointerIsRefused(_ text: String) { #expect(JSONPointer(text) == nil) }

  /// `~01` is `~1`, not `/` (RFC 6901, section 4).
  @Test func anEscapedTildeBeforeADigitStaysOne() throws {
    #expect(try value("/~01", in: #"{"~1": "tilde", "/": "slash"}"#) == .string("tilde"))
    #expect(try value("/~1", in: #"{"~1": "tilde", "/": "slash"}"#) == .string("slash"))
  }

  /// A slash is one although a letter's mark follows it, of which Swift makes one character.
  @Test func slashesAndTildesAreCodePoints() throws {
    #expect(try value("/a/\u{301}b", in: "{\"a\": {\"\u{301}b\": 1}}") == .number(1))
    #expect(try value("/\u{301}", in: "{\"\u{301}\": 1}") == .number(1))
    #expect(JSONPointer("/~\u{301}0") == nil)
  }

  /// Another implementation's word on pointers and places that were drawn.
  @Test(
    .enabled(if: Python.canImport("jsonpointer"), "needs Python's jsonpointer; INFRABENCH_PYTHON names an interpreter"),
    arguments: 0..<2)
  func pythonFindsTheSame(_ seed: UInt64) async throws {
    var random = SeededRandom(seed: seed)
    let tokens = ["", "0", "1", "01", "10", "a", "~0", "~1", "a~1b", "~01", "é", "-", " ", "2"]
    let pointers = (0..<300).map { _ in
      (0..<Int.random(in: 0...3, using: &random)).map { _ in "/" + (tokens.randomElement(using: &random) ?? "") }
        .joined()
    }
    let text = #"""
      {"": {"": 1, "0": [2, {"a": 3}]}, "0": [[4, "b"], {"~": 5, "/": {"a/b": 6}}], "a": [7, [8, 9, [10]]], "~1": {"é": 11},
       "~": [12], "/": {"01": 13, "10": 14}, "a/b": {"-": 15, " ": {"1": 16}}, "é": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17], "-": 18}
      """#
    let script = """
      import json, sys, jsonpointer
      nothing = object()
      text = json.loads(sys.argv[1])
      def value(pointer):
          try:
              found = jsonpointer.resolve_pointer(text, pointer, nothing)
          except jsonpointer.JsonPointerException:
              found = nothing
          # "-" is the place behind a list's last one, where nothing is yet.
          return None if found is nothing or isinstance(found, jsonpointer.EndOfList) else [found]
      print(json.dumps([value(pointer) for pointer in json.loads(sys.argv[2])]))
      """
    let written = String(decoding: try JSONEncoder().encode(pointers), as: UTF8.self)
    let result = try await Python.run(["-c", script, text, written])
    guard case .array(let found)? = JSONNode.parse(result.output.utf8), found.count == pointers.count else {
      Issue.record("\(result.output)")
      return
    }
    for (pointer, found) in zip(pointers, found) {
      let expected: JSONNode? = if case .array(let values) = found { values.first } else { nil }
      #expect(try value(pointer, in: text) == expected, "\(pointer)")
    }
    #expect(found.contains { $0 != .null } && found.contains(.null))
  }

  // MARK: Fields

  private func field(_ places: (String, String?)...) throws -> ProfileField {
    ProfileField(try places.map { .init(try #require(JSONPointer($0.0)), last: $0.1) })
  }

  @Test func theFirstPlaceThatHasAValueCounts() throws {
    let field = try field(("/a", nil), ("/b/c", nil), ("/d", nil))
    for (text, expected) in [
      (#"{"a": "1", "d": "3"}"#, "1"), (#"{"a": null, "b": {"c": "2"}, "d": "3"}"#, "2"),
      (#"{"b": {"c": null}, "d": "3"}"#, "3"), (#"{"b": "c"}"#, nil), ("[]", nil), (#""a""#, nil),
      // A text names something where there is one: an empty one, a list or an object doesn't.
      (#"{"a": "", "d": "3"}"#, "3"), (#"{"a": {}, "d": "3"}"#, "3"), (#"{"a": true, "d": 17}"#, "17"),
      (#"{"a": 1.5, "d": "3"}"#, "3"),
    ] as [(String, String?)] {
      #expect(field.text(in: try Self.node(text)) == expected, "\(text)")
    }
    #expect(field.value(in: try Self.node(#"{"a": false, "d": 1}"#)) == .bool(false))
    #expect(field.value(in: try Self.node(#"{"a": null}"#)) == nil)
  }

  @Test(
    arguments: [
      ("arn:aws:ecs:r:1:task/cluster/abc", "abc"), ("a/b/", "b"), ("abc", "abc"), ("a//b//", "b"), ("/", nil),
      ("", nil),
      ("a/\u{301}b", "\u{301}b"),
    ] as [(String, String?)])
  func onlyTheLastPartCounts(_ text: String, _ expected: String?) throws {
    let json = String(decoding: try JSONEncoder().encode(["arn": text]), as: UTF8.self)
    #expect(try field(("/arn", "/")).text(in: Self.node(json)) == expected)
  }

  @Test func thePartsMayBeSeparatedByMoreThanASign() throws {
    let node = try Self.node(#"{"a": "x::y::z", "n": 17}"#)
    #expect(try field(("/a", "::")).text(in: node) == "z")
    #expect(try field(("/n", "/")).text(in: node) == "17")
    #expect(try field(("/m", "/"), ("/a", ":")).text(in: node) == "z")
  }
}
