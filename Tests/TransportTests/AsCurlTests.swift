import Foundation
import NIOCore
import TestSupport
import Testing
import Transport

/// Answers that RFC 9112 allows and real servers and proxies give, as curl takes them.
@Suite(
  .timeLimit(.minutes(2)),
  .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"), "needs curl"))
struct AsCurlTests {
  /// Every answer is whole; a connection that ends it is closed by the server.
  static let answers = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000002\r\nok\r\n00\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b;c=\"d\"\r\nok\r\n0;x\r\nTrailer: y\r\n\r\n",
    "HTTP/1.1 200 OK\r\nSet-Cookie: " + String(repeating: "c", count: 40_000) + "\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0 200\r\nContent-Type: text/plain\r\n\r\nok",
    "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>ok</html>",
  ]

  /// What curl writes of an answer.
  private func curl(_ port: Int) async throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/curl")
    process.arguments = ["--silent", "--noproxy", "*", "--max-time", "20", "http://127.0.0.1:\(port)/x"]
    let (status, output) = try await process.outcome()
    #expect(status == 0)
    return output
  }

  @Test(arguments: answers.indices) func anAnswerIsReadAsCurlReadsIt(_ index: Int) async throws {
    let server = try await ScriptedServer { _ in [.send(Self.answers[index]), .close] }
    let expected = try await curl(server.port)
    #expect(expected.contains("ok"))
    let connection = try await HTTPConnection.open(server.port)
    #expect(await connection.get().bodyText == expected)
    connection.close()
    await server.stop()
  }
}
