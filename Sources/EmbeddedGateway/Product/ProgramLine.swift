import FoundationEssentials

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
