import Dispatch
import Foundation
import Latency
import NIOCore
import NIOPosix
import Testing
import Transport

private let loop = MultiThreadedEventLoopGroup.singleton.next()

private func connect(
  to server: RawServer, headers: [(String, String)] = [], limits: WebSocketLimits = WebSocketLimits(),
  timeout: Nanoseconds = .seconds(10)
) async throws(WebSocketError) -> WebSocketConnection {
  try await WebSocketConnection.connect(
    to: Endpoint(host: "127.0.0.1", port: server.port), path: "/task", headers: headers, on: loop, limits: limits,
    timeout: timeout)
}

private func receiveError(_ connection: WebSocketConnection) async -> WebSocketError? {
  do throws(WebSocketError) {
    while try await connection.receive() != nil {}
    return nil
  } catch {
    return error
  }
}

private func connectError(
  to server: RawServer, timeout: Nanoseconds = .seconds(10)
) async -> WebSocketError? {
  do throws(WebSocketError) {
    try await connect(to: server, timeout: timeout).close()
    return nil
  } catch {
    return error
  }
}

@Suite(.timeLimit(.minutes(1))) struct WebSocketConnectionTests {
  @Test func whatTheAnswerToTheUpgradeSetsIsKept() async throws {
    let server = try await RawServer(
      answer: { accepted($0, more: "Set-Cookie: NODE=a; path=/\r\nset-cookie: other=b\r\n") })
    let connection = try await connect(to: server)
    #expect(connection.setCookies == ["NODE=a; path=/", "other=b"])
    connection.abort()
    await server.stop()
  }

  @Test(arguments: [
    (["a", "b"], "Sec-WebSocket-Protocol: b\r\n", true), (["a", "b"], "", true),
    (["a"], "Sec-WebSocket-Protocol: c\r\n", false), ([], "Sec-WebSocket-Protocol: a\r\n", false),
    (["a", "b"], "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n", false),
  ])
  func onlyASubprotocolThatWasOfferedIsAgreedTo(offered: [String], answer: String, isFine: Bool) async throws {
    let server = try await RawServer(answer: { accepted($0, more: answer) })
    let connection = try? await WebSocketConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: server.port), path: "/task", subprotocols: offered, on: loop,
      timeout: .seconds(10))
    #expect((connection != nil) == isFine)
    connection?.abort()
    await server.stop()
  }

  @Test func firstFrameInTheSegmentOfThe101IsDelivered() async throws {
    let server = try await RawServer(answer: { accepted($0) + frame(0x81, Array("first".utf8)) })
    let connection = try await connect(to: server)
    let message = try await connection.receive()
    #expect(message?.text == "first")
    #expect((message?.receivedAt ?? .distantPast) >= connection.phases.upgraded)
    connection.abort()
    await server.stop()
  }

  /// The client's loop is kept busy until the server has said everything and has closed.
  @Test(arguments: [
    (frame(0x88, [0x0f, 0xa1] + Array("bye".utf8)), WebSocketError.closed(code: 4001, reason: "bye")),
    ([], .closed(code: 1006, reason: "")),
  ])
  func framesThatComeTogetherWithThe101AndTheEndAreDelivered(ending: [UInt8], expected: WebSocketError) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    for _ in 0..<50 {
      let hasClosed = DispatchSemaphore(value: 0)
      let server = try await RawServer(
        answer: { accept in
          group.next().execute { hasClosed.wait() }
          return accepted(accept) + frame(0x81, Array("one".utf8)) + frame(0x81, Array("two".utf8)) + ending
        }, closesAfterwards: true, whenClosed: { hasClosed.signal() })
      let connection = try await WebSocketConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: server.port), path: "/task", on: group.next())
      #expect(try await connection.receive()?.text == "one")
      #expect(try await connection.receive()?.text == "two")
      #expect(await receiveError(connection) == expected)
      await server.stop()
    }
    try await group.shutdownGracefully()
  }

  @Test func phasesAreInOrder() async throws {
    let server = try await RawServer(answer: accepted)
    let phases = try await connect(to: server).phases
    #expect(phases.started > .distantPast && phases.started <= phases.connected && phases.connected <= phases.upgraded)
    #expect(phases.secured == nil)
    await server.stop()
  }

  @Test func headersAndHostAreSent() async throws {
    let server = try await RawServer(answer: accepted)
    _ = try await connect(to: server, headers: [("Authorization", "Bearer abc")])
    #expect(server.head.hasPrefix("GET /task HTTP/1.1\r\n"))
    #expect(server.head.contains("\r\nHost: 127.0.0.1:\(server.port)\r\n"))
    #expect(server.head.contains("\r\nAuthorization: Bearer abc\r\n"))
    #expect(!server.head.lowercased().contains("content-length"))
    await server.stop()
  }

  @Test func ourFramesAreMaskedEachWithAKeyOfItsOwn() async throws {
    let server = try await RawServer(answer: accepted)
    let connection = try await connect(to: server)
    for number in 0..<8 { try await connection.send(text: "message \(number)") }
    let frames = await server.receivedFrames(atLeast: 8)
    #expect(frames.map(\.text) == (0..<8).map { "message \($0)" })
    #expect(Set(frames.map(\.mask)).count == 8 && !frames.contains { $0.mask == nil })
    await server.stop()
  }

  @Test func fragmentsAreJoinedAroundAPingThatIsAnswered() async throws {
    let server = try await RawServer(answer: { accept in
      accepted(accept) + frame(0x01, Array("one, ".utf8)) + frame(0x89, Array("beat".utf8))
        + frame(0x00, Array("two, ".utf8)) + frame(0x80, Array("three".utf8)) + frame(0x81, Array("next".utf8))
    })
    let connection = try await connect(to: server)
    #expect(try await connection.receive()?.text == "one, two, three")
    #expect(try await connection.receive()?.text == "next")
    let pong = await server.receivedFrames(atLeast: 1).first
    #expect(pong?.opcode == 10 && pong?.text == "beat" && pong?.mask != nil)
    await server.stop()
  }

  @Test(
    arguments: [
      ("masked", [0x81, 0x81, 1, 2, 3, 4, 0x60], 1002),
      ("binary", frame(0x82, [1]), 1003),
      ("reserved bit", frame(0xc1, [65]), 1002),
      ("unknown opcode", frame(0x83), 1002),
      ("unknown control opcode", frame(0x8b), 1002),
      ("continuation of nothing", frame(0x80, [65]), 1002),
      ("message inside a message", frame(0x01, [65]) + frame(0x81, [66]), 1002),
      ("fragmented ping", frame(0x09), 1002),
      ("long ping", [0x89, 126, 0, 126], 1002),
      ("not UTF-8", frame(0x81, [0xff, 0xfe]), 1007),
      ("frame too large", [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0], 1009),
      ("length with the top bit", [0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0], 1009),
      (
        "message too large",
        frame(0x01, .init(repeating: 65, count: 90)) + frame(0x80, .init(repeating: 65, count: 90)), 1009
      ),
      ("too many fragments", frame(0x01) + frame(0x00) + frame(0x00) + frame(0x80), 1009),
      ("close code of one byte", frame(0x88, [3]), 1002),
      ("close code 1006", frame(0x88, [3, 0xee]), 1002),
      ("close reason not UTF-8", frame(0x88, [3, 0xe8, 0xff]), 1007),
    ] as [(String, [UInt8], Int)])
  func serverThatBreaksTheRulesIsTold(what: String, bytes: [UInt8], code: Int) async throws {
    let server = try await RawServer(answer: { accepted($0) + bytes })
    let limits = WebSocketLimits(maximumFrameSize: 128, maximumMessageSize: 128, maximumFragments: 3)
    let connection = try await connect(to: server, limits: limits)
    guard case .protocolViolation = await receiveError(connection) else {
      Issue.record("\(what) was let through")
      return
    }
    let close = await server.receivedFrames(atLeast: 1).last
    #expect(close?.closeCode == code)
    #expect(close?.mask != nil)
    await server.stop()
  }

  @Test(arguments: [
    (frame(0x88, [0x0f, 0xa1] + Array("bye".utf8)), WebSocketError.closed(code: 4001, reason: "bye")),
    (frame(0x88), .closed(code: 1005, reason: "")),
  ])
  func serversCloseIsAnsweredAndToldAfterItsMessages(bytes: [UInt8], expected: WebSocketError) async throws {
    let server = try await RawServer(answer: { accepted($0) + frame(0x81, [65]) + bytes })
    let connection = try await connect(to: server)
    #expect(try await connection.receive()?.text == "A")
    #expect(await receiveError(connection) == expected)
    #expect(await server.receivedFrames(atLeast: 1).first?.opcode == 8)
    await #expect(throws: expected) { try await connection.send(text: "too late") }
    await connection.close()
    await server.stop()
  }

  @Test func brokenConnectionIs1006() async throws {
    let server = try await RawServer(answer: accepted, closesAfterwards: true)
    let connection = try await connect(to: server)
    #expect(await receiveError(connection) == .closed(code: 1006, reason: ""))
    await server.stop()
  }

  @Test func ownCloseEndsTheMessagesWithoutAnErrorThoughTheServerNeverAnswers() async throws {
    let server = try await RawServer(answer: accepted)
    let connection = try await connect(to: server)
    async let rest = receiveError(connection)
    await connection.close(code: 1001, reason: "going")
    #expect(await rest == nil)
    #expect(await server.receivedFrames(atLeast: 1).first?.closeCode == 1001)
    await server.stop()
  }

  @Test func refusalTellsStatusAndTheHeadOfItsBody() async throws {
    let body = String(repeating: "x", count: 3000)
    let server = try await RawServer(answer: { _ in
      Array("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3000\r\n\r\n\(body)".utf8)
    })
    let error = await connectError(to: server)
    guard case .upgradeRefused(let refusal) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(refusal.response.status == 503 && refusal.kind == "http_503")
    #expect(String(buffer: refusal.response.body) == body.prefix(1024))
    #expect(error?.description == "the upgrade to WebSocket was refused with status 503: \(body.prefix(108))")
    await server.stop()
  }

  @Test func refusalKeepsItsHeaderFields() async throws {
    let server = try await RawServer(answer: { _ in
      Array("HTTP/1.1 302 Found\r\nLocation: https://x\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n".utf8)
    })
    guard case .upgradeRefused(let refusal) = await connectError(to: server) else {
      Issue.record("no refusal")
      return
    }
    #expect(refusal.response.header("location") == "https://x" && refusal.response.setsCookies)
    await server.stop()
  }

  @Test func cookiesOfThe101AreTold() async throws {
    let server = try await RawServer(answer: { accept in
      let head = String(decoding: accepted(accept), as: UTF8.self).dropLast()
      return Array("\(head)Set-Cookie: node=b; Path=/\r\nset-cookie: x=1\r\n\r\n".utf8)
    })
    let connection = try await connect(to: server)
    #expect(connection.setCookies == ["node=b; Path=/", "x=1"])
    connection.abort()
    await server.stop()
  }

  @Test(arguments: [
    "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: d3Jvbmc=\r\n\r\n",
    "HTTP/1.1 101 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n",
    "HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n",
    // Without the Connection header a parser reads on: what follows must not reach the frame decoder as HTTP.
    "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: x\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n",
    "nonsense\r\n\r\n",
  ])
  func invalidAnswerIsAProtocolViolation(answer: String) async throws {
    let server = try await RawServer(answer: { Array(answer.replacingOccurrences(of: "ACCEPT", with: $0).utf8) })
    guard case .protocolViolation = await connectError(to: server) else {
      Issue.record("let through: \(answer)")
      return
    }
    await server.stop()
  }

  @Test func connectionThatEndsWithoutAnAnswerIsUnreachable() async throws {
    let server = try await RawServer(answer: { _ in nil })
    guard case .unreachable = await connectError(to: server) else {
      Issue.record("no error of reachability")
      return
    }
    await server.stop()
  }

  @Test func silentServerIsATimeout() async throws {
    let server = try await RawServer(answer: { _ in [] })
    #expect(await connectError(to: server, timeout: .milliseconds(50)) == .timeout(.milliseconds(50)))
    await server.stop()
  }

  @Test func closedPortIsRefused() async throws {
    let server = try await RawServer(answer: accepted)
    await server.stop()
    #expect(await connectError(to: server) == .refused("127.0.0.1:\(server.port)"))
  }

  @Test func plainServerBehindWssIsATLSError() async throws {
    let server = try await RawServer(answer: { _ in Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8) })
    let tls = try TLSClient()
    let endpoint = Endpoint(host: "127.0.0.1", port: server.port, isSecure: true)
    do throws(WebSocketError) {
      _ = try await WebSocketConnection.connect(to: endpoint, path: "/", tls: tls, on: loop)
      Issue.record("TLS with a server that speaks none")
    } catch {
      guard case .tls = error else {
        Issue.record("\(error)")
        return
      }
    }
    await #expect(throws: WebSocketError.invalidRequest("wss needs TLS")) {
      try await WebSocketConnection.connect(to: endpoint, path: "/", on: loop)
    }
    await server.stop()
  }

  @Test(arguments: [
    [("Bad Name", "x")], [("X", "a\r\nEvil: b")], [("Host", "elsewhere")], [("Sec-WebSocket-Key", "x")], [("", "x")],
  ])
  func invalidHeadersAreRefusedBeforeAnythingIsSent(headers: [(String, String)]) async throws {
    let server = try await RawServer(answer: accepted)
    await #expect(throws: WebSocketError.self) { try await connect(to: server, headers: headers) }
    #expect(server.head.isEmpty)
    await server.stop()
  }

  @Test func cancelledReceiverIsToldOnceAndTheConnectionLives() async throws {
    let server = try await RawServer(answer: accepted)
    let connection = try await connect(to: server)
    for _ in 0..<50 {
      let waiting = Task { await receiveError(connection) }
      if Bool.random() { await Task.yield() }
      waiting.cancel()
      #expect(await waiting.value == .cancelled)
    }
    try await connection.send(text: "alive")
    #expect(await server.receivedFrames(atLeast: 1).first?.text == "alive")
    await server.stop()
  }

  @Test func cancelledConnectEnds() async throws {
    let server = try await RawServer(answer: { _ in [] })
    let connecting = Task { await connectError(to: server) }
    try await Task.sleep(for: .milliseconds(20))
    connecting.cancel()
    #expect(await connecting.value == .cancelled)
    await server.stop()
  }

  @Test func messagesBeyondTheQueueWaitAndArriveInOrder() async throws {
    let count = 5000
    let server = try await RawServer(answer: { accept in
      (0..<count).reduce(into: accepted(accept)) { $0 += frame(0x81, Array("\($1)".utf8)) }
    })
    let connection = try await connect(to: server, limits: WebSocketLimits(maximumQueuedMessages: 4))
    var next = 0
    for try await message in connection.messages {
      #expect(message.text == "\(next)")
      next += 1
      if next % 1000 == 0 { await Task.yield() }
      if next == count { connection.startClose() }
    }
    #expect(next == count)
    await server.stop()
  }
}
