import ArgumentParser
import Foundation
import Gateway
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Profiles as people write them, with what people get wrong.
@Suite(.timeLimit(.minutes(2))) struct ProfileFileTests {
  private func mistakes(_ text: String) -> [String] { mistakes(Array(text.utf8)) }

  private func mistakes(_ bytes: [UInt8]) -> [String] {
    do throws(ProfileFile.Failure) {
      _ = try ProfileFile.read(bytes)
      return []
    } catch {
      return error.sentences
    }
  }

  @Test func theShortestProfilesAreRead() throws {
    for members in [ProfileMistake.acquire(), ProfileMistake.session()] {
      #expect(mistakes(ProfileMistake.profile(members)).isEmpty)
    }
  }

  /// What is allowed, though a check may take it for a mistake.
  static let unusual: [String] = [durations, oddities.map(ProfileMistake.profile), [ofAnEditor]].flatMap(\.self)

  private static let ofAnEditor =
    #"{"$schema": "x.json", "schema": "infrabench.gateway/1", "name": "a", \#(ProfileMistake.acquire())}"#

  private static let durations: [String] = [
    "10ms", "0010.0ms", "0.01s", "0.5s", "1s", "10000us", "10000.5µs", "10000000ns", "0.001m", "0.00001h", "1.25h",
    "00000000000000000001s",
  ].map { ProfileMistake.profile(ProfileMistake.session(#", "ping": {"every": "\#($0)", "send": "p"}"#)) }

  private static let oddities: [String] = [
    #""session": {"path": "/", "send": [[1, {"a": "{message}"}]], "first": {"any": true}}"#,
    ProfileMistake.session(#", "opening": [1, null], "ready": {"/task": "{task}"}"#),
    ProfileMistake.session(#", "done": {"any": true}, "subprotocols": ["a", "A", "!#$%"]"#),
    #"\#(ProfileMistake.acquire()), "release": {"path": "/r", "body": [{"a": ["x {task}"]}]}"#,
    #"\#(ProfileMistake.acquire()), \#(ProfileMistake.session(#", "headers": {"X-Task": "{task}"}"#))"#,
  ]

  @Test(arguments: unusual) func whatIsUnusualIsRead(_ text: String) { #expect(mistakes(text) == []) }

  @Test(arguments: ProfileMistake.table) func aMistakeIsSaidWithItsLineAndNothingElseIs(_ mistake: ProfileMistake) {
    #expect(mistakes(mistake.text) == mistake.sentences)
  }

  @Test func allMistakesAreSaidAtOnce() {
    let text = """
      {"schema": "x", "name": "a b", "sttus": {},
      "status": {"pth": "/s", "warm": [], "tasks": 1, "state": "s",
        "warmStates": 1},
      "acquire": {"method": "get", "path": "a", "body": {"a": "{x}"},
        "success": {}, "miss": {"a": 1}, "source": "a"},
      "session": {"path": "/{m}", "frist": {"any": true}, "lazy": 1,
        "ping": {"evry": "1s"}, "asked": {"any": true}}}
      """
    let found = mistakes(text)
    let lines = found.map { $0.prefix { $0 != ":" } }
    #expect(found.count >= 22, "\(found)")
    for line in 1...7 { #expect(lines.contains("line \(line)"), "\(line)") }
    for word in [
      "\"schema\"", "\"name\"", "\"sttus\"", "\"pth\"", "\"warm\"", "\"tasks\"", "\"state\"", "\"warmStates\"",
      "\"method\"", "{x}", "\"success\"",
      "\"miss\"", "\"source\"", "\"task\"", "{m}", "\"frist\"", "\"first\"", "\"send\"", "\"lazy\"", "\"evry\"",
      "\"every\"", "\"asked\"",
    ] {
      #expect(found.contains { $0.contains(word) }, "\(word)")
    }
    #expect(!found.contains { $0.contains("has no \"state\"") || $0.contains("has no \"warmStates\"") })
  }

  @Test(
    arguments: [
      ("", "it is no JSON: line 1, column 1: a value is expected"), ("[]", "a profile is an object: { … }"),
      ("null", "a profile is an object: { … }"),
      ("{", "it is no JSON: line 1, column 2: a key in quotation marks is expected"),
      ("{\n} x", "it is no JSON: line 2, column 3: there is more behind the end"),
    ])
  func whatIsNoJSONObjectIsSaidToBeNone(_ text: String, _ sentence: String) { #expect(mistakes(text) == [sentence]) }

  @Test func textsThatAreNoUTF8OrTooDeepAreRefused() {
    let text = ProfileMistake.profile(ProfileMistake.acquire())
    #expect(mistakes(Array(text.utf8) + [0xff]) == ["it is no JSON: line 1, column 1: the file is not UTF-8"])
    #expect(
      mistakes(Array(text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })) != [])
    for depth in [40, 100_000] {
      let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      let found = mistakes(ProfileMistake.profile(ProfileMistake.acquire(", \"body\": \(deep)")))
      #expect(found.count == 1 && found[0].hasSuffix("values are nested too deeply"))
    }
  }

  /// A header's value may be a secret: no message has any text of the file but keys and placeholders.
  @Test func noValueIsShown() {
    let text = ProfileMistake.profile(
      ProfileMistake.session(
        #", "headers": {"Authorization": "s3cret\n", "X-A": "s3cret {m}"}, "ready": "s3cret", "lazy": "s3cret", "task": "s3cret""#
      ))
    let found = mistakes(text)
    #expect(found.count == 5 && !found.contains { $0.contains("s3cret") }, "\(found)")
  }

  // MARK: What is read

  @Test func everyKeyIsRead() throws {
    let profile = try ProfileFile.read(Array(Self.whole.utf8))
    let status = try #require(profile.status)
    let node = try #require(
      JSONNode.parse(#"{"w": 2, "u": 1, "a": [{"i": "t", "s": "idle", "who": "u", "at": "x"}]}"#.utf8))
    #expect(profile.name == "whole-1.0_x" && status.call.method == "POST" && status.warm.value(in: node) == .number(2))
    #expect(status.assigned?.value(in: node) == .number(1) && status.warmStates == ["idle"])
    #expect([status.tasks, status.taskID, status.state, status.user, status.connectedAt].allSatisfy { $0 != nil })

    let acquire = try #require(profile.acquire)
    let values = ProfileValues([
      .userId: "u", .token: "t", .uuid: "id", .task: "x/y", .message: #"say "hi""#, .sessionId: "s", .n: "3",
    ])
    #expect(acquire.call.method == "PUT" && acquire.call.path.text(values) == "/a/u")
    #expect(acquire.call.body?.text(values) == #"{"user":"u","n":1.50,"deep":[{"t":"t","x":null,"y":true}]}"#)
    #expect(
      acquire.bodyWaiting?.text(values) == #"{"user":"u","deep":[{"t":"t","x":null,"y":true}],"n":2,"wait":"id"}"#)
    #expect(acquire.success.holds(status: 201, nil) && !acquire.success.holds(status: 200, nil))
    #expect(acquire.miss?.holds(status: 503, .object([:])) ?? false)
    #expect(acquire.task.places.count == 2 && acquire.source != nil && acquire.latency != nil)

    let release = try #require(profile.release)
    #expect(
      release.call.method == "DELETE" && release.call.path.text(values) == "/r/x%2Fy"
        && release.refused?.holds(status: 404, nil) ?? false)
    #expect(profile.agents?.path.text(values) == "/warm/x%2Fy")

    let session = try #require(profile.session)
    #expect(
      session.path.text(values) == "/?token=t" && session.headers.map { $0.value.text(values) } == ["u"]
        && session.subprotocols == ["v1"])
    #expect(session.opening.map { $0.text(values) } == [#"{"hello":"u"}"#, "plain u"])
    #expect(session.send.text(values) == #"{"text":"say \"hi\"","n":"3"}"# && session.isLazy && session.isStreamed)
    #expect(
      session.ping?.every == 1_500_000_000 && session.ping?.send.text(values) == "ping s" && session.ping?.pong != nil)
    #expect(session.returning?.path.text(values) == "/?s=s" && session.returning?.recovered != nil)
    #expect(session.answer?.text(values) == #"{"a":"yes"}"# && session.asked != nil)
    #expect([session.ready, session.done, session.error].allSatisfy { $0 != nil })
    #expect(
      [session.task, session.sessionID, session.source, session.errorCode, session.errorText].allSatisfy { $0 != nil })
    let phases = session.phases
    #expect([phases.acquire, phases.initUser, phases.workspace, phases.processStart].allSatisfy { $0 != nil })
    #expect(session.needsToken && !session.needsTask)
  }

  /// A profile with every key there is.
  static let whole = #"""
    {"schema": "infrabench.gateway/1", "name": "whole-1.0_x",
     "status": {"method": "POST", "path": "/st", "warm": "/w", "assigned": "/u", "tasks": "/a", "taskId": "/i", "state": "/s", "user": "/who",
       "connectedAt": "/at", "warmStates": ["idle"]},
     "acquire": {"method": "PUT", "path": "/a/{userId}", "body": {"user": "{userId}", "n": 1.50, "deep": [{"t": "{token}", "x": null, "y": true}]},
       "waitFor": {"n": 2, "wait": "{uuid}"}, "success": {"status": [201, 202]}, "miss": [{"status": 503}, {"/code": {"contains": "EMPTY"}}],
       "task": ["/id", {"pointer": "/arn", "last": ":"}], "source": "/source", "latencyMs": "/ms"},
     "release": {"method": "DELETE", "path": "/r/{task}", "body": {"t": "{task}"}, "success": {"status": 204}, "refused": {"status": 404}},
     "agents": {"path": "/warm/{task}"},
     "session": {"path": "/?token={token}", "headers": {"X-User": "{userId}"}, "subprotocols": ["v1"], "opening": [{"hello": "{userId}"}, "plain {userId}"],
       "ready": {"/type": "ready"}, "task": "/task", "sessionId": "/sid", "source": "/source", "lazy": true,
       "phases": {"acquire": "/p/a", "initUser": "/p/i", "workspace": "/p/w", "processStart": "/p/s"},
       "send": {"text": "{message}", "n": "{n}"}, "first": {"/type": ["a", "b"]}, "done": {"/type": "end", "/more": [false, null]},
       "asked": {"/type": "q"}, "answer": {"a": "yes"},
       "ping": {"every": "1.5s", "send": "ping {sessionId}", "pong": {"/type": "pong"}},
       "return": {"path": "/?s={sessionId}", "recovered": {"/type": "back"}},
       "error": {"/type": "error", "/code": {"exists": true}}, "errorCode": "/code", "errorText": "/text"}}
    """#

  // MARK: Fuzz

  /// However a profile is cut or spoiled: it is read, or something is said of it.
  @Test(arguments: BuiltInProfiles.names + ["whole"]) func noSpoiledProfileCrashesOrIsRefusedWithoutAWord(
    _ name: String
  ) throws {
    let bytes = Array((BuiltInProfiles.text(of: name) ?? Self.whole).utf8)
    for end in stride(from: 0, to: bytes.count, by: 3) { check(Array(bytes[..<end])) }
    var random = SeededRandom(seed: UInt64(name.utf8.count))
    let pieces =
      [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "1e999", "-", "\\u0000", "\\ud800", "{task}", "{message}",
        "/", "~", "é", "\u{0}", "\"\"", "[]", "{}",
      ]
      .map { Array($0.utf8) } + [[0xff], [0xc0, 0x80], [0x0a]]
    var read = 0
    for _ in 0..<2000 {
      var spoiled = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<spoiled.count, using: &random)
        let length = min(Int.random(in: 0...12, using: &random), spoiled.count - place)
        spoiled.replaceSubrange(place..<(place + length), with: pieces.randomElement(using: &random) ?? [])
      }
      if check(spoiled) { read += 1 }
    }
    #expect(read < 2000)
  }

  /// Values of one type where another is expected, everywhere in a profile that has everything.
  @Test func noValueOfAnotherTypeCrashesOrIsRefusedWithoutAWord() throws {
    guard case .object(let members) = try StrictJSON.parse(Array(Self.whole.utf8)) else { return }
    let others: [StrictJSON.Value] = [
      .null, .bool(true), .number("1e999"), .number("-1"), .string(""), .string("{task}{message}"), .array([]),
      .object([]),
    ]
    for (first, member) in members.enumerated() {
      for other in others {
        var spoiled = members
        spoiled[first].value = other
        check(Array(text(.object(spoiled)).utf8))
        guard case .object(let inner) = member.value else { continue }
        for second in inner.indices {
          var role = inner
          role[second].value = other
          spoiled[first].value = .object(role)
          check(Array(text(.object(spoiled)).utf8))
        }
      }
    }
  }

  @discardableResult private func check(_ bytes: [UInt8]) -> Bool {
    do throws(ProfileFile.Failure) {
      let profile = try ProfileFile.read(bytes)
      #expect(profile.acquire != nil || profile.session != nil)
      return true
    } catch {
      #expect(!error.sentences.isEmpty && error.sentences.allSatisfy { !$0.isEmpty })
      return false
    }
  }

  private func text(_ value: StrictJSON.Value) -> String {
    switch value {
    case .null: "null"
    case .bool(let bool): "\(bool)"
    case .number(let digits): digits
    case .string(let text): "\"\(JSONText.escaped(text))\""
    case .array(let values): "[" + values.map(text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { "\"\(JSONText.escaped($0.key))\":\(text($0.value))" }.joined(separator: ",\n") + "}"
    }
  }

  // MARK: The option

  private func read(_ written: String?) -> (GatewayProfile?, [String]) {
    var reader = OptionReader(environment: [:])
    let profile = reader.gatewayProfile(written)
    return (profile, reader.problems.sentences)
  }

  @Test func theOptionTakesANameOrAFile() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("mine.json", ProfileMistake.profile(ProfileMistake.session()))
    #expect(read(nil).0 == nil && read(nil).1.isEmpty)
    #expect(read("lab").0?.name == "lab" && read(file).0?.name == "mine")
    let broken = try scratch.write("broken.json", ProfileMistake.profile(ProfileMistake.session(#", "lzay": true"#)))
    let found = read(broken).1
    #expect(found.count == 1 && found[0].contains("broken.json") && found[0].contains("\"lazy\""), "\(found)")
    let large = try scratch.write("large.json", String(repeating: " ", count: ProfileFile.largest + 1))
    for written in ["nowhere.json", "Lab", "", scratch.path, large, "--count"] {
      let (profile, problems) = read(written)
      #expect(
        profile == nil && problems.count == 1 && problems[0].hasPrefix("--gateway-profile: "), "\(written): \(problems)"
      )
    }
  }

  /// Whether agents have become warm is seen in the status.
  @Test func whatIsMissingForAgentsIsSaidBeforeTheRun() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("mine.json", ProfileMistake.profile(ProfileMistake.acquire()))
    var reader = OptionReader(environment: [:])
    let arguments = ["--gateway-url", "http://127.0.0.1:1", "--agents", "2", "--gateway-profile", file]
    _ = reader.target(try TargetOptions.parse(arguments), needs: [.status, .acquire])
    let needed = ["status", "agents"].map { "--gateway-profile: 'mine' has no '\($0)', which is needed here" }
    #expect(reader.problems.sentences == needed)
  }

  // MARK: The target

  private func problems(
    _ profile: String, _ arguments: [String] = [], environment: [String: String] = [:]
  ) throws -> [String] {
    var reader = OptionReader(environment: environment)
    _ = reader.target(try TargetOptions.parse(["--gateway-profile", profile] + arguments))
    return reader.problems.sentences
  }

  private let remote = ["--gateway-url", "http://127.0.0.1:1"]

  private func copy(of profile: String, named name: String, _ scratch: ScratchDirectory) throws -> String {
    let text = try #require(BuiltInProfiles.text(of: profile))
    return try scratch.write(
      "\(name).json", text.replacing("\"name\": \"\(profile)\"", with: "\"name\": \"\(name)\""))
  }

  @Test func theEmbeddedGatewayIsSpokenToAsItKnows() throws {
    let scratch = try ScratchDirectory()
    for name in BuiltInProfiles.names {
      #expect(try problems(name).isEmpty)
      #expect(try problems(try copy(of: name, named: name, scratch)).isEmpty)
    }
    for name in ["embedded", "lab"] { #expect(try problems(try copy(of: name, named: "mine", scratch)).isEmpty) }
    let mine = try scratch.write("session.json", ProfileMistake.profile(ProfileMistake.session()))
    for file in [mine, try copy(of: "product", named: "mine", scratch)] {
      #expect(
        try problems(file)
          == ["--gateway-profile: 'mine' is a profile of a gateway of your own: give --gateway-url"])
    }
    #expect(try problems(mine, remote).isEmpty)
    #expect(try problems(mine, environment: ["GATEWAY_URL": "http://127.0.0.1:1"]).isEmpty)
  }

  @Test func nobodysProfileHasANameOfTheSuitesOwn() throws {
    let scratch = try ScratchDirectory()
    let file = try copy(of: "lab", named: "embedded", scratch)
    for arguments in [[], remote] {
      #expect(
        try problems(file, arguments)
          == ["--gateway-profile (in '\(file.prefix(80))'): 'embedded' is one of the suite's own: choose another name"])
    }
  }

  @Test(arguments: [
    #""session": {"path": "/{token}", "send": "{message}", "first": {"any": true}}"#,
    #""session": {"path": "/", "send": {"a": "{message}", "b": ["{token}"]}, "first": {"any": true}}"#,
    ProfileMistake.session(#", "headers": {"X-Token": "{token}"}"#),
    ProfileMistake.session(#", "opening": [{"token": "{token}"}]"#),
    ProfileMistake.session(#", "asked": {"/type": "q"}, "answer": "{token}""#),
    ProfileMistake.session(#", "ping": {"every": "1s", "send": "{token}"}"#),
    ProfileMistake.session(#", "return": {"path": "/{token}"}"#),
    #""acquire": {"path": "/{token}", "task": "/id"}"#, ProfileMistake.acquire(#", "body": {"a": "{token}"}"#),
    ProfileMistake.acquire(#", "waitFor": {"a": "{token}"}"#),
    #"\#(ProfileMistake.acquire()), "release": {"path": "/{task}/{token}"}"#,
    #"\#(ProfileMistake.acquire()), "release": {"path": "/", "body": ["{task}", "{token}"]}"#,
  ]) func whereverATokenHasAPlaceOneIsNeeded(_ members: String) throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("mine.json", ProfileMistake.profile(members))
    #expect(
      try problems(file, remote) == [
        "--gateway-profile: 'mine' has a place for a token: give --token-file, --token-command or GATEWAY_TOKEN"
      ])
    let tokens = try scratch.write("tokens", "a\nb\n")
    #expect(try problems(file, remote + ["--token-file", tokens]).isEmpty)
    #expect(try problems(file, remote + ["--token-command", "echo a"]).isEmpty)
    #expect(try problems(file, remote, environment: ["GATEWAY_TOKEN": "a"]).isEmpty)
  }

  @Test func aTokenThatIsWrongIsOneMistake() throws {
    for (arguments, environment) in [
      (["--token-file", "/nonexistent/tokens"], [:]), (["--token-command", "echo 'a"], [:]),
      ([], ["GATEWAY_TOKEN": "a\u{1}"]),
    ] as [([String], [String: String])] {
      let found = try problems("product", remote + arguments, environment: environment)
      #expect(found.count == 1 && !found[0].contains("has a place for a token"), "\(found)")
    }
  }
}
