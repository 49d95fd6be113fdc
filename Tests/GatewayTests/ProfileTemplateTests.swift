import Foundation
import Gateway
import TestSupport
import Testing
import TextFormatting

/// Texts with placeholders.
@Suite struct ProfileTemplateTests {
  /// What users and gateways may bring into a text.
  private static let hostile = [
    "", "plain", "a b", #"say "hi""#, #"back\slash"#, "line\nend\r\n", "\u{0}\u{1}\u{1f}\u{7f}", "tab\t", "é", "🙂👩‍👩‍👧",
    "e\u{301}",
    "\u{2028}\u{2029}", "{userId}", "{message}", "{{}}", "}{", "%41", "a/b?c=d&e#f", "\u{feff}", #"\u0041"#, #""}, {""#,
    "/../x", "\u{10ffff}", String(repeating: "\"", count: 1000),
  ]

  private func text(
    _ template: String, as encoding: ProfileTemplate.Encoding, _ values: [ProfileTemplate.Placeholder: String]
  ) throws -> String {
    try ProfileTemplate(template, as: encoding).text(ProfileValues(values))
  }

  @Test(arguments: hostile) func whatAUserSaysComesOutOfJSONAsItWentIn(_ value: String) throws {
    let written = try text(#"{"type": "message", "message": "<{message}>"}"#, as: .json, [.message: value])
    for decoded in [
      try JSONDecoder().decode([String: String].self, from: Data(written.utf8)),
      try JSONSerialization.jsonObject(with: Data(written.utf8)) as? [String: String],
    ] {
      #expect(decoded?["type"] == "message")
      #expect(decoded?["message"].map { Array($0.unicodeScalars) } == Array("<\(value)>".unicodeScalars))
    }
  }

  @Test(arguments: hostile) func aPathHoldsUnreservedCharactersAloneAndIsDecodedToWhatItWas(_ value: String) throws {
    let path = try text("/a/{task}?b={token}", as: .path, [.task: value, .token: "t"])
    #expect(path.hasPrefix("/a/") && path.hasSuffix("?b=t"))
    let encoded = path.dropFirst(3).dropLast(4)
    #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"/?#&=+\"\\{}<>".utf8.contains($0) }, "\(path)")
    // Foundation takes a byte order mark for no part of a text; Python's decoder is asked of it below.
    guard !value.hasPrefix("\u{feff}") else { return }
    #expect(String(encoded).removingPercentEncoding.map { Array($0.utf8) } == Array(value.utf8))
  }

  @Test(.enabled(if: Python.canImport("urllib.parse"), "needs Python")) func pythonQuotesTheSame() async throws {
    let values = Self.hostile.filter { !$0.contains("\u{0}") }
    let script = """
      import json, sys, urllib.parse
      print(json.dumps([urllib.parse.quote(value, safe="") for value in json.loads(sys.argv[1])]))
      """
    let written = String(decoding: try JSONEncoder().encode(values), as: UTF8.self)
    let result = try await Python.run(["-c", script, written])
    #expect(
      try JSONDecoder().decode([String].self, from: Data(result.output.utf8)) == values.map(PercentEncoding.encode))
  }

  @Test(arguments: hostile) func aPlainTextIsAsItIs(_ value: String) throws {
    #expect(try text("{message}", as: .plain, [.message: value]) == value)
  }

  /// A value is not looked into: nothing that a gateway or a user says becomes another's value.
  @Test func aPlaceholderInAValueStaysText() throws {
    #expect(try text("{message}{token}", as: .plain, [.message: "{token}", .token: "s"]) == "{token}s")
  }

  @Test(
    arguments: [
      ("", ""), ("{}", "{}"), ("{ userId }", "{ userId }"), ("{userId", "{userId"), ("userId}", "userId}"), ("{", "{"),
      ("{{userId}}", "{u}"), ("{{{userId}}}", "{{u}}"), ("{1}", "{1}"), ("{user-id}", "{user-id}"),
      ("{userId2}", "{userId2}"),
      ("{userId}{userId}", "uu"), ("a{userId}b{n}c", "aub7c"), (#"{"a": {}}"#, #"{"a": {}}"#), ("{ü}", "{ü}"),
      ("{userId\u{301}}", "{userId\u{301}}"),
    ])
  func aBraceWithoutAWordIsItself(_ template: String, _ expected: String) throws {
    #expect(try text(template, as: .plain, [.userId: "u", .n: "7"]) == expected)
  }

  @Test(arguments: ["{user}", "{USERID}", "{userid}", "a{b}c", "{userId}{x}"])
  func anotherWordInBracesIsUnknown(_ template: String) {
    let error = #expect(throws: ProfileTemplate.UnknownPlaceholder.self) { try ProfileTemplate(template, as: .plain) }
    #expect(error.map { template.contains("{\($0.name)}") } ?? false)
  }

  @Test func itsPlaceholdersAreKnownAndOneWithoutAValueIsEmpty() throws {
    let template = try ProfileTemplate("/{task}/{token}/{task}", as: .path)
    #expect(template.placeholders == [.task, .token])
    #expect(template.text(ProfileValues([.task: "a"])) == "/a//a")
  }

  @Test func everyPlaceholderHasItsValue() throws {
    for placeholder in ProfileTemplate.Placeholder.allCases {
      let template = try ProfileTemplate("{\(placeholder.rawValue)}", as: .plain)
      var values = ProfileValues()
      values[placeholder] = "value"
      #expect(template.placeholders == [placeholder] && template.text(values) == "value")
    }
  }
}
