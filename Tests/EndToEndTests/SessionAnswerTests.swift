import NIOCore
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Which line of a user's program bench-e2e takes for the answer to the user's message.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SessionAnswerTests {
  private static let options = ["--no-default-thresholds", "--allow-saturated", "--timeout", "10s"]

  /// A gateway in Python's `websockets`: the user's side of a session as `script` has it, and a status of nine warm tasks.
  private static func gateway(_ script: String) -> String {
    """
    import asyncio, sys, threading, os, json, http
    from websockets.asyncio.server import serve
    from websockets.http11 import Response
    from websockets.datastructures import Headers
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    READY = json.dumps({"type": "session_ready", "taskId": "t", "source": "warm", "breakdown": {"process_start_ms": 5}})
    sessions = 0
    def request(socket, request):
        if request.path == "/api/status":
            body = b'{"warmCount": 9, "assignedCount": 0}'
            return Response(200, "OK", Headers({"Content-Length": str(len(body))}), body)
        if not request.path.startswith("/session/"):
            return Response(404, "Not Found", Headers({"Content-Length": "0"}), b"")
    async def handle(socket):
        global sessions
        sessions += 1
        print("session", flush=True)
    \(script.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n"))
    async def main():
        async with serve(handle, "127.0.0.1", 0, process_request=request) as server:
            print(server.sockets[0].getsockname()[1], flush=True)
            await asyncio.get_running_loop().create_future()
    asyncio.run(main())
    """
  }

  @Test func partOfALineThatWasThereBeforeTheMessageMakesItNoAnswer() async throws {
    let server = try await SessionServer(delay: .milliseconds(400), tearsHelloFor: .milliseconds(100)) { number in
      [SessionServer.ready("t\(number)"), "welcome to this machine"]
    }
    let result = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", server.url, "--count", "2"] + Self.options)
    await server.stop()
    let document = try result.document()
    #expect(document.metrics["first_response"]?.count == 2, "\(document.errors)")
    #expect((document.metrics["first_response"]?.min ?? 0) >= 399)
    #expect(document.notes.contains { $0.contains("--expect") }, "\(document.notes)")
  }

  @Test func whatIsExpectedIsTheAnswerHoweverLateABannerComes() async throws {
    let server = try await SessionServer(delay: .milliseconds(300), lateHello: .milliseconds(100)) { number in
      [SessionServer.ready("t\(number)"), "welcome", "version 1.0"]
    }
    let result = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", server.url, "--count", "2", "--expect", "^echo: h.llo$"] + Self.options)
    await server.stop()
    let document = try result.document()
    #expect(document.metrics["first_response"]?.count == 2, "\(document.errors)")
    #expect((document.metrics["first_response"]?.min ?? 0) >= 299)
    #expect(document.parameters["expect"] == .string("^echo: h.llo$"))
    #expect(!document.notes.contains { $0.contains("--expect") }, "\(document.notes)")
  }

  @Test func answersThatAreNotExpectedAreWaitedOutAndTheErrorSaysHowManyCame() async throws {
    let server = try await SessionServer { [SessionServer.ready("t\($0)")] }
    let result = try await BenchRun.run(
      "bench-e2e",
      ["--gateway-url", server.url, "--count", "1", "--expect", "never", "--timeout", "1s", "--no-default-thresholds"])
    await server.stop()
    let document = try result.document()
    #expect(document.errors.map(\.kind) == ["first_response: timeout"])
    #expect(document.errors.first?.example.contains("1 line came, and none is as --expect says") == true)
  }

  @Test(.wholeSuiteOnly) func aPatternThatTakesForEverEndsNeitherTheLoopNorTheRun() async throws {
    let server = try await SessionServer(answer: String(repeating: "a", count: 40) + "! ") {
      [SessionServer.ready("t\($0)")]
    }
    let run = try await BenchRun.start(
      "bench-e2e",
      [
        "--gateway-url", server.url, "--count", "2", "--expect", "^(a+)+$", "--timeout", "2s",
        "--no-default-thresholds",
      ])
    let result = await run.end(within: .seconds(50))
    await server.stop()
    let document = try result.document()
    #expect(document.errors.map(\.kind).allSatisfy { $0.hasPrefix("first_response: ") }, "\(document.errors)")
    #expect(document.errors.first?.example.contains("--expect") == true, "\(document.errors)")
  }

  @Test func anAnswerBeyondAPieceEndsTheClockAtItsLastPart() async throws {
    let program = "echo ready; while read line; do head -c 70000 /dev/zero | tr '\\0' x; sleep 0.4; echo end; done"
    let gateway = try await MockGateway.start(
      MockGateway.threeVirtualTasks + ["--command", "/bin/sh -c \"\(program)\""])
    let result = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", gateway.url, "--count", "2"] + Self.options)
    await gateway.stop()
    let document = try result.document()
    #expect(document.metrics["first_response"]?.count == 2, "\(document.errors)")
    #expect((document.metrics["first_response"]?.min ?? 0) >= 399)
  }

  @Test(
    .enabled(
      if: Python.canImport("websockets.asyncio"), "needs Python's websockets; INFRABENCH_PYTHON names an interpreter"))
  func aForeignGatewaysBannerIsNoAnswerAndItsFragmentsAreOne() async throws {
    let script = """
      await socket.send(READY)
      await asyncio.sleep(0.1)
      await socket.send("a banner that comes when the message is on its way")
      async for message in socket:
          async def parts():
              yield "answer: "
              await asyncio.sleep(0.4)
              yield message
          await socket.send(parts())
      """
    let server = try await ForeignProgram.start(Python.interpreter, ["-c", Self.gateway(script)])
    let result = try await BenchRun.run(
      "bench-e2e",
      ["--gateway-url", "http://127.0.0.1:\(server.port)", "--count", "2", "--expect", "^answer: hello"] + Self.options)
    let document = try result.document()
    #expect(document.metrics["first_response"]?.count == 2, "\(document.errors)")
    #expect((document.metrics["first_response"]?.min ?? 0) >= 399)
    // The probe of the route is no session.
    #expect(await server.end().split(separator: "\n").filter { $0 == "session" }.count == 2)
  }

  @Test(arguments: [("", "an empty"), ("(", "--expect"), (String(repeating: "x", count: 1025), "1024")])
  func anExpectationThatIsNoPatternIsWrongUsage(pattern: String, says: String) async throws {
    let result = try await BenchRun.run("bench-e2e", ["--expect", pattern])
    #expect(result.status == .exited(64))
    #expect(result.talk.contains(says), "\(result.talk)")
  }
}
