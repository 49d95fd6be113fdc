import EmbeddedGateway
import FoundationEssentials
import Testing
import Transport

/// A client of the product's profile.
struct ProductClient {
  /// What a message may hold.
  struct Said: Decodable, Equatable {
    struct Failure: Decodable, Equatable {
      let message, code: String
    }
    struct Usage: Decodable, Equatable {
      let input_tokens, output_tokens: Int
    }

    let type: String
    var sessionId: String?
    var taskId: String?
    var stage: String?
    var source: String?
    var state: String?
    var text: String?
    var question: String?
    var reason: String?
    var usage: Usage?
    var conversation_id: String?
    var error: Failure?
  }

  let socket: WebSocketConnection

  /// Opens the WebSocket, and waits for `session_ready` or `session_recovered`.
  static func open(
    _ gateway: GatewayFixture, token: String = "t", session: String? = nil
  ) async throws -> (client: ProductClient, greeting: Said) {
    let socket = try await gateway.socket("/?token=\(token)" + (session.map { "&session=\($0)" } ?? ""))
    let client = ProductClient(socket: socket)
    return (client, try await client.next())
  }

  func next() async throws -> Said {
    let text = try #require(try await socket.receive()).text
    return try JSONDecoder().decode(Said.self, from: Data(text.utf8))
  }

  /// Messages up to the first one of `type`, that one included.
  func until(_ type: String) async throws -> [Said] {
    var all: [Said] = []
    repeat { all.append(try await next()) } while all.last?.type != type && all.last?.type != "error"
    #expect(all.last?.type == type, "\(all)")
    return all
  }

  func say(_ text: String, conversation: String? = nil) async throws {
    let id = conversation.map { #","conversation_id":"\#($0)""# } ?? ""
    try await socket.send(text: #"{"type":"message","message":"\#(text)"\#(id)}"#)
  }

  func send(_ type: String, _ fields: String = "") async throws {
    try await socket.send(text: #"{"type":"\#(type)"\#(fields)}"#)
  }

  /// The code with which the gateway closes, whatever comes before.
  func closeCode() async -> UInt16? {
    while true {
      do throws(WebSocketError) {
        guard try await socket.receive() != nil else { return nil }
      } catch {
        if case .closed(let code, _) = error { return code }
        return nil
      }
    }
  }
}

/// A gateway of the product's profile with scripted tasks that answer.
func withProduct(
  _ rules: PoolRules = PoolRules(targetSize: 1), tasks: ScriptedTasks = ScriptedTasks(.answering),
  profile change: (inout ProductProfile) -> Void = { _ in },
  configure: (inout GatewayConfiguration) -> Void = { _ in },
  _ body: (GatewayFixture) async throws -> Void
) async throws {
  var profile = ProductProfile()
  change(&profile)
  try await withGateway(
    rules, tasks: tasks,
    configure: { configuration in
      configuration.product = profile
      configure(&configuration)
    }, body)
}
