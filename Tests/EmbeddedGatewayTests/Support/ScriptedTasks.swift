import EmbeddedGateway
import FoundationEssentials
import Gateway
import NIOPosix
import Synchronization
import Transport

/// How a scripted task behaves.
enum TaskScript: Sendable {
  /// Confirms its user, then answers every line with the same line and an exclamation mark.
  case obliging
  /// Confirms its user, then answers as an agent of the product does: the message, word by word, and `finish`. It leaves the
  /// answer open after the word `hang` until it is aborted or has the answer to a question, and asks one for the word `ask`.
  case answering
  /// Connects, and never says a word.
  case silent
  /// Connects, and refuses its user.
  case refusing
  /// Closes its socket when it is given a user.
  case dyingOnInit
  /// Never connects.
  case absent
  /// Ends before it connects.
  case failing
}

/// Tasks without processes: a WebSocket each.
final class ScriptedTasks: TaskRunner {
  private struct State {
    var script: TaskScript
    var running: [String: @Sendable (RunnerEvent) -> Void] = [:]
    var sockets: [String: WebSocketConnection] = [:]
    var started: [String] = []
    var received: [String] = []
  }
  private let state: Mutex<State>

  init(_ script: TaskScript = .obliging) { state = Mutex(State(script: script)) }

  /// Ids of all tasks that were started, in order.
  var started: [String] { state.withLock { $0.started } }
  /// Messages the tasks were sent, in order.
  var received: [String] { state.withLock { $0.received } }
  var runningCount: Int { state.withLock { $0.running.count } }

  func setScript(_ script: TaskScript) { state.withLock { $0.script = script } }

  /// As if the process had been killed.
  func kill(_ taskID: String) { end(taskID, reason: "killed") }

  func start(_ taskID: String, gatewayURL: String, report: @escaping @Sendable (RunnerEvent) -> Void) {
    let script = state.withLock { state in
      state.started.append(taskID)
      state.running[taskID] = report
      return state.script
    }
    if case .failing = script { return end(taskID, reason: "scripted to fail") }
    report(.running)
    if case .absent = script { return }
    Task {
      do { try await run(taskID, script, gatewayURL) } catch {}
      end(taskID, reason: "its socket closed")
    }
  }

  private func run(_ taskID: String, _ script: TaskScript, _ gatewayURL: String) async throws {
    let socket = try await WebSocketConnection.connect(
      to: Endpoint(parsing: gatewayURL), path: "/internal/warm/\(taskID)",
      on: MultiThreadedEventLoopGroup.singleton.next())
    let isWanted = state.withLock { state in
      if state.running[taskID] != nil { state.sockets[taskID] = socket }
      return state.running[taskID] != nil
    }
    guard isWanted else { return socket.abort() }
    while let message = try await socket.receive() {
      state.withLock { $0.received.append(message.text) }
      try await Self.answer(message.text, script, on: socket)
    }
  }

  /// What a task with `script` says to a message of the gateway.
  static func answer(_ text: String, _ script: TaskScript, on socket: WebSocketConnection) async throws {
    let message = try JSONDecoder().decode(GatewayToTask.self, from: Data(text.utf8))
    switch (message.type, script) {
    case ("init_user", .obliging), ("init_user", .answering):
      let breakdown = #"{"init_user_ms":999,"workspace_ms":1.5,"process_start_ms":2.25}"#
      try await socket.send(text: #"{"type":"ready","breakdown":\#(breakdown)}"#)
    case ("init_user_session", .obliging):
      try await socket.send(text: #"{"type":"user_session_ready","userId":"\#(message.userId ?? "")"}"#)
    case ("user_input", .obliging):
      let output = TaskToGateway(type: "user_output", line: (message.line ?? "") + "!")
      try await socket.send(text: String(decoding: try JSONEncoder().encode(output), as: UTF8.self))
    case ("user_input", .answering):
      for line in answers(to: message.line ?? "") {
        let output = TaskToGateway(type: "user_output", line: line)
        try await socket.send(text: String(decoding: try JSONEncoder().encode(output), as: UTF8.self))
      }
    case (_, .refusing): try await socket.send(text: #"{"type":"init_failed","error":"disk full"}"#)
    case (_, .dyingOnInit): socket.abort()
    default: break
    }
  }

  private static func answers(to line: String) -> [String] {
    struct Input: Decodable {
      let type: String
      let message: String?
    }
    let finish = #"{"type":"finish","usage":{"input_tokens":1,"output_tokens":2}}"#
    guard let input = try? JSONDecoder().decode(Input.self, from: Data(line.utf8)) else { return ["no JSON: \(line)"] }
    let words = (input.message ?? input.type).split(separator: " ").map(String.init)
    switch words.last {
    case "hang": return words
    case "ask": return words + [#"{"type":"ask_question","question":"sure?"}"#]
    default: return words + [finish]
    }
  }

  func stop(_ taskID: String) { end(taskID, reason: "stopped") }

  func stopAll() async {
    for id in state.withLock({ Array($0.running.keys) }) { stop(id) }
  }

  private func end(_ taskID: String, reason: String) {
    let (report, socket) = state.withLock { state in
      (state.running.removeValue(forKey: taskID), state.sockets.removeValue(forKey: taskID))
    }
    socket?.abort()
    report?(.ended(reason: reason))
  }
}
