import Foundation
import ProcessControl
import TestSupport
import Testing
import Transport

/// The program curl.
private let curlPath = "/usr/bin/curl"

/// `mock-gateway --profile product` with real tasks, and clients that nobody here wrote.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ProductProgramTests {
  /// A whole session with Python's `websockets`: lazy start, streamed answer, question, abort, a lost socket, an expired token.
  private static let client = """
    import asyncio, json, sys, time
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    base = sys.argv[1].replace("http", "ws")
    async def hear(socket, kind):
        said = []
        while not said or said[-1]["type"] not in (kind, "error"):
            said.append(json.loads(await asyncio.wait_for(socket.recv(), 20)))
        assert said[-1]["type"] == kind, said
        return said
    async def say(socket, **message): await socket.send(json.dumps(message))
    async def main():
        async with connect(base + "/?token=alice") as socket:
            session = (await hear(socket, "session_ready"))[0]["sessionId"]
            await say(socket, type="message", message='gr\\u00fc\\u00dfe \\n "x" \\\\', conversation_id="c1")
            said = await hear(socket, "finish")
            kinds = [m["type"] for m in said]
            assert kinds == ["progress", "thinking"] + ["text_delta"] * 4 + ["finish"], kinds
            assert said[0]["source"] in ("warm", "cold") and said[0]["taskId"], said[0]
            text = "".join(m.get("text", "") for m in said)
            assert text == '1 gr\\u00fc\\u00dfe \\n "x" \\\\ (2 of 4) (3 of 4) (4 of 4)', text
            assert said[-1]["usage"]["output_tokens"] == 4 and said[-1]["conversation_id"] == "c1", said[-1]
            await say(socket, type="message", message="second")
            question = (await hear(socket, "ask_question"))[-1]
            assert question["question"], question
            await say(socket, type="answer_question", answer="yes")
            assert (await hear(socket, "finish"))[-1]["reason"] == "end_turn"
            await say(socket, type="message", message="third")
            await hear(socket, "text_delta")
            await say(socket, type="abort")
            assert (await hear(socket, "finish"))[-1]["reason"] == "aborted"
            await say(socket, type="ping")
            await hear(socket, "pong")
            await (await socket.ping())
            # The fourth asks again; its socket dies meanwhile.
            await say(socket, type="message", message="fourth")
            await hear(socket, "ask_question")
            socket.transport.abort()
        async with connect(base + "/?token=alice&session=" + session) as socket:
            back = await hear(socket, "session_recovered")
            assert back[0]["state"] == "asking", back
            await hear(socket, "ask_question")
            await say(socket, type="answer_question", answer="yes")
            text = "".join(m.get("text", "") for m in await hear(socket, "finish"))
            assert text.startswith("4 fourth"), text
            await say(socket, type="update_token", token="bob")
            await hear(socket, "token_updated")
            big = "x" * 60000
            await say(socket, type="message", message=big)
            assert "".join(m.get("text", "") for m in await hear(socket, "finish")).startswith("5 " + big)
        try:
            async with connect(base + "/?token=mallory"): raise AssertionError("a bad token is let in")
        except InvalidStatus as refusal:
            assert refusal.response.status_code == 401
            assert json.loads(refusal.response.body)["error"]["code"] == "INVALID_TOKEN"
        async with connect(base + "/?token=stale") as socket:
            said = json.loads(await socket.recv())
            assert said["type"] == "error" and said["error"]["code"] == "TOKEN_EXPIRED", said
            try: await socket.recv(); raise AssertionError("not closed")
            except ConnectionClosed as end: assert end.rcvd.code == 4001, end
        print("the whole session went through")
    asyncio.run(main())
    """

  @Test(
    .enabled(
      if: Python.canImport("websockets.asyncio"), "needs Python's websockets; INFRABENCH_PYTHON names an interpreter"))
  func wholeSessionWithAForeignClient() async throws {
    let folder = try ScratchDirectory()
    let tokens = try folder.write("tokens", "# who may come\nalice\nbob\nstale expired\n")
    let gateway = try await GatewayProgram.start([
      "--profile", "product", "--pool-size", "1", "--token-file", tokens, "--chunks", "4", "--chunk-delay", "5ms",
      "--ask-every", "2",
    ])
    #expect(gateway.ready.profile == "product")
    let result = try await Python.run(["-c", Self.client, gateway.ready.gatewayUrl])
    #expect(result.status == 0 && result.output == "the whole session went through\n", "\(result.output)")
    #expect(await gateway.stop() == .exited(0))
  }

  private func curl(_ arguments: [String]) async throws -> (status: Int, body: String) {
    let process = Process()
    process.executableURL = URL(filePath: curlPath)
    process.arguments = ["-sS", "--max-time", "20", "-w", "\n%{http_code}"] + arguments
    let output = try await process.outcome().output
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: curlPath), "needs curl"))
  func restSideWithCurl() async throws {
    let gateway = try await GatewayProgram.start(["--profile", "product", "--pool-size", "1"])
    let url = gateway.ready.gatewayUrl + "/api/sessions"
    let token = ["-H", "Authorization: Bearer t"]
    let refused = try await curl(["-X", "POST", url])
    #expect(refused.status == 401 && refused.body.contains(#""code":"UNAUTHORIZED""#))
    let made = try await curl(token + ["--json", #"{"userId":"alice"}"#, url])
    #expect(made.status == 201)
    let id = try #require(try JSONSerialization.jsonObject(with: Data(made.body.utf8)) as? [String: Any])["id"]
    let session = "\(url)/\(try #require(id as? String))"
    // The second request goes over the same connection: a 204 that is understood leaves nothing on it.
    let twice = try await curl(token + ["-X", "DELETE", session, session])
    #expect(twice.status == 404 && twice.body.hasPrefix("\n204"), "\(twice)")
    #expect(try await curl([gateway.ready.gatewayUrl + "/api/status"]).status == 200)
    #expect(try await curl(["--json", "{}", gateway.ready.gatewayUrl + "/api/acquire"]).status == 404)
    #expect(await gateway.stop() == .exited(0))
  }

  @Test func chunksComeTheirDelayApart() async throws {
    let gateway = try await GatewayProgram.start([
      "--profile", "product", "--pool-size", "1", "--chunks", "3", "--chunk-delay", "150ms", "--virtual-tasks",
    ])
    let socket = try await GatewayFixture.socket(gateway.port, "/?token=t")
    let client = ProductClient(socket: socket)
    #expect(try await client.next().type == "session_ready")
    try await client.say("hi")
    _ = try await client.until("text_delta")
    let clock = ContinuousClock()
    let first = clock.now
    #expect(try await client.until("finish").count == 3)
    // Never sooner; how much later is the machine's matter.
    #expect(clock.now - first >= .milliseconds(290))
    await socket.close()
    #expect(await gateway.stop() == .exited(0))
  }

  /// Many times what is held back: the program waits meanwhile, and nothing is lost but what the dead socket had.
  @Test func longAnswerWaitsForItsClientWithinBounds() async throws {
    let chunks = 20_000
    let gateway = try await GatewayProgram.start([
      "--profile", "product", "--pool-size", "1", "--chunks", "\(chunks)", "--chunk-delay", "0ms",
    ])
    let first = ProductClient(socket: try await GatewayFixture.socket(gateway.port, "/?token=t"))
    let session = try #require(try await first.next().sessionId)
    try await first.say("hi")
    _ = try await first.until("text_delta")
    first.socket.abort()
    // Long enough for all of them, if nobody stopped the program.
    try await Task.sleep(for: .seconds(2))
    let second = ProductClient(
      socket: try await GatewayFixture.socket(gateway.port, "/?token=t&session=\(session)"))
    let back = try await second.next()
    #expect(back.type == "session_recovered" && back.state == "answering", "the program was not stopped")
    // A client that reads slowly at first: what it has not read waits in the program too.
    try await Task.sleep(for: .milliseconds(300))
    let rest = try await second.until("finish")
    let numbers = rest.compactMap { $0.text?.split(separator: " ").first?.dropFirst() }.compactMap { Int($0) }
    #expect(numbers.last == chunks)
    let gaps = zip(numbers, numbers.dropFirst()).filter { $1 != $0 + 1 }
    #expect(gaps.isEmpty)
    #expect(rest.last?.usage?.output_tokens == chunks)
    await second.socket.close()
    #expect(await gateway.stop() == .exited(0))
  }
}
