import AWSTestSupport
import Foundation
import Latency
import TestSupport
import Testing

@testable import AWS

@Suite struct CurlTransportTests {
  static func post(_ url: String, body: String = "{}", timeout: Nanoseconds? = nil) -> HTTPRequest {
    HTTPRequest(method: .post, url: url, headers: [("X-A", "1")], body: Array(body.utf8), timeout: timeout)
  }

  static func code(_ body: () async throws -> Void) async -> TransferError.Kind? {
    do {
      try await body()
      return nil
    } catch { return (error as? TransferError)?.kind }
  }

  @Test(arguments: ["", "{}", String(repeating: "ä", count: 100_000)])
  func bodiesAndHeadersArriveAsSent(body: String) async throws {
    try await HTTPTestServer.run { request in
      .answer(
        status: 404, headers: [("X-Echo", request.header("x-a") ?? ""), ("X-Method", request.method)],
        body: request.body)
    } _: { (server) async throws -> Void in
      let response = try await CurlTransport().send(CurlTransportTests.post(server.url + "/a?b=c", body: body))
      #expect(response.status == 404)
      #expect(response.header("x-echo") == "1")
      #expect(response.header("x-method") == "POST")
      #expect(response.body == Array(body.utf8))
    }
  }

  @Test func connectionsAreReusedAndThePhasesSayIt() async throws {
    try await HTTPTestServer.run { _ in
      .answer(status: 200, body: Array("x".utf8))
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport()
      let before = MonotonicClock.now()
      let first = try await transport.send(CurlTransportTests.post(server.url)).timings
      let second = try await transport.send(CurlTransportTests.post(server.url)).timings
      let after = MonotonicClock.now()
      #expect(!first.reusedConnection && first.connect != nil && first.nameLookup != nil && first.tls == nil)
      #expect(second.reusedConnection && second.connect == nil && second.nameLookup == nil)
      #expect(server.connectionCount == 1)
      #expect(before <= first.sentAt && first.sentAt < first.answeredAt)
      #expect(first.answeredAt <= second.sentAt && second.answeredAt <= after)
      for timings in [first, second] {
        #expect(0 < timings.firstByte && timings.firstByte <= timings.total)
        #expect((timings.nameLookup ?? 0) + (timings.connect ?? 0) + (timings.tls ?? 0) <= timings.firstByte)
        // libcurl counts in whole microseconds.
        #expect(timings.total <= timings.answeredAt - timings.sentAt + .microseconds(1))
      }
    }
  }

  /// Servers end idle connections, some of them just as the next request is on its way.
  @Test(arguments: [[ScriptedServer.answer("one"), .close], [ScriptedServer.answer("one")]])
  func aConnectionThatEndsBetweenTwoCallsIsMadeAnew(first: [ScriptedServer.Action]) async throws {
    let server = try await ScriptedServer { request in
      request.connection == 1 ? request.number == 1 ? first : [.close] : [ScriptedServer.answer("two")]
    }
    let url = "http://127.0.0.1:\(server.port)/"
    let transport = try CurlTransport()
    for expected in ["one", "two", "two"] {
      let response = try await transport.send(CurlTransportTests.post(url))
      #expect(String(decoding: response.body, as: UTF8.self) == expected)
      #expect(response.timings.firstByte <= response.timings.total)
    }
    #expect(server.connectionCount == 2)
    await server.stop()
  }

