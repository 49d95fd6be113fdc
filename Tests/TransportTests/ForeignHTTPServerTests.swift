import Foundation
import Latency
import NIOCore
import TestSupport
import Testing
import Transport

/// The client against a server that nobody here wrote: Python's `http.server`.
@Suite(
  .timeLimit(.minutes(1)),
  .enabled(if: Python.canImport("http.server"), "needs Python; INFRABENCH_PYTHON names an interpreter"))
struct ForeignHTTPServerTests {
  /// Serves a directory over kept connections and prints its port; ends with its standard input.
  private static let script = """
    import http.server, sys, threading
    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = sys.argv[2]
        def log_message(self, *arguments): pass
    def handler(*arguments): return Handler(*arguments, directory=sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    """

  private func withServer(_ version: String, _ body: (Int) async throws -> Void) async throws {
    let scratch = try ScratchDirectory()
    try scratch.write("file.txt", String(repeating: "0123456789", count: 10_000))
    let process = Python.command(["-c", Self.script, scratch.path, version])
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line = ""
    while !line.hasSuffix("\n") {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { break }
      line += String(decoding: data, as: UTF8.self)
    }
    let result: Result<Void, any Error>
    do { result = .success(try await body(try #require(Int(line.dropLast())))) } catch { result = .failure(error) }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    try result.get()
  }

  @Test func filesComeWholeOverAKeptConnection() async throws {
    try await withServer("HTTP/1.1") { port in
      let connection = try await HTTPConnection.open(port)
      for (path, status, length) in [("/file.txt", 200, 100_000), ("/none", 404, nil), ("/file.txt", 200, 100_000)] {
        let request = ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
        let response = try await connection.exchange(request, timeout: 20 * second).get().response
        #expect(response.status == status)
        if let length { #expect(response.body.readableBytes == length) }
        #expect(response.header("server")?.hasPrefix("SimpleHTTP") ?? false)
        guard status == 200 else {
          // Its error answers close the connection.
          #expect(!response.keepsConnection)
          break
        }
        #expect(response.keepsConnection && connection.isUsable)
      }
    }
  }

  @Test func anHTTP10ServerClosesAfterItsAnswer() async throws {
    try await withServer("HTTP/1.0") { port in
      let connection = try await HTTPConnection.open(port)
      let response = try await connection.exchange(
        ByteBuffer(string: "GET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n"), timeout: 20 * second
      ).get().response
      #expect(response.body.readableBytes == 100_000)
      #expect(!response.keepsConnection)
      #expect(await connection.becomesUnusable())
    }
  }
}
