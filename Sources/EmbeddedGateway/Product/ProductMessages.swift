import FoundationEssentials
import Gateway
import NIOCore

/// A client's message on its WebSocket in the product's profile.
enum ClientMessage: Equatable {
  case message(Prompt)
  case ping
  case abort
  case answerQuestion(String)
  /// The new token's text, not yet verified.
  case updateToken(String)

  /// A text frame that is not a message; the answer is an error, and the session goes on.
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

/// A client's message that needs an answer.
struct Prompt: Equatable {
  static let maximumConversationID = 256

  let text: String
  let conversationID: String?

  /// The charge against the queue's limit, in bytes: an empty message also takes some memory.
  var cost: Int { text.utf8.count + (conversationID?.utf8.count ?? 0) + 64 }
}

/// The gateway's message on a client's WebSocket in the product's profile.
enum ServerMessage: Equatable {
  case sessionReady
  /// The client has come back.
  case sessionRecovered(state: String)
  /// A task serves the session from now on; the product's `progress` with this suite's own fields.
  case taskReady(TaskID, AssignmentSource, InitBreakdown)
  case thinking(conversation: String?)
  case textDelta(String, conversation: String?)
  /// A `tool_call`, `tool_result` or `progress` of the program, sent to the client unchanged.
  case passedOn(String)
  case askQuestion(String, conversation: String?)
  case finish(reason: String, Usage, conversation: String?)
  case error(code: String, message: String, conversation: String?)
  case tokenUpdated
  case pong

  /// Counts of tokens, as the program reports them.
  struct Usage: Equatable {
    var input = 0
    var output = 0
  }

  /// The charge against the limit of held-back messages, in bytes.
  var cost: Int {
    switch self {
    case .textDelta(let text, _), .passedOn(let text), .askQuestion(let text, _): text.utf8.count + 128
    default: 512
    }
  }

  /// The message's bytes on the wire.
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

/// The meaning of a line from the task's program in the product's profile.
///
/// The program gets one JSON object a line: `{"type":"message","message":…}`, `{"type":"answer_question","answer":…}`
/// or `{"type":"abort"}`. Its output is the answer: a line that is a JSON object of a type below has that type's
/// meaning, and every other line is a chunk of text. **Only a line of type `finish` ends an answer.**
enum ProgramLine: Equatable {
  case text(String)
  case ask(String)
  case finish(reason: String?, ServerMessage.Usage)
  /// A `tool_call`, `tool_result` or `progress`, sent to the client unchanged.
  case passedOn(String)
  /// `thinking`: ignored, because the gateway itself has sent it already.
  case nothing

  init(_ line: String) {
    // Most lines are chunks of text. Only a line that begins with a brace can be JSON, so only such a line is parsed.
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

  /// The line, without its end. The order of the keys is fixed, with the text second, because the stand-in reads only
  /// this form.
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
