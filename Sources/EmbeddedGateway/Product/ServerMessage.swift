import Gateway
import NIOCore

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
