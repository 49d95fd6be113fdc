import Testing

@testable import InfraBench

/// Answers of the stand-in are found in whatever a gateway makes of its lines.
struct StandInAnswerTests {
  @Test(
    arguments: [
      ("~7 ok", true, []), ("~7 ok 00ff", true, ["00ff"]), ("~7 error EACCES", false, ["EACCES"]),
      ("{\"type\":\"text_delta\",\"text\":\"~7 ok uid=5 gid=6\"}\n{\"type\":\"finish\"}", true, ["uid=5", "gid=6"]),
      ("1 ~7 whoami\n~7 ok x", true, ["x"]), ("~7 ok a\n~7 ok b", true, ["a"]),
    ] as [(String, Bool, [String])])
  func theAnswerIsFound(_ text: String, _ isOk: Bool, _ words: [String]) {
    #expect(StandInAnswer(text, tag: "~7") == StandInAnswer(isOk: isOk, words: words))
  }

  @Test(arguments: ["", "~7", "~7 ", "~77 ok", "7 ok", "1 ~7 whoami", "~7 okay", "~7 \"ok\"", "~7\nok", "~8 ok ~7"])
  func whatIsNoAnswerIsNone(_ text: String) {
    #expect(StandInAnswer(text, tag: "~7") == nil)
  }

  @Test func valuesAreReadByTheirNames() {
    let answer = StandInAnswer(isOk: true, words: ["uid=10", "cwd=/a=b", "pid="])
    #expect(answer["uid"] == "10" && answer["cwd"] == "/a=b" && answer["pid"] == "" && answer["id"] == nil)
  }

  @Test(
    arguments: [
      (nil, "the word is 0af3.", true), (nil, "the word is 0AF3.", false), (nil, "", false),
      ("word: {nonce}$", "word: 0af3", true), ("word: {nonce}$", "0af3", false),
    ] as [(String?, String, Bool)])
  func aProgramRecallsItsSecret(_ expect: String?, _ answer: String, _ isRecalled: Bool) async {
    let lines = UserLines(remember: "keep {nonce} and {nonce}", recall: "?", expect: expect)
    #expect(lines.remembering("0af3") == "keep 0af3 and 0af3")
    #expect(await lines.recalls("0af3", answer) == isRecalled)
  }

  @Test func theStandInsTokenIsAboutItsUser() {
    let token = TokenSource.ofStandIn(for: "test-user-0001")
    #expect(TokenSource.subject(of: token) == "test-user-0001" && TokenSource.expiry(of: token) == nil)
    #expect(TokenSource.subject(of: "a.b.c") == nil && TokenSource.subject(of: "") == nil)
  }
}