  @Test func manyRequestsRunAtOnce() async throws {
    try await HTTPTestServer.run { request in
      .answer(status: 200, body: Array(request.query.utf8))
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport()
      let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
        for index in 0..<50 {
          group.addTask {
            let response = try await transport.send(HTTPRequest(method: .get, url: "\(server.url)/?\(index)"))
            return (index, String(decoding: response.body, as: UTF8.self))
          }
        }
        return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
      }
      #expect(answers == Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, String($0)) }))
    }
  }

  @Test func redirectsAreNotFollowed() async throws {
    try await HTTPTestServer.run { request in
      request.path == "/" ? .answer(status: 307, headers: [("Location", "/other")]) : .answer(status: 200)
    } _: { (server) async throws -> Void in
      #expect(try await CurlTransport().send(CurlTransportTests.post(server.url)).status == 307)
    }
  }

  @Test func aSilentServerTimesOut() async throws {
    try await HTTPTestServer.run { _ in
      .silence
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport()
      let code = await CurlTransportTests.code {
        _ = try await transport.send(CurlTransportTests.post(server.url, timeout: .milliseconds(50)))
      }
      #expect(code == .timeout)
    }
  }

  @Test(.timeLimit(.minutes(1))) func cancellationEndsTheTransferAndLeavesTheOthers() async throws {
    let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
    try await HTTPTestServer.run { request in
      guard request.path == "/silent" else { return .answer(status: 200) }
      arrival.yield()
      return .silence
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport()
      let waiting = Task {
        await CurlTransportTests.code { _ = try await transport.send(CurlTransportTests.post(server.url + "/silent")) }
      }
      for await _ in arrivals { break }
      waiting.cancel()
      let cancelledAt = MonotonicClock.now()
      #expect(await waiting.value == .cancelled)
      // Half the transport's own bound: it was not that which ended the transfer.
      #expect(MonotonicClock.now() - cancelledAt < 15_000_000_000)
      #expect(try await transport.send(CurlTransportTests.post(server.url)).status == 200)
    }
  }

  @Test(.timeLimit(.minutes(1))) func aTaskCancelledBeforehandNeverWaits() async throws {
    try await HTTPTestServer.run { _ in
      .silence
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport()
      let code = await Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return await CurlTransportTests.code { _ = try await transport.send(CurlTransportTests.post(server.url)) }
      }.value
      #expect(code == .cancelled)
    }
  }

  @Test func aPortWithoutAListenerRefuses() async throws {
    // Bound but not listening: no other test can get the port meanwhile.
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutableBytes(of: &address) { bytes in
      let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return bind(descriptor, pointer, size) == 0 ? getsockname(descriptor, pointer, &size) : -1
    }
    try #require(status == 0)
    let code = await CurlTransportTests.code {
      _ = try await CurlTransport().send(
        CurlTransportTests.post("http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"))
    }
    #expect(code == .connect)
  }

  @Test(arguments: [
    ("no http at all\r\n\r\n", TransferError.Kind.malformedAnswer), ("", .connectionLost),
    ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .connectionLost),
  ])
  func brokenAnswersAreTypedErrors(answer: String, code: TransferError.Kind) async throws {
    try await HTTPTestServer.run { _ in
      .raw(Array(answer.utf8))
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport()
      #expect(
        await CurlTransportTests.code { _ = try await transport.send(CurlTransportTests.post(server.url)) } == code)
    }
  }

  @Test func interimAnswersAreSkipped() async throws {
    let answer = "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Late:  2 \r\nContent-Length: 0\r\n\r\n"
    try await HTTPTestServer.run { _ in
      .raw(Array(answer.utf8))
    } _: { (server) async throws -> Void in
      let response = try await CurlTransport().send(CurlTransportTests.post(server.url))
      #expect(response.status == 200)
      #expect(response.header("x-early") == nil)
      #expect(response.header("x-late") == "2")
    }
  }

  @Test(arguments: [(1_000, nil), (1_001, TransferError.Kind.answerTooLarge)])
  func bodiesAreBounded(size: Int, code: TransferError.Kind?) async throws {
    try await HTTPTestServer.run { _ in
      .answer(status: 200, body: [UInt8](repeating: 65, count: size))
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport(options: .init(maximumBodyBytes: 1_000))
      #expect(
        await CurlTransportTests.code { _ = try await transport.send(CurlTransportTests.post(server.url)) } == code)
    }
  }

  @Test(arguments: ["", "nonsense", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://127.0.0.1:99999/"])
  func otherURLsAreRefused(url: String) async {
    let code = await CurlTransportTests.code { _ = try await CurlTransport().send(HTTPRequest(method: .get, url: url)) }
    #expect(code != nil)
    #expect(url == "nonsense" || code == .invalidURL)
  }

  @Test func headersCannotBeSmuggledIn() async throws {
    try await HTTPTestServer.run { _ in
      .answer(status: 200)
    } _: { (server) async throws -> Void in
      let transport = try CurlTransport()
      let request = HTTPRequest(method: .get, url: server.url, headers: [("X-A", "1\r\nX-B: 2")])
      #expect(await CurlTransportTests.code { _ = try await transport.send(request) } == .other)
    }
  }

  @Test(.timeLimit(.minutes(1))) func shuttingDownEndsWhatIsUnderWayAndWhatComesLater() async throws {
    let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
    try await HTTPTestServer.run { _ in
      arrival.yield()
      return .silence
    } _: { (server) async throws -> Void in
      let queue = try CurlThread.start()
      async let underWay = CurlTransportTests.start(1, on: queue, url: server.url)
      for await _ in arrivals { break }
      queue.post(.shutDown)
      let later = await CurlTransportTests.start(2, on: queue, url: server.url)
      #expect(later == .shutDown)
      #expect(await underWay == .shutDown)
      #expect(await CurlTransportTests.start(3, on: queue, url: server.url) == .shutDown)
    }
  }

  private static func start(_ id: UInt64, on queue: CurlCommandQueue, url: String) async -> TransferError.Kind? {
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<HTTPResponse, TransferError>, Never>) in
      queue.post(.start(CurlTransfer(id: id, request: post(url), options: .init(), continuation: continuation)))
    }
    if case .failure(let error) = result { return error.kind }
    return nil
  }
}
