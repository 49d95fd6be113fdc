import Testing

/// Profiles with one mistake each: what is said of it, and whether the JSON Schema sees it too.
struct ProfileMistake: Sendable, CustomTestStringConvertible {
  var text: String
  /// All that is said; several where one mistake is several.
  var sentences: [String]
  /// Not of what a schema has no words for, such as placeholders in several places of which one is needed.
  var isSeenBySchema = true

  var testDescription: String { text.split(separator: "\n").dropFirst(2).joined(separator: " ") }

  /// A profile: its members begin on the third line.
  static func profile(_ members: String) -> String {
    "{\"schema\": \"infrabench.gateway/1\",\n\"name\": \"mine\",\n\(members)}"
  }

  static func acquire(_ more: String = "") -> String { #""acquire": {"path": "/a", "task": "/id"\#(more)}"# }
  static func session(_ more: String = "") -> String {
    #""session": {"path": "/s", "send": "{message}", "first": {"any": true}\#(more)}"#
  }

  private static func of(_ members: String, _ sentences: String..., isSeenBySchema: Bool = true) -> ProfileMistake {
    ProfileMistake(
      text: profile(members), sentences: sentences.map { "line 3: \($0)" }, isSeenBySchema: isSeenBySchema)
  }

  /// What is said of a value of a wrong type.
  private static let field =
    "is a JSON Pointer such as \"/taskId\", or {\"pointer\": \"/taskArn\", \"last\": \"/\"}, or a list of these"
  private static let condition =
    "is a condition such as {\"status\": 200, \"/type\": [\"a\", \"b\"], \"/id\": {\"exists\": true}} or {\"any\": true}, or a list of those"
  private static let path = "begins with one slash and has no blank, '#', '\\' or '..' in it"
  private static let duration =
    "\"ping\": \"every\" is a duration of 10ms or more: write a number and a unit, such as 250ms, 1.5s, 2m or 1h"

  static let table: [ProfileMistake] = [
    keys, types, durations, missing, paths, placeholders, fields, conditions, headers, subprotocols, tasks,
  ].flatMap(\.self)

  private static let keys: [ProfileMistake] = [
    of("\(acquire()), \"sesion\": {}", #"the profile has no "sesion": the nearest is "session""#),
    of("\(acquire()), \"xyz\": {}", #"the profile has no "xyz""#),
    of(acquire(#", "sucess": {"status": 200}"#), #""acquire" has no "sucess": the nearest is "success""#),
    of(acquire(#", "latency": "/l""#), #""acquire" has no "latency": the nearest is "latencyMs""#),
    of(session(#", "errorcode": "/c""#), #""session" has no "errorcode": the nearest is "errorCode""#),
    of(
      session(#", "ping": {"every": "1s", "send": "p", "pongs": {"/type": "pong"}}"#),
      #""ping" has no "pongs": the nearest is "pong""#),
    of(
      session(#", "return": {"path": "/s", "recover": {"any": true}}"#),
      #""return" has no "recover": the nearest is "recovered""#),
    of(session(#", "phases": {"initUsr": "/i"}"#), #""phases" has no "initUsr": the nearest is "initUser""#),
    of(
      "\(acquire()), \"release\": {\"path\": \"/r/{task}\", \"refuse\": {\"status\": 404}}",
      #""release" has no "refuse": the nearest is "refused""#),
    of(
      "\(acquire()), \"status\": {\"path\": \"/s\", \"warm\": \"/w\", \"warmState\": [\"warm\"]}",
      #""status" has no "warmState": the nearest is "warmStates""#),
    of("\(acquire()), \"agents\": {\"path\": \"/{task}\", \"port\": 1}", #""agents" has no "port""#),
    // Twice: a schema's reader has lost the first.
    of(acquire(#", "task": "/id""#), #""acquire": "task" is there twice"#, isSeenBySchema: false),
    of("\(acquire()), \(acquire())", #"the profile: "acquire" is there twice"#, isSeenBySchema: false),
    of(session(#", "headers": {"X-A": "1", "X-A": "2"}"#), #""headers": "X-A" is there twice"#, isSeenBySchema: false),
    of(
      acquire(#", "body": {"a": 1, "b": {"c": 1, "c": 2}}"#), #""acquire": "body" has "c" twice"#, isSeenBySchema: false
    ),
  ]

  private static let types: [ProfileMistake] = [
    of(#""acquire": []"#, #""acquire" is an object: { … }"#),
    of(#""acquire": {"path": 1, "task": "/id"}"#, #""acquire": "path" is a text"#),
    of(acquire(#", "method": "post""#), #""acquire": "method" is GET, POST, PUT, PATCH or DELETE, in capital letters"#),
    of(acquire(#", "method": ["POST"]"#), #""acquire": "method" is a text"#),
    of(acquire(#", "waitFor": "ready""#), #""acquire": "waitFor" is an object whose members go into the body"#),
    of(
      acquire(#", "body": "plain", "waitFor": {"a": 1}"#),
      #""acquire": "waitFor" is an object whose members go into the body"#),
    of(session(#", "lazy": "yes""#), #""session": "lazy" is true or false"#),
    of(session(#", "subprotocols": "a""#), #""session": "subprotocols" is a list of texts"#),
    of(session(#", "subprotocols": [1]"#), #""session": "subprotocols" is a list of texts"#),
    of(session(#", "opening": {"type": "hi"}"#), #""session": "opening" is a list"#),
    of(session(#", "ping": "30s""#), #""ping" is an object: { … }"#),
    of(session(#", "ping": {"every": 30, "send": "p"}"#), #""ping": "every" is a text"#),
    of(session(#", "ping": {"every": "soon", "send": "p"}"#), duration),
    of(
      "\(acquire()), \"status\": {\"path\": \"/s\", \"warm\": \"/w\", \"warmStates\": \"warm\"}",
      #""status": "warmStates" is a list of texts"#),
  ]

  private static let durations: [ProfileMistake] =
    [
      "5ms", "9.99ms", "0s", "0.009s", "0.0099s", "9999us", "9999.9µs", "9999999ns", "0.00001m", "0.0000001h",
      "0009ms", "1", "ms", "1.s", ".5s", "-1s", "1 s", "000000000000000000001s",
    ].map { of(session(#", "ping": {"every": "\#($0)", "send": "p"}"#), duration) }
    // A pattern does not count a minute's milliseconds.
    + [of(session(#", "ping": {"every": "0.0001m", "send": "p"}"#), duration, isSeenBySchema: false)]

  private static let missing: [ProfileMistake] = [
    of(#""release": {"path": "/{task}"}"#, #"there is neither "acquire" nor "session": nothing could be measured"#)
      .onLine(1),
    of(#""acquire": {"path": "/a"}"#, #""acquire": "task" is missing"#),
    of(#""acquire": {"task": "/id"}"#, #""acquire": "path" is missing"#),
    of("\(acquire()), \"status\": {\"path\": \"/s\"}", #""status": "warm" is missing"#),
    of(
      "\(acquire()), \"status\": {\"path\": \"/s\", \"warm\": \"/w\", \"tasks\": \"/t\"}",
      #""status": "tasks" wants "taskId", the place of a task's name in each of them"#),
    of(
      "\(acquire()), \"release\": {\"path\": \"/r\"}", #""release": neither its path nor its body has {task} in it"#),
    of(
      "\(acquire()), \"release\": {\"path\": \"/r\", \"body\": {\"{task}\": [1, {\"a\": \"task\"}]}}",
      #""release": neither its path nor its body has {task} in it"#),
    of("\(acquire()), \"agents\": {\"path\": \"/warm\"}", #""agents": "path" has no {task} in it"#),
    of(#""session": {"send": "{message}", "first": {"any": true}}"#, #""session": "path" is missing"#),
    of(#""session": {"path": "/s", "first": {"any": true}}"#, #""session": "send" is missing"#),
    of(#""session": {"path": "/s", "send": "{message}"}"#, #""session": "first" is missing"#),
    of(
      #""session": {"path": "/s", "send": {"text": "hello"}, "first": {"any": true}}"#,
      #""session": "send" has no {message} in it"#),
    of(
      #""session": {"path": "/s", "send": [17, "message"], "first": {"any": true}}"#,
      #""session": "send" has no {message} in it"#),
    of(
      #""session": {"path": "/s", "send": null, "first": {"any": true}}"#, #""session": "send" has no {message} in it"#),
    of(session(#", "asked": {"/type": "q"}"#), #""session": "asked" and "answer" go together"#),
    of(session(#", "answer": "yes""#), #""session": "asked" and "answer" go together"#),
    of(session(#", "ping": {"every": "1s"}"#), #""ping": "send" is missing"#),
    of(session(#", "ping": {"send": "p"}"#), #""ping": "every" is missing"#),
    of(session(#", "return": {"recovered": {"any": true}}"#), #""return": "path" is missing"#),
    ProfileMistake(
      text: "{\"schema\": \"infrabench.gateway/2\",\n\"name\": \"mine\",\n\(acquire())}",
      sentences: [#"line 1: "schema" is to be "infrabench.gateway/1""#]),
    ProfileMistake(
      text: "{\"name\": \"mine\",\n\(acquire())}", sentences: [#"line 1: "schema" is to be "infrabench.gateway/1""#]),
    ProfileMistake(
      text: "{\"schema\": \"infrabench.gateway/1\",\n\(acquire())}",
      sentences: [#"line 1: the profile: "name" is missing"#]),
    named(""), named("a b"), named("ü"), named(String(repeating: "a", count: 65)), named("a/b"),
  ]

  private static func named(_ name: String) -> ProfileMistake {
    ProfileMistake(
      text: "{\"schema\": \"infrabench.gateway/1\",\n\"name\": \"\(name)\",\n\(acquire())}",
      sentences: ["line 2: \"name\" is to be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-': results are told apart by it"])
  }

  private func onLine(_ line: Int) -> ProfileMistake {
    var mistake = self
    mistake.sentences = sentences.map { $0.replacing("line 3:", with: "line \(line):") }
    return mistake
  }

  private static let paths: [ProfileMistake] = [
    "", "api", "//host/a", "/a b", "/a#b", #"/a\\b"#, "/é", "/a\\n", "/../a", "/a/..", "/a/./b", "/a/%2e%2E/b",
  ].map {
    of(#""acquire": {"path": "\#($0)", "task": "/id"}"#, #""acquire": "path" \#(path)"#)
  }

  private static let placeholders: [ProfileMistake] = [
    of(
      #""acquire": {"path": "/a/{usrId}", "task": "/id"}"#,
      #""acquire": "path": {usrId} is no placeholder: the nearest is {userId}"#),
    of(#""acquire": {"path": "/a/{what}", "task": "/id"}"#, #""acquire": "path": {what} is no placeholder"#),
    of(
      #""acquire": {"path": "/a/{task}", "task": "/id"}"#,
      #""acquire": "path" can't have {task} in it: it isn't known then"#),
    of(
      acquire(#", "body": {"a": ["{message}"]}"#), #""acquire": "body" can't have {message} in it: it isn't known then"#
    ),
    of(acquire(#", "waitFor": {"a": "{n}"}"#), #""acquire": "waitFor" can't have {n} in it: it isn't known then"#),
    of(
      "\(acquire()), \"release\": {\"path\": \"/{task}/{userId}\"}",
      #""release": "path" can't have {userId} in it: it isn't known then"#),
    of(
      "\(acquire()), \"status\": {\"path\": \"/{token}\", \"warm\": \"/w\"}",
      #""status": "path" can't have {token} in it: it isn't known then"#),
    of(
      "\(acquire()), \"agents\": {\"path\": \"/{task}/{token}\"}",
      #""agents": "path" can't have {token} in it: it isn't known then"#),
    of(
      #""session": {"path": "/{message}", "send": "{message}", "first": {"any": true}}"#,
      #""session": "path" can't have {message} in it: it isn't known then"#),
    of(session(#", "opening": [{"a": "{n}"}]"#), #""session": "opening" can't have {n} in it: it isn't known then"#),
    of(session(#", "headers": {"X-N": "{n}"}"#), #""headers": "X-N" can't have {n} in it: it isn't known then"#),
    of(session(#", "headers": {"X-N": "{nn}"}"#), #""headers": "X-N": {nn} is no placeholder"#),
    of(session(#", "ping": {"every": "1s", "send": "{ping}"}"#), #""ping": "send": {ping} is no placeholder"#),
    of(
      session(#", "return": {"path": "/{session}"}"#),
      #""return": "path": {session} is no placeholder: the nearest is {sessionId}"#),
  ]

  private static let fields: [ProfileMistake] =
    [
      "id", "/~2", #"/a~"#,
    ].map { of(#""acquire": {"path": "/a", "task": "\#($0)"}"#, #""acquire": "task" \#(field)"#) }
    + [
      "1", "null", "{}", "[]", "[[\"/a\"]]", "[\"/a\", 1]", #"{"pointer": "a"}"#, #"{"pointer": "/a", "last": ""}"#,
      #"{"pointer": "/a", "first": "/"}"#,
      #"{"last": "/"}"#, #"{"pointer": "/a", "last": 1}"#,
    ].map { of(#""acquire": {"path": "/a", "task": \#($0)}"#, #""acquire": "task" \#(field)"#) }

  private static let conditions: [ProfileMistake] =
    [
      "true", "200", "[]", "{}", "[{}]", #"{"any": false}"#, #"{"any": true, "status": 200}"#, #"{"status": "200"}"#,
      #"{"status": 99}"#, #"{"status": 600}"#,
      #"{"status": 200.5}"#, #"{"status": []}"#, #"{"type": "a"}"#, #"{"/~": "a"}"#, #"{"/a": []}"#, #"{"/a": [[1]]}"#,
      #"{"/a": {}}"#, #"{"/a": {"exists": 1}}"#,
      #"{"/a": {"contains": ""}}"#, #"{"/a": {"exist": true}}"#, #"{"/a": {"exists": true, "contains": "b"}}"#,
      #"[{"status": 200}, 1]"#,
    ].map { of(acquire(#", "success": \#($0)"#), #""acquire": "success" \#(condition)"#) } + [
      of(session(#", "ready": {"status": 200}"#), #""session": "ready" is about a message: "status" is HTTP's"#),
      of(
        #""session": {"path": "/s", "send": "{message}", "first": [{"/type": "a"}, {"status": 200, "/type": "b"}]}"#,
        #""session": "first" is about a message: "status" is HTTP's"#),
      of(
        session(#", "ping": {"every": "1s", "send": "p", "pong": {"status": 200}}"#),
        #""ping": "pong" is about a message: "status" is HTTP's"#),
      of(
        session(#", "ping": {"every": "1s", "send": "p", "pong": {"any": true}}"#),
        #""ping": "pong" can't be {"any": true}: it would take every message"#),
      of(
        session(#", "asked": {"any": true}, "answer": "yes""#),
        #""session": "asked" can't be {"any": true}: it would take every message"#),
      of(
        session(#", "error": {"any": true}"#),
        #""session": "error" can't be {"any": true}: it would take every message"#),
    ]

  private static let header = #""headers": a header is a name that the suite does not set itself, and a printable text"#
  private static let headers: [ProfileMistake] = [
    of(session(#", "headers": ["X-A: 1"]"#), #""headers" is an object: { … }"#),
    of(session(#", "headers": {"X A": "1"}"#), header), of(session(#", "headers": {"": "1"}"#), header),
    of(session(#", "headers": {"X-A": 1}"#), header), of(session(#", "headers": {"X-A": "a\r\nb"}"#), header),
    of(session(#", "headers": {"X-A": "é"}"#), header), of(session(#", "headers": {"Host": "a"}"#), header),
    of(session(#", "headers": {"sec-websocket-KEY": "a"}"#), header),
    of(
      session(#", "headers": {"X-A": "1", "x-a": "2"}"#),
      #""headers": "x-a" is there twice, in capital and in small letters"#, isSeenBySchema: false),
  ]

  private static let subprotocols: [ProfileMistake] =
    ["a b", "a,b", "é", "token.{token}", "a/b"].map {
      of(
        session(#", "subprotocols": ["v1", "\#($0)"]"#),
        #""session": "subprotocols" are names of A-Z, a-z, 0-9 and !#$%&'*+-.^_`|~, without placeholders"#)
    } + [
      of(
        session(#", "subprotocols": ["v1", "v2", "v1"]"#), #""session": "subprotocols" has a name twice"#),
      of(session(#", "subprotocols": [""]"#), #""session": "subprotocols" is a list of texts"#),
    ]

  /// Nobody could say what {task} stands for.
  private static let tasks: [ProfileMistake] = [
    #", "headers": {"X-Task": "{task}"}"#, #", "opening": [{"a": ["{task}"]}]"#,
    #", "asked": {"/type": "q"}, "answer": "{task}""#, #", "ping": {"every": "1s", "send": {"id": "{task}"}}"#,
    #", "return": {"path": "/s/{task}"}"#,
  ].map { of(session($0), #""session" has {task}, and there is no "acquire""#) }
}
