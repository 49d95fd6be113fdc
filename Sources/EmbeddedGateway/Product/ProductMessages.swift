import FoundationEssentials
import Gateway
import NIOCore

/// What a client of the product's profile says on its WebSocket.
enum ClientMessage: Equatable {
  case message(Prompt)
  case ping
  case abort
  case answerQuestion(String)
  /// The token's text; whether it is one is seen later.
  case updateToken(String)

  /// A text frame that is none of these; it is answered by an error, and the session goes on.
  struct ParseError: Error, Equatable {
    enum Code: String {
      case invalidJSON = "INVALID_JSON"
      case invalidMessage = "INVALID_MESSAGE"
      case unknownType = "UNKNOWN_MESSAGE_TYPE"
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
      self.code = code
      self.message = message
    }
  }

  /// Reads one text frame.
  init(parsing frame: ByteBuffer) throws(ParseError) {
    let wire: Wire
    do {
      wire = try JSONDecoder().decode(Wire.self, from: Data(frame.readableBytesView))
    } catch DecodingError.dataCorrupted {
      throw ParseError(.invalidJSON, "a message is one JSON object")
    } catch {
      throw ParseError(.invalidMessage, "a message is a JSON object whose fields, and 'type' first of all, are texts")
    }
    func needed(_ value: String?, _ name: String) throws(ParseError) -> String {
      guard let value, !value.isEmpty else {
        throw ParseError(.invalidMessage, "a message of type '\(wire.type)' needs '\(name)', a text that is not empty")
      }
      return value
    }
    switch wire.type {
    case "message":
      if let id = wire.conversationID, id.utf8.count > Prompt.maximumConversationID {
        throw ParseError(.invalidMessage, "a conversation_id has at most \(Prompt.maximumConversationID) bytes")
      }
      self = .message(Prompt(text: try needed(wire.message, "message"), conversationID: wire.conversationID))
    case "ping": self = .ping
    case "abort": self = .abort
    case "answer_question": self = .answerQuestion(try needed(wire.answer, "answer"))
    case "update_token": self = .updateToken(try needed(wire.token, "token"))
    default:
      throw ParseError(
        .unknownType,
        "the type is none of message, ping, abort, answer_question, update_token: '\(wire.type.prefix(32))'")
    }
  }

  private struct Wire: Decodable {
    let type: String
    let message: String?
    let conversationID: String?
    let answer: String?
    let token: String?

    enum CodingKeys: String, CodingKey {
      case type, message, answer, token
      case conversationID = "conversation_id"
    }
  }
}

/// A message that wants an answer.
struct Prompt: Equatable {
  static let maximumConversationID = 256

  let text: String
  let conversationID: String?

  /// What it costs to keep, in bytes: even an empty one costs something.
  var cost: Int { text.utf8.count + (conversationID?.utf8.count ?? 0) + 64 }
}

/// What the product's profile says on a client's WebSocket.
enum ServerMessage: Equatable {
  case sessionReady
  /// The client has come back.
  case sessionRecovered(state: String)
  /// A task serves the session from now on; the product's `progress` with this suite's own fields.
  case taskReady(TaskID, AssignmentSource, InitBreakdown)
  case thinking(conversation: String?)
  case textDelta(String, conversation: String?)
  /// A `tool_call`, `tool_result` or `progress` of the program, which is sent to the client unchanged.
  case passedOn(String)
  case askQuestion(String, conversation: String?)
  case finish(reason: String, Usage, conversation: String?)
  case error(code: String, message: String, conversation: String?)
  case tokenUpdated
  case pong

  /// Counts of tokens, as the program says them.
  struct Usage: Equatable {
    var input = 0
    var output = 0
  }

  /// What it costs to hold back, in bytes.
  var cost: Int {
    switch self {
    case .textDelta(let text, _), .passedOn(let text), .askQuestion(let text, _): text.utf8.count + 128
    default: 512
    }
  }

