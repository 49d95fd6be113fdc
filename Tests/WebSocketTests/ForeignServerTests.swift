import Foundation
import NIOPosix
import ProcessControl
import TestSupport
import Testing
import Transport

/// The client against a server we did not write: Python's `websockets`. `INFRABENCH_PYTHON` names an interpreter that has it.
@Suite(.timeLimit(.minutes(1))) struct ForeignServerTests {

  private static let server = """
    import asyncio, sys, threading, os
    from websockets.asyncio.server import serve
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    async def handle(socket):
        await socket.send("welcome " + socket.request.path)
        async for message in socket:
            if message == "ping me": await (await socket.ping()); await socket.send("pong seen")
            elif message == "in parts": await socket.send(["a", "b", "c"])
            elif message == "go": await socket.close(4002, "as told")
            else: await socket.send(message)
    async def main():
        async with serve(handle, "127.0.0.1", 0, compression="deflate") as server:
            print(server.sockets[0].getsockname()[1], flush=True)
            await asyncio.get_running_loop().create_future()
    asyncio.run(main())
    """

  @Test(
    .enabled(
      if: Python.canImport("websockets.asyncio"), "needs Python's websockets; INFRABENCH_PYTHON names an interpreter"))
  func clientAndServerUnderstandEachOther() async throws {
    let child = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: Python.interpreter, arguments: ["-c", Self.server], standardInput: .pipe, standardOutput: .pipe))
    let output = try #require(child.standardOutput)
    var digits = [UInt8](repeating: 0, count: 16)
    let count = read(output.descriptor, &digits, digits.count)
    let text = String(decoding: digits.prefix(max(0, count)), as: UTF8.self)
    let port = try #require(Int(text.trimmingCharacters(in: .newlines)))

    let connection = try await WebSocketConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: port), path: "/x", on: MultiThreadedEventLoopGroup.singleton.next())
    #expect(try await connection.receive()?.text == "welcome /x")
    let long = String(repeating: "äöü€", count: 20_000)
    for (message, answer) in [("hi", "hi"), ("ping me", "pong seen"), ("in parts", "abc"), (long, long), ("", "")] {
      try await connection.send(text: message)
      #expect(try await connection.receive()?.text == answer)
    }
    try await connection.send(text: "go")
    await #expect(throws: WebSocketError.closed(code: 4002, reason: "as told")) { try await connection.receive() }
    child.standardInput?.close()
    #expect(await child.waitForExit() == .exited(0))
  }
}
