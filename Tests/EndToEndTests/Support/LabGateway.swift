import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

/// A laboratory's gateway without ECS, written from the wire protocol alone: the lab dialect, no `/session`, no
/// `source`, no `waitFor`; its tasks are whatever opens `/internal/warm/{taskId}`.
final class LabGateway: Sendable {
  fileprivate struct Task {
    var id: String
    var channel: any Channel
    var connectedAt = GatewayDate.iso(Date())
    var user: String?
    /// It has answered `user_session_ready`.
    var isReady = false
  }

  let url: String
  private let channel: any Channel
  private let pool: Pool

  init() async throws {
    let pool = Pool()
    self.pool = pool
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try Self.configure(channel, pool) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    url = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
  }

  func stop() async { try? await channel.close() }

  /// Users that were given a task and have not given it back.
  var assignedUsers: [String] { pool.tasks.withLock { $0.compactMap(\.user) } }
  var warmCount: Int { pool.tasks.withLock { $0.count { $0.user == nil } } }

  private static func configure(_ channel: any Channel, _ pool: Pool) throws {
    let sockets = NIOTypedWebSocketServerUpgrader<Void>(
      shouldUpgrade: { channel, head in
        channel.eventLoop.makeSucceededFuture(head.uri.hasPrefix("/internal/warm/") ? [:] : nil)
      },
      upgradePipelineHandler: { channel, head in
        channel.eventLoop.makeCompletedFuture {
          let id = String(head.uri.dropFirst("/internal/warm/".count))
          try channel.pipeline.syncOperations.addHandler(TaskSide(id, pool))
        }
      })
    let configuration = NIOTypedHTTPServerUpgradeConfiguration<Void>(
      upgraders: [sockets],
      notUpgradingCompletionHandler: { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(RESTSide(pool)) }
      })
    _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
      configuration: .init(upgradeConfiguration: configuration))
  }
}

/// The tasks, in the order of their connecting.
private final class Pool: Sendable {
  let tasks = Mutex<[LabGateway.Task]>([])

  func answer(_ line: String, _ body: String) -> (status: HTTPResponseStatus, body: String) {
    switch line {
    case "POST /api/acquire":
      guard let user = field("userId", of: body) else {
        return (.badRequest, #"{"success": false, "error": "userId is required"}"#)
      }
      return (.ok, acquire(user))
    case "POST /api/release":
      let id = field("taskId", of: body) ?? ""
      guard release(id) else { return (.notFound, #"{"success": false, "error": "no such task"}"#) }
      return (.ok, #"{"success": true, "taskId": "\#(id)"}"#)
    case "GET /api/status": return (.ok, status)
    default: return (.notFound, #"{"error": "not found"}"#)
    }
  }

  private func acquire(_ user: String) -> String {
    let assigned = tasks.withLock { tasks -> LabGateway.Task? in
      guard let index = tasks.firstIndex(where: { $0.user == nil }) else { return nil }
      tasks[index].user = user
      return tasks[index]
    }
    guard let assigned else { return #"{"success": false, "error": "No warm tasks available", "warmCount": 0}"# }
    let order = #"{"type": "init_user_session", "userId": "\#(user)", "env": "lab", "unknownField": [1]}"#
    let channel = assigned.channel
    channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: order)), promise: nil)
    return #"{"success": true, "taskId": "\#(assigned.id)", "userId": "\#(user)", "latency": 1.25, "more": {}}"#
  }

  private func release(_ id: String) -> Bool {
    let released = tasks.withLock { tasks in
      tasks.firstIndex { $0.id == id && $0.user != nil }.map { tasks.remove(at: $0) }
    }
    guard let released else { return false }
    var code = ByteBuffer()
    code.writeInteger(UInt16(1000))
    released.channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .connectionClose, data: code), promise: nil)
    return true
  }

  private var status: String {
    tasks.withLock { tasks in
      let entries = tasks.map { task in
        let user = task.isReady ? task.user.map { #", "userId": "\#($0)""# } ?? "" : ""
        let state = task.user == nil ? "ready" : "assigned"
        return #"{"taskId": "\#(task.id)", "state": "\#(state)", "connectedAt": "\#(task.connectedAt)"\#(user)}"#
      }
      let warm = tasks.count { $0.user == nil }
      let counts = #""warmCount": \#(warm), "assignedCount": \#(tasks.count - warm)"#
      return "{\(counts), \"tasks\": [\(entries.joined(separator: ", "))]}"
    }
  }

  private func field(_ name: String, of json: String) -> String? {
    (try? JSONDecoder().decode([String: String].self, from: Data(json.utf8)))?[name]
  }
}

private final class RESTSide: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let pool: Pool
  private var line = ""
  private var body = ByteBuffer()

  init(_ pool: Pool) { self.pool = pool }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      line = "\(head.method) \(head.uri)"
      body.clear()
    case .body(var part): body.writeBuffer(&part)
    case .end:
      let (status, text) = pool.answer(line, String(buffer: body))
      let headers = HTTPHeaders([("Content-Length", "\(text.utf8.count)"), ("Date", GatewayDate.http(Date()))])
      context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

private final class TaskSide: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame
  private let id: String
  private let pool: Pool

  init(_ id: String, _ pool: Pool) {
    self.id = id
    self.pool = pool
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let task = LabGateway.Task(id: id, channel: context.channel)
    pool.tasks.withLock { $0.append(task) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    switch frame.opcode {
    case .text where String(buffer: frame.unmaskedData).contains("user_session_ready"):
      let id = id
      pool.tasks.withLock { tasks in
        if let index = tasks.firstIndex(where: { $0.id == id }) { tasks[index].isReady = true }
      }
    case .connectionClose:
      let answer = WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData)
      context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
      context.close(promise: nil)
    default: break
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    let id = id
    pool.tasks.withLock { $0.removeAll { $0.id == id } }
  }
}
