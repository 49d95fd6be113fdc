import Foundation
import Glibc
import Latency
import NIOCore
import TestSupport
import Testing
import Transport

/// What a connection without TLS does, on both kinds of loops.
@Suite(.timeLimit(.minutes(1))) struct HTTPConnectionTests {
  /// No end is that of an idle connection, however long this machine takes to send a request.
  private static var never: IdleBounds {
    var bounds = IdleBounds()
    (bounds.kept, bounds.fresh) = (.max, .max)
    return bounds
  }

  @Test(arguments: LoopKind.allCases) func aKeptConnectionServesOneRequestAfterAnother(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { [ScriptedServer.answer("\($0.connection).\($0.number)")] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    for number in 1...5 { #expect(await connection.get().bodyText == "1.\(number)") }
    #expect(server.connectionCount == 1)
    #expect(connection.isUsable)
    connection.close()
    #expect(await connection.becomesUnusable())
    #expect(await connection.get().failure?.kind == .closed)
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func stampsAreOrderedAndHoldTheServersDelay(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in
      [
        .wait(.milliseconds(20)), .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), .wait(.milliseconds(5)),
        .send("ok"),
      ]
    }
    let exchange = try await onLoop(on: kind) {
      let connection = try await HTTPConnection.open(server.port, on: kind.executor())
      #expect(connection.phases.startedAt <= connection.phases.connectedAt)
      #expect(connection.phases.securedAt == nil)
      return try await connection.get().get()
    }
    #expect(exchange.firstByteWrittenAt <= exchange.firstByteReadAt)
    #expect(exchange.firstByteReadAt <= exchange.lastByteReadAt)
    #expect(exchange.firstByteReadAt - exchange.firstByteWrittenAt >= .milliseconds(20))
    #expect(exchange.serviceTime >= .milliseconds(20))
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases, [false, true])
  func aMuteServerIsATimeoutAndEndsTheConnection(_ kind: LoopKind, onItsLoop: Bool) async throws {
    let server = try await ScriptedServer { _ in [] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    let ask: @Sendable () async -> Result<HTTPExchange, TransportError> = {
      await connection.get(timeout: .milliseconds(30))
    }
    let result = onItsLoop ? try await onLoop(on: kind, ask) : await ask()
    #expect(result.failure?.kind == .timeout)
    #expect(!connection.isUsable)
    #expect(await connection.get().failure?.kind == .closed)
    await server.stop()
  }

  @Test(
    arguments: LoopKind.allCases,
    [
      "HTTP/1.1 200 OK\r\n\r\nhalf of a bo", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "HTTP/1.1 200 O", "H",
    ])
  func anAnswerThatStopsHalfwayIsATimeoutAndNoAnswer(_ kind: LoopKind, _ part: String) async throws {
    let server = try await ScriptedServer { _ in [.send(part)] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    #expect(await connection.get(timeout: .milliseconds(50)).failure?.kind == .timeout)
    await server.stop()
  }

  @Test(
    arguments: LoopKind.allCases,
    ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nContent-Len"])
  func anEndInsideTheAnswerIsClosed(_ kind: LoopKind, _ part: String) async throws {
    let server = try await ScriptedServer { _ in [.send(part), .close] }
    let connection = try await HTTPConnection.open(server.port, idleBounds: Self.never, on: kind.executor())
    #expect(await connection.get().failure?.kind == .closed)
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func anAnswerMayEndWithItsConnection(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in [.send("HTTP/1.1 200 OK\r\n\r\nall"), .send(" of it"), .close] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    #expect(await connection.get().bodyText == "all of it")
    #expect(!connection.isUsable)
    await server.stop()
  }

  @Test(
    arguments: LoopKind.allCases,
    ["", "HTTP/1.1 200 OK\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
  func aResetIsNamed(_ kind: LoopKind, _ part: String) async throws {
    let server = try await ScriptedServer { _ in [.send(part), .wait(.milliseconds(5)), .reset] }
    let connection = try await HTTPConnection.open(server.port, idleBounds: Self.never, on: kind.executor())
    let error = try #require(await connection.get().failure)
    #expect(error.kind == .reset, "\(error)")
    #expect(!connection.isUsable)
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func anInvalidAnswerIsNamedAndEndsTheConnection(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in [.send("SSH-2.0-OpenSSH_9.2\r\n")] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    #expect(await connection.get().failure?.kind == .invalidResponse)
    #expect(!connection.isUsable)
    await server.stop()
  }

  /// A socket that is bound on loopback and does not listen, so that nobody else can take the port meanwhile.
  private func boundSocket() throws -> (descriptor: CInt, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(isBound)
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
  }

  private func connect(_ port: Int, on kind: LoopKind, timeout: Nanoseconds) async -> Result<
    HTTPConnection, TransportError
  > {
    await HTTPConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: port), tls: nil, on: kind.executor(), timeout: timeout)
  }

  @Test(arguments: LoopKind.allCases) func nobodyThereIsRefused(_ kind: LoopKind) async throws {
    let (descriptor, port) = try boundSocket()
    defer { close(descriptor) }
    #expect(await connect(port, on: kind, timeout: 10 * second).failure?.kind == .connectRefused)
  }

  /// NIO itself gives up after 10 s unless it is told otherwise.
  @Test(.wholeSuiteOnly, arguments: LoopKind.allCases) func connectingMayTakeTheWholeTimeout(_ kind: LoopKind)
    async throws
  {
    let (descriptor, port) = try boundSocket()
    defer { close(descriptor) }
    #expect(listen(descriptor, 0) == 0)
    // Nobody accepts: the queue has room for one, and whoever comes next hears nothing.
    let first = try await connect(port, on: kind, timeout: 10 * second).get()
    let begin = MonotonicClock.now()
    #expect(await connect(port, on: kind, timeout: .milliseconds(10_500)).failure?.kind == .connectTimeout)
    #expect(MonotonicClock.now() - begin >= .milliseconds(10_400))
    first.close()
  }

  @Test(arguments: LoopKind.allCases) func aNameThatCannotBeIsADNSFailure(_ kind: LoopKind) async throws {
    // RFC 6761: 'invalid' never resolves.
    let result = await HTTPConnection.connect(
      to: Endpoint(host: "nowhere.invalid", port: 80), tls: nil, on: kind.executor(),
      timeout: 50 * second)
    #expect(result.failure?.kind == .dns)
  }

  @Test(arguments: LoopKind.allCases) func bytesThatNobodyAskedForEndTheConnection(_ kind: LoopKind) async throws {
    let greeter = try await ScriptedServer(greeting: [ScriptedServer.answer("unsolicited")]) { _ in [] }
    #expect(await (try HTTPConnection.open(greeter.port, on: kind.executor())).becomesUnusable())
    let late = try await ScriptedServer { _ in
      [ScriptedServer.answer("asked"), .wait(.milliseconds(10)), ScriptedServer.answer("unsolicited")]
    }
    let connection = try await HTTPConnection.open(late.port, on: kind.executor())
    #expect(await connection.get().bodyText == "asked")
    #expect(await connection.becomesUnusable())
    await greeter.stop()
    await late.stop()
  }

  @Test(arguments: LoopKind.allCases) func aSecondRequestBesideTheFirstIsRefused(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("first")] }
    // Both are begun in one turn of the loop, before an answer can be read.
    let both = try await onLoop(on: kind) {
      let connection = try await HTTPConnection.open(server.port, on: kind.executor())
      async let one = connection.get()
      async let other = connection.get()
      return await [one, other]
    }
    #expect(both.compactMap(\.bodyText) == ["first"] && both.compactMap(\.failure?.kind) == [.closed])
    await server.stop()
  }

  @Test(arguments: LoopKind.allCases) func aLaterShorterTimeoutIsKept(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { $0.number == 1 ? [ScriptedServer.answer("ok")] : [] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    #expect(await connection.get(timeout: 3600 * second).bodyText == "ok")
    #expect(await connection.get(timeout: .milliseconds(30)).failure?.kind == .timeout)
    await server.stop()
  }

  @Test(.wholeSuiteOnly, arguments: LoopKind.allCases) func aLaterLongerTimeoutIsNotCutShort(_ kind: LoopKind)
    async throws
  {
    let server = try await ScriptedServer {
      $0.number == 1 ? [ScriptedServer.answer("1")] : [.wait(.milliseconds(5200)), ScriptedServer.answer("2")]
    }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    #expect(await connection.get(timeout: 5 * second).bodyText == "1")
    #expect(await connection.get(timeout: 20 * second).bodyText == "2")
    await server.stop()
  }

  /// Each byte comes long before the time-out, and the answer never ends.
  @Test(arguments: LoopKind.allCases) func bytesThatDribbleInDoNotPutTheTimeoutOff(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in
      [.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")]
        + Array(repeating: [.wait(.milliseconds(5)), .send("x")], count: 2000).joined()
    }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    let begin = MonotonicClock.now()
    #expect(await connection.get(timeout: .milliseconds(60)).failure?.kind == .timeout)
    #expect(MonotonicClock.now() - begin >= .milliseconds(60))
    #expect(!connection.isUsable)
    await server.stop()
  }

  /// Two answers to one request: whether they come in one read or in two, the second one answers nothing.
  @Test(arguments: LoopKind.allCases, [0, 1, 20]) func aSecondAnswerToOneRequestIsNoAnswerToTheNext(
    _ kind: LoopKind, pause: Int
  ) async throws {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    let server = try await ScriptedServer { request in
      if request.number > 1 || request.connection > 1 { return [ScriptedServer.answer("other")] }
      let late: [ScriptedServer.Action] = pause == 0 ? [] : [.wait(.milliseconds(pause))]
      return pause == 0
        ? [.send(answer + "first" + answer + "extra")] : [.send(answer + "first")] + late + [.send(answer + "extra")]
    }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    #expect(await connection.get().bodyText == "first")
    #expect(await connection.becomesUnusable())
    #expect(await connection.get().failure?.kind == .closed)
    #expect(server.requests.count == 1)
    await server.stop()
  }

  /// The answer does not fit into one read, nor into what the loop reads in one turn.
  @Test(arguments: LoopKind.allCases, [15_000, 16_384, 100_000, 1_000_000]) func aLargeAnswerComesWhole(
    _ kind: LoopKind, _ size: Int
  ) async throws {
    let body = String(repeating: "0123456789", count: size / 10)
    let server = try await ScriptedServer { _ in
      [.bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))]
    }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    for _ in 1...3 { #expect(await connection.get().bodyText == body) }
    #expect(server.connectionCount == 1)
    await server.stop()
  }

  /// A request larger than what a socket takes at once.
  @Test(arguments: LoopKind.allCases) func aLargeRequestIsSentWhole(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { [ScriptedServer.answer("\($0.body.utf8.count)")] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    let size = 3_000_000
    let request = ByteBuffer(
      string: "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n" + String(repeating: "r", count: size))
    #expect(await connection.exchange(request, timeout: 20 * second).bodyText == "\(size)")
    await server.stop()
  }

  /// An answer that comes before its request was sent whole, as a refusal of a large body does.
  @Test(arguments: LoopKind.allCases) func theNextRequestComesBehindTheRestOfTheLast(_ kind: LoopKind) async throws {
    // More than the sockets hold.
    let large =
      "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 12000000\r\n\r\n" + String(repeating: "r", count: 12_000_000)
    let whole = Array(large.utf8) + Array(getRequest.readableBytesView)
    let (descriptor, port) = try boundSocket()
    #expect(listen(descriptor, 1) == 0)
    Thread.detachNewThread {
      let client = accept(descriptor, nil, nil)
      defer { for own in [client, descriptor] { close(own) } }
      var received: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      func say(_ body: String) {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        _ = send(client, text, text.utf8.count, Int32(MSG_NOSIGNAL))
      }
      func take(_ most: Int) -> Bool {
        let count = recv(client, &buffer, most, 0)
        if count > 0 { received += buffer.prefix(count) }
        return count > 0
      }
      guard take(10) else { return }
      say("early")
      while received.count < whole.count, take(buffer.count) {}
      say(received == whole ? "in order" : "mixed")
    }
    let connection = try await HTTPConnection.open(port, on: kind.executor())
    #expect(await connection.exchange(ByteBuffer(string: large), timeout: 20 * second).bodyText == "early")
    #expect(connection.isUsable)
    #expect(await connection.get(timeout: 20 * second).bodyText == "in order")
  }

  @Test(arguments: LoopKind.allCases) func theLongestTimeoutDoesNotOverflow(_ kind: LoopKind) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("ok")] }
    let connection = try await HTTPConnection.open(server.port, on: kind.executor())
    #expect(await connection.get(timeout: .max).bodyText == "ok")
    await server.stop()
  }
}
