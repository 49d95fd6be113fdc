import FoundationEssentials
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
  struct Mistake: Error, Equatable {
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
  init(parsing frame: ByteBuffer) throws(Mistake) {
    let wire: Wire
    do {
      wire = try JSONDecoder().decode(Wire.self, from: Data(frame.readableBytesView))
    } catch DecodingError.dataCorrupted {
      throw Mistake(.invalidJSON, "a message is one JSON object")
    } catch {
      throw Mistake(.invalidMessage, "a message is a JSON object whose fields, and 'type' first of all, are texts")
    }
    func needed(_ value: String?, _ name: String) throws(Mistake) -> String {
      guard let value, !value.isEmpty else {
        throw Mistake(.invalidMessage, "a message of type '\(wire.type)' needs '\(name)', a text that is not empty")
      }
      return value
    }
    switch wire.type {
    case "message":
      if let id = wire.conversationID, id.utf8.count > Prompt.maximumConversationID {
        throw Mistake(.invalidMessage, "a conversation_id has at most \(Prompt.maximumConversationID) bytes")
      }
      self = .message(Prompt(text: try needed(wire.message, "message"), conversationID: wire.conversationID))
    case "ping": self = .ping
    case "abort": self = .abort
    case "answer_question": self = .answerQuestion(try needed(wire.answer, "answer"))
    case "update_token": self = .updateToken(try needed(wire.token, "token"))
    default:
      throw Mistake(
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
