import Glibc
import Latency
import NIOCore
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct HTTPConnectionTests {
  @Test func aKeptConnectionServesOneRequestAfterAnother() async throws {
    let server = try await ScriptedServer { [ScriptedServer.answer("\($0.connection).\($0.number)")] }
    let connection = try await HTTPConnection.open(server.port)
    for number in 1...5 { #expect(await connection.get().bodyText == "1.\(number)") }
    #expect(server.connectionCount == 1)
    #expect(connection.isUsable)
    connection.close()
    #expect(await connection.becomesUnusable())
    #expect(await connection.get().failure?.kind == .closed)
    await server.stop()
  }

  @Test func stampsAreOrderedAndHoldTheServersDelay() async throws {
    let server = try await ScriptedServer { _ in
      [
        .wait(.milliseconds(20)), .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), .wait(.milliseconds(5)),
        .send("ok"),
      ]
    }
    let exchange = try await onLoop {
      let connection = try await HTTPConnection.open(server.port)
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

  @Test(arguments: [false, true]) func aMuteServerIsATimeoutAndEndsTheConnection(onItsLoop: Bool) async throws {
    let server = try await ScriptedServer { _ in [] }
    let connection = try await HTTPConnection.open(server.port)
    let ask: @Sendable () async -> Result<HTTPExchange, TransportError> = {
      await connection.get(timeout: .milliseconds(30))
    }
    let result = onItsLoop ? try await onLoop(ask) : await ask()
    #expect(result.failure?.kind == .timeout)
    #expect(!connection.isUsable)
    #expect(await connection.get().failure?.kind == .closed)
    await server.stop()
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\n\r\nhalf of a bo", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "HTTP/1.1 200 O", "H",
  ])
  func anAnswerThatStopsHalfwayIsATimeoutAndNoAnswer(_ part: String) async throws {
    let server = try await ScriptedServer { _ in [.send(part)] }
    let connection = try await HTTPConnection.open(server.port)
    #expect(await connection.get(timeout: .milliseconds(50)).failure?.kind == .timeout)
    await server.stop()
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nContent-Len"])
  func anEndInsideTheAnswerIsClosed(_ part: String) async throws {
    let server = try await ScriptedServer { _ in [.send(part), .close] }
    let connection = try await HTTPConnection.open(server.port)
    #expect(await connection.get().failure?.kind == .closed)
    await server.stop()
  }

  @Test func anAnswerMayEndWithItsConnection() async throws {
    let server = try await ScriptedServer { _ in [.send("HTTP/1.1 200 OK\r\n\r\nall"), .send(" of it"), .close] }
    let connection = try await HTTPConnection.open(server.port)
    #expect(await connection.get().bodyText == "all of it")
    #expect(!connection.isUsable)
    await server.stop()
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\n\r\nhalf"]) func aResetIsNamed(_ part: String) async throws {
    let server = try await ScriptedServer { _ in [.send(part), .wait(.milliseconds(5)), .reset] }
    let connection = try await HTTPConnection.open(server.port)
    let kind = try #require(await connection.get().failure?.kind)
    #expect(kind == .reset || kind == .closed)
    await server.stop()
  }

  @Test func anInvalidAnswerIsNamedAndEndsTheConnection() async throws {
    let server = try await ScriptedServer { _ in [.send("SSH-2.0-OpenSSH_9.2\r\n")] }
    let connection = try await HTTPConnection.open(server.port)
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

  private func connect(_ port: Int, timeout: Nanoseconds) async -> Result<HTTPConnection, TransportError> {
    await HTTPConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: port), tls: nil, on: testLoops.executor(forUser: 0), timeout: timeout)
  }

  @Test func nobodyThereIsRefused() async throws {
    let (descriptor, port) = try boundSocket()
    defer { close(descriptor) }
    #expect(await connect(port, timeout: 10 * second).failure?.kind == .connectRefused)
  }

  /// NIO itself gives up after 10 s unless it is told otherwise.
  @Test(.wholeSuiteOnly) func connectingMayTakeTheWholeTimeout() async throws {
    let (descriptor, port) = try boundSocket()
    defer { close(descriptor) }
    #expect(listen(descriptor, 0) == 0)
    // Nobody accepts: the queue has room for one, and whoever comes next hears nothing.
    let first = try await connect(port, timeout: 10 * second).get()
    let begin = MonotonicClock.now()
    #expect(await connect(port, timeout: .milliseconds(10_500)).failure?.kind == .connectTimeout)
    #expect(MonotonicClock.now() - begin >= .milliseconds(10_400))
    first.close()
  }

  @Test func aNameThatCannotBeIsADNSFailure() async throws {
    // RFC 6761: 'invalid' never resolves.
    let result = await HTTPConnection.connect(
      to: Endpoint(host: "nowhere.invalid", port: 80), tls: nil, on: testLoops.executor(forUser: 0),
      timeout: 50 * second)
    #expect(result.failure?.kind == .dns)
  }

  @Test func bytesThatNobodyAskedForEndTheConnection() async throws {
    let greeter = try await ScriptedServer(greeting: [ScriptedServer.answer("unsolicited")]) { _ in [] }
    #expect(await (try HTTPConnection.open(greeter.port)).becomesUnusable())
    let late = try await ScriptedServer { _ in
      [ScriptedServer.answer("asked"), .wait(.milliseconds(10)), ScriptedServer.answer("unsolicited")]
    }
    let connection = try await HTTPConnection.open(late.port)
    #expect(await connection.get().bodyText == "asked")
    #expect(await connection.becomesUnusable())
    await greeter.stop()
    await late.stop()
  }

  @Test func aSecondRequestBesideTheFirstIsRefused() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("first")] }
    // Both are begun in one turn of the loop, before an answer can be read.
    let both = try await onLoop {
      let connection = try await HTTPConnection.open(server.port)
      async let one = connection.get()
      async let other = connection.get()
      return await [one, other]
    }
    #expect(both.compactMap(\.bodyText) == ["first"] && both.compactMap(\.failure?.kind) == [.closed])
    await server.stop()
  }

  @Test func aLaterShorterTimeoutIsKept() async throws {
    let server = try await ScriptedServer { $0.number == 1 ? [ScriptedServer.answer("ok")] : [] }
    let connection = try await HTTPConnection.open(server.port)
    #expect(await connection.get(timeout: 3600 * second).bodyText == "ok")
    #expect(await connection.get(timeout: .milliseconds(30)).failure?.kind == .timeout)
    await server.stop()
  }

  @Test(.wholeSuiteOnly) func aLaterLongerTimeoutIsNotCutShort() async throws {
    let server = try await ScriptedServer {
      $0.number == 1 ? [ScriptedServer.answer("1")] : [.wait(.milliseconds(5200)), ScriptedServer.answer("2")]
    }
    let connection = try await HTTPConnection.open(server.port)
    #expect(await connection.get(timeout: 5 * second).bodyText == "1")
    #expect(await connection.get(timeout: 20 * second).bodyText == "2")
    await server.stop()
  }

  @Test func theLongestTimeoutDoesNotOverflow() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer("ok")] }
    let connection = try await HTTPConnection.open(server.port)
    #expect(await connection.get(timeout: .max).bodyText == "ok")
    await server.stop()
  }
}