  /// The message as it goes over the wire.
  func bytes(session: String) -> ByteBuffer {
    if case .passedOn(let line) = self { return ByteBuffer(string: line) }
    var object = JSONObject()
    object.add("type", type)
    switch self {
    case .sessionReady: object.add("sessionId", session)
    case .sessionRecovered(let state):
      object.add("sessionId", session)
      object.add("state", state)
    case .taskReady(let id, let source, let breakdown):
      object.add("stage", "task_ready")
      object.add("sessionId", session)
      object.add("taskId", id)
      object.add("source", source.rawValue)
      object.add("breakdown", JSONObject(breakdown))
    case .thinking(let conversation): object.add("conversation_id", conversation)
    case .textDelta(let text, let conversation):
      object.add("text", text)
      object.add("conversation_id", conversation)
    case .askQuestion(let question, let conversation):
      object.add("question", question)
      object.add("conversation_id", conversation)
    case .finish(let reason, let usage, let conversation):
      object.add("reason", reason)
      var counts = JSONObject()
      counts.add("input_tokens", usage.input)
      counts.add("output_tokens", usage.output)
      object.add("usage", counts)
      object.add("conversation_id", conversation)
    case .error(let code, let message, let conversation):
      object.add("error", JSONObject(message: message, code: code))
      object.add("conversation_id", conversation)
    case .tokenUpdated, .pong, .passedOn: break
    }
    return object.bytes
  }

  private var type: String {
    switch self {
    case .sessionReady: "session_ready"
    case .sessionRecovered: "session_recovered"
    case .taskReady, .passedOn: "progress"
    case .thinking: "thinking"
    case .textDelta: "text_delta"
    case .askQuestion: "ask_question"
    case .finish: "finish"
    case .error: "error"
    case .tokenUpdated: "token_updated"
    case .pong: "pong"
    }
  }
}

extension JSONObject {
  /// The product's error, without the object around it.
  init(message: String, code: String) {
    self.init()
    add("message", message)
    add("code", code)
  }
}

/// What a line of the task's program means in the product's profile, and what it is sent.
///
/// The program gets one JSON object a line: `{"type":"message","message":…}`, `{"type":"answer_question","answer":…}` or
/// `{"type":"abort"}`. What it writes is the answer: a line that is a JSON object of one of the types below is what its type
/// says, every other line is a chunk of text. **An answer ends with the line of type `finish`, and with nothing else.**
enum ProgramLine: Equatable {
  case text(String)
  case ask(String)
  case finish(reason: String?, ServerMessage.Usage)
  /// A `tool_call`, `tool_result` or `progress`, which is handed to the client unchanged.
  case passedOn(String)
  /// `thinking`: the gateway has said it already.
  case nothing

  init(_ line: String) {
    // Most lines are chunks of text, and a line of JSON begins with a brace: only such a line is parsed.
    guard line.utf8.first == UInt8(ascii: "{"),
      let wire = try? JSONDecoder().decode(Wire.self, from: Data(line.utf8))
    else {
      self = .text(line)
      return
    }
    switch wire.type {
    case "text_delta": self = .text(wire.text ?? "")
    case "ask_question": self = .ask(wire.question ?? "")
    case "finish":
      let usage = ServerMessage.Usage(input: wire.usage?.input_tokens ?? 0, output: wire.usage?.output_tokens ?? 0)
      self = .finish(reason: wire.reason, usage)
    case "tool_call", "tool_result", "progress": self = .passedOn(line)
    case "thinking": self = .nothing
    default: self = .text(line)
    }
  }

  private struct Wire: Decodable {
    struct Usage: Decodable {
      let input_tokens: Int?
      let output_tokens: Int?
    }

    let type: String
    let text: String?
    let question: String?
    let reason: String?
    let usage: Usage?
  }
}

/// A line for the task's program.
enum ProgramInput: Equatable {
  case message(Prompt)
  case answer(String)
  case abort

  /// The line, without its end. The keys come in this order, the message's text second: the stand-in reads no other JSON.
  var line: String {
    var object = JSONObject()
    switch self {
    case .message(let prompt):
      object.add("type", "message")
      object.add("message", prompt.text)
      object.add("conversation_id", prompt.conversationID)
    case .answer(let answer):
      object.add("type", "answer_question")
      object.add("answer", answer)
    case .abort: object.add("type", "abort")
    }
    return object.text
  }
}
