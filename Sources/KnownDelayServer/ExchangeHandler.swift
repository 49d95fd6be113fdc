import Latency
import NIOCore

/// What all connections share; used on the server's one loop only.
final class ServerState {
  let plan: DelayPlan
  var counts = ServerCounts()
  /// When the first acquire arrived, in ns of ``MonotonicClock``: what stalls are counted from.
  var epoch: UInt64?
  /// Acquires that have arrived.
  var arrivedAcquires = 0

  init(plan: DelayPlan) { self.plan = plan }
}

/// One connection: reads a request, answers it at its instant, reads the next one.
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

  private func takeNext(_ context: ChannelHandlerContext, _ arrival: UInt64) {
    do throws(RequestReader.Malformation) {
      guard let request = try reader.next() else { return }
      isAnswering = true
      answer(request, context, arrival)
    } catch {
      // Nothing more is read from this connection.
      isAnswering = true
      state.counts.malformed += 1
      write(Answers.badRequest, context)
      context.close(promise: nil)
    }
  }

  private func answer(_ request: RequestReader.Request, _ context: ChannelHandlerContext, _ arrival: UInt64) {
    let route = route(request, arrival)
    var number: Int?
    if case .acquire(let own) = route { number = own }
    let instant = state.plan.answerInstant(ofAcquire: number, arrivedAt: arrival, epoch: state.epoch)
    guard instant > MonotonicClock.now() else { return finish(request, route, context, arrival) }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(deadline: .uptimeNanoseconds(instant)) {
      let (handler, context) = bound.value
      guard context.channel.isActive else { return }
      handler.finish(request, route, context, arrival)
    }
  }

  private func route(_ request: RequestReader.Request, _ arrival: UInt64) -> Route {
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
    _ request: RequestReader.Request, _ route: Route, _ context: ChannelHandlerContext, _ arrival: UInt64
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
    // What a client sent meanwhile without waiting for its answer.
    takeNext(context, MonotonicClock.now())
  }

  private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }
}

/// The answers as bytes: only an assignment differs from one to the next.
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
