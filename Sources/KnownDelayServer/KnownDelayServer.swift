import FoundationEssentials
import Latency
import NIOCore
import NIOPosix

/// A gateway on loopback with known delays, which tests a load generator's accuracy: `POST /api/acquire` (a new task
/// each time, always warm), `POST /api/release`, `GET /api/status` on kept connections; one event loop of its own.
public struct KnownDelayServer: Sendable {
  /// The port on 127.0.0.1 that the server listens on.
  public let port: Int
  private let group: MultiThreadedEventLoopGroup
  private let listener: any Channel
  private let state: NIOLoopBound<ServerState>

  /// Starts the server; port 0 takes a free one.
  /// - Throws: NIO's `IOError` when the port is taken or may not be used.
  public static func start(plan: DelayPlan, port: Int = 0) async throws -> KnownDelayServer {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    do {
      let state = try await loop.submit { NIOLoopBound(ServerState(plan: plan), eventLoop: loop) }.get()
      let listener = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 4096)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ExchangeHandler(state: state.value))
          }
        }
        .bind(host: "127.0.0.1", port: port).get()
      return KnownDelayServer(
        port: listener.localAddress?.port ?? port, group: group, listener: listener, state: state)
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  /// The server's measurements so far.
  public func report() async throws -> ServerReport {
    let state = state
    return try await group.next().submit { ServerReport(counts: state.value.counts) }.get()
  }

  /// Stops listening and closes every connection.
  public func stop() async {
    try? await listener.close()
    try? await group.shutdownGracefully()
  }
}

/// The state that all connections share; used only on the server's one loop.
final class ServerState {
  let plan: DelayPlan
  var counts = ServerCounts()
  /// The arrival of the first acquire, from which the stalls are counted.
  var epoch: Instant?
  /// The number of acquires that have arrived.
  var arrivedAcquires = 0

  init(plan: DelayPlan) { self.plan = plan }
}

/// One connection: it reads a request, answers it at its instant, and reads the next one.
final class ExchangeHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Route { case acquire(Int), release, status, unknown }

  private let state: ServerState
  private var reader = RequestReader()
  private var isAnswering = false

  init(state: ServerState) { self.state = state }

  func channelActive(context: ChannelHandlerContext) {
    state.counts.connections += 1
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let arrival = MonotonicClock.now()
    var bytes = unwrapInboundIn(data)
    reader.append(&bytes)
    if !isAnswering { takeNext(context, arrival) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func takeNext(_ context: ChannelHandlerContext, _ arrival: Instant) {
    do throws(RequestReader.Malformation) {
      guard let request = try reader.next() else { return }
      isAnswering = true
      answer(request, context, arrival)
    } catch {
      // As if a request were being answered: nothing more is read from this connection.
      isAnswering = true
      state.counts.malformed += 1
      write(Answers.badRequest, context)
      context.close(promise: nil)
    }
  }

  private func answer(_ request: RequestReader.Request, _ context: ChannelHandlerContext, _ arrival: Instant) {
    let route = route(request, arrival)
    var number: Int?
    if case .acquire(let own) = route { number = own }
    let instant = state.plan.answerInstant(ofAcquire: number, arrivedAt: arrival, epoch: state.epoch)
    guard instant > MonotonicClock.now() else { return finish(request, route, context, arrival) }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(deadline: .uptimeNanoseconds(instant.nanoseconds)) {
      let (handler, context) = bound.value
      guard context.channel.isActive else { return }
      handler.finish(request, route, context, arrival)
    }
  }

  private func route(_ request: RequestReader.Request, _ arrival: Instant) -> Route {
    switch (request.method, request.target) {
    case ("POST", "/api/acquire"):
      state.epoch = state.epoch ?? arrival
      state.arrivedAcquires += 1
      return .acquire(state.arrivedAcquires)
    case ("POST", "/api/release"): return .release
    case ("GET", "/api/status"): return .status
    default: return .unknown
    }
  }

  private func finish(
    _ request: RequestReader.Request, _ route: Route, _ context: ChannelHandlerContext, _ arrival: Instant
  ) {
    switch route {
    case .acquire(let number):
      write(Answers.assigned(number), context)
      state.counts.acquires += 1
      state.counts.acquireTimes.record(MonotonicClock.now() - arrival)
    case .release:
      write(Answers.released, context)
      state.counts.releases += 1
    case .status, .unknown:
      if case .status = route { write(Answers.status, context) } else { write(Answers.notFound, context) }
      state.counts.otherRequests += 1
    }
    isAnswering = false
    guard !request.closesConnection else { return context.close(promise: nil) }
    // The client may have sent its next request without waiting for the answer; it is read now.
    takeNext(context, MonotonicClock.now())
  }

  private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }
}

/// The answers as bytes; only an assignment differs from one to the next.
private enum Answers {
  static let released = response("200 OK", #"{"success":true}"#)
  static let status = response("200 OK", #"{"warmCount":100000,"assignedCount":0}"#)
  static let notFound = response("404 Not Found", #"{"success":false,"error":"there is nothing at this path"}"#)
  static let badRequest = response("400 Bad Request", #"{"success":false,"error":"this is no request"}"#)

  static func assigned(_ number: Int) -> ByteBuffer {
    response("200 OK", #"{"success":true,"taskId":"task-\#(number)","source":"warm"}"#)
  }

  private static func response(_ status: String, _ body: String) -> ByteBuffer {
    let head = "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    return ByteBuffer(string: head + body)
  }
}

/// The server's own measurements, the reference for a load generator's results. One JSON line.
public struct ServerReport: Codable, Sendable, Equatable {
  /// Percentiles of the acquires' times by the server's own stamps: from the read that completed a request to the
  /// return of the write of its answer, in ms.
  public struct Latencies: Codable, Sendable, Equatable {
    /// The median.
    public var p50: Double
    /// The 95th percentile.
    public var p95: Double
    /// The 99th percentile.
    public var p99: Double
    /// The 99.9th percentile.
    public var p999: Double
    /// The longest.
    public var max: Double
  }

  /// `"report"`.
  public var event = "report"
  /// Answered acquires.
  public var acquires: Int
  /// Answered releases.
  public var releases: Int
  /// All other answered requests, including unknown ones (404).
  public var otherRequests: Int
  /// Connections that were closed because of a malformed request.
  public var malformed: Int
  /// Accepted connections, including ended ones.
  public var connections: Int
  /// The percentiles of the acquires; nil without an acquire.
  public var acquireMs: Latencies?

  init(counts: ServerCounts) {
    acquires = counts.acquires
    releases = counts.releases
    otherRequests = counts.otherRequests
    malformed = counts.malformed
    connections = counts.connections
    guard !counts.acquireTimes.isEmpty else { return }
    let values = counts.acquireTimes.values(atPercentiles: [50, 95, 99, 99.9]).map { Nanoseconds($0).milliseconds }
    acquireMs = Latencies(
      p50: values[0], p95: values[1], p99: values[2], p999: values[3],
      max: Nanoseconds(counts.acquireTimes.max).milliseconds)
  }

  /// The report as one line of JSON, with its end.
  func line() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return ((try? encoder.encode(self)).map(Array.init) ?? []) + [UInt8(ascii: "\n")]
  }
}

/// The counts behind a report.
struct ServerCounts: Sendable {
  var acquires = 0
  var releases = 0
  var otherRequests = 0
  var malformed = 0
  var connections = 0
  var acquireTimes = LatencyHistogram()
}
