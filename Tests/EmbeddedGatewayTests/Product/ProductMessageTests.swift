import NIOCore
import Testing

@testable import EmbeddedGateway

/// What comes from clients and from programs, read.
@Suite struct ProductMessageTests {
  private func read(_ text: String) throws(ClientMessage.ParseError) -> ClientMessage {
    try ClientMessage(parsing: ByteBuffer(string: text))
  }

  @Test(arguments: [
    (
      #"{"type":"message","message":"hi","conversation_id":"c","x":1}"#,
      ClientMessage.message(Prompt(text: "hi", conversationID: "c"))
    ),
    (#"{"message":"a\n\"b\"","type":"message"}"#, .message(Prompt(text: "a\n\"b\"", conversationID: nil))),
    (#"{"type":"message","message":"hi","conversation_id":null}"#, .message(Prompt(text: "hi", conversationID: nil))),
    (#" {"type":"ping"} "#, .ping), (#"{"type":"abort"}"#, .abort),
    (#"{"type":"answer_question","answer":"yes"}"#, .answerQuestion("yes")),
    (#"{"type":"update_token","token":"t"}"#, .updateToken("t")),
  ])
  func messagesAreRead(text: String, expected: ClientMessage) throws { #expect(try read(text) == expected) }

  @Test(arguments: [
    ("", ClientMessage.ParseError.Code.invalidJSON), ("{", .invalidJSON), ("nonsense", .invalidJSON),
    (#"{"type":"ping"} {"type":"ping"}"#, .invalidJSON), (#"{"type":"message","message":"\ud800"}"#, .invalidJSON),
    (String(repeating: "[", count: 60_000), .invalidJSON),
    ("[]", .invalidMessage), ("null", .invalidMessage), (#""ping""#, .invalidMessage), ("{}", .invalidMessage),
    (#"{"type":7}"#, .invalidMessage), (#"{"type":null}"#, .invalidMessage),
    (#"{"type":"message"}"#, .invalidMessage), (#"{"type":"message","message":""}"#, .invalidMessage),
    (#"{"type":"message","message":["a"]}"#, .invalidMessage), (#"{"type":"answer_question"}"#, .invalidMessage),
    (#"{"type":"update_token","token":1}"#, .invalidMessage),
    (#"{"type":"message","message":"a","conversation_id":"\#(String(repeating: "c", count: 257))"}"#, .invalidMessage),
    (#"{"type":"acquire"}"#, .unknownType), (#"{"type":""}"#, .unknownType), (#"{"type":"PING"}"#, .unknownType),
  ])
  func mistakesAreNamed(text: String, code: ClientMessage.ParseError.Code) {
    let mistake = #expect(throws: ClientMessage.ParseError.self) { try self.read(text) }
    #expect(mistake?.code == code)
  }

  @Test func bytesThatAreNoUTF8AreNoMessage() {
    let bytes = Array(#"{"type":"message","message":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8)
    #expect(throws: ClientMessage.ParseError.self) { try ClientMessage(parsing: ByteBuffer(bytes: bytes)) }
  }

  @Test(arguments: [
    ("words", ProgramLine.text("words")), ("", .text("")), ("{no json", .text("{no json")),
    (#"{"a":1}"#, .text(#"{"a":1}"#)), (#"{"type":"other"}"#, .text(#"{"type":"other"}"#)),
    (#"{"type":"text_delta","text":"a\nb"}"#, .text("a\nb")), (#"{"type":"thinking"}"#, .nothing),
    (#"{"type":"ask_question","question":"sure?"}"#, .ask("sure?")),
    (#"{"type":"tool_call","name":"ls"}"#, .passedOn(#"{"type":"tool_call","name":"ls"}"#)),
    (#"{"type":"finish"}"#, .finish(reason: nil, .init())),
    (
      #"{"type":"finish","reason":"max","usage":{"input_tokens":3,"output_tokens":4}}"#,
      .finish(reason: "max", .init(input: 3, output: 4))
    ),
  ])
  func linesOfTheProgramMeanWhatTheirTypeSays(line: String, expected: ProgramLine) {
    #expect(ProgramLine(line) == expected)
  }

  @Test func lineForTheProgramHasNoLineEndInIt() {
    let line = ProgramInput.message(Prompt(text: "a\nb\r\"\\", conversationID: nil)).line
    #expect(line == #"{"type":"message","message":"a\u000ab\u000d\"\\"}"#)
    #expect(ProgramInput.abort.line == #"{"type":"abort"}"#)
  }

  @Test(arguments: [
    ("/?token=a%2Bb+c&session=1", ["token": "a+b+c", "session": "1"]), ("/", [:]), ("/?", [:]),
    ("/?token=a&token=b", ["token": "a"]), ("/?token", ["token": ""]), ("/?token=a=b", ["token": "a=b"]),
    ("/?token=%zz&x=%4", [:]), ("/?token=%ff", [:]), ("/?a=%+1&b=1#c=2", ["b": "1"]),
  ])
  func queryIsDecoded(uri: String, expected: [String: String]) {
    let query = QueryItems(uri: uri)
    for name in ["token", "session", "x", "a", "b", "c"] { #expect(query[name] == expected[name], "\(name)") }
  }

  @Test(arguments: [
    ("GET /?token=x", GatewayRoute.productSocket), ("POST /", .ecs), ("PUT /", .methodNotAllowed(allow: "GET, POST")),
    ("POST /api/sessions", .createSession), ("GET /api/sessions", .methodNotAllowed(allow: "POST")),
    ("DELETE /api/sessions/abc", .deleteSession(id: "abc")), ("DELETE /api/sessions/../x", .unknown),
    ("DELETE /api/sessions/", .unknown), ("POST /api/sessions/abc", .methodNotAllowed(allow: "DELETE")),
    ("POST /api/acquire", .unknown), ("GET /api/acquire", .unknown), ("POST /api/release", .unknown),
    ("GET /session/alice", .unknown), ("GET /session/..", .unknown), ("GET /api/status", .status),
    ("GET /api/users", .users), ("GET /health", .health), ("GET /internal/warm/t1", .task("t1")),
    ("POST /api/status", .methodNotAllowed(allow: "GET")), ("GET /other", .unknown),
  ])
  func routesOfTheProductsProfile(request: String, route: GatewayRoute) {
    let parts = request.split(separator: " ").map(String.init)
    #expect(GatewayRoute.product(method: parts[0], uri: parts[1]) == route)
  }
}
