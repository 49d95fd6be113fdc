import Foundation
import NIOCore
import TestSupport
import Testing
import Transport

/// Bodies that a server encodes although no request asked for it. Python's zlib encodes them.
@Suite(
  .timeLimit(.minutes(1)),
  .enabled(if: Python.canImport("zlib"), "needs Python; INFRABENCH_PYTHON names an interpreter"))
struct ContentCodingTests {
  /// The expression by which Python encodes `b`, and the field that says so.
  static let codings = [
    ("gzip", "gzip.compress(b)"), ("x-gzip", "gzip.compress(b)"), ("GZIP", "gzip.compress(b)"),
    ("deflate", "zlib.compress(b)"), ("deflate", "zlib.compress(b, wbits=-15)"), ("identity", "b"),
    ("identity, gzip", "gzip.compress(b)"), ("gzip,identity", "gzip.compress(b)"), (" , gzip ,", "gzip.compress(b)"),
    // Two members of one body, and an empty one between them.
    ("gzip", "gzip.compress(b[:100]) + gzip.compress(b'') + gzip.compress(b[100:])"),
  ]

  static let text = String(repeating: "{\"success\":true,\"taskId\":\"t-1\"}", count: 100)

  private func encoded(_ expression: String, of text: String = text) async throws -> [UInt8] {
    let script =
      "import base64, gzip, sys, zlib; b = sys.argv[1].encode(); print(base64.b64encode(\(expression)).decode())"
    let (status, output) = try await Python.run(["-c", script, text])
    try #require(status == 0)
    return Array(try #require(Data(base64Encoded: output, options: .ignoreUnknownCharacters)))
  }

  private func read(_ head: String, _ body: [UInt8]) -> HTTPResponseReader.Step {
    var reader = HTTPResponseReader()
    let step = reader.read(ByteBuffer(bytes: Array("HTTP/1.1 200 OK\r\n\(head)\r\n\r\n".utf8) + body))
    if case .needsMore = step { return reader.readEnd() }
    return step
  }

  private func failure(_ step: HTTPResponseReader.Step) -> TransportError? {
    guard case .failed(let error) = step else { return nil }
    return error
  }

  @Test(arguments: codings) func aBodyIsDecodedHoweverItEnds(_ coding: String, _ expression: String) async throws {
    let body = try await encoded(expression)
    let length = "Content-Length: \(body.count)"
    let chunks = Array("\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
    for (framing, bytes) in [(length, body), ("Transfer-Encoding: chunked", chunks), ("X: until the end", body)] {
      guard case .complete(let response) = read("Content-Encoding: \(coding)\r\n\(framing)", bytes) else {
        Issue.record("\(coding), \(framing): not complete")
        continue
      }
      #expect(String(buffer: response.body) == Self.text, "\(coding), \(framing)")
    }
  }

  @Test func aSecondMemberThatIsNoneOrCutOffIsAnError() async throws {
    for expression in ["gzip.compress(b) + b'rest'", "gzip.compress(b) + gzip.compress(b)[:-4]"] {
      let body = try await encoded(expression)
      let failed = failure(read("Content-Encoding: gzip\r\nContent-Length: \(body.count)", body))
      #expect(failed?.kind == .invalidResponse, "\(expression)")
    }
  }

  @Test func aListOfTwoCodingsIsNamedWhole() {
    let failed = failure(read("Content-Encoding: gzip, br\r\nContent-Length: 1", [0]))
    #expect(failed?.message.contains("'gzip, br'") == true, "\(String(describing: failed))")
  }

  @Test func anEmptyBodyNeedsNoDecoding() {
    guard case .complete(let response) = read("Content-Encoding: br\r\nContent-Length: 0", []) else {
      Issue.record("not complete")
      return
    }
    #expect(response.body.readableBytes == 0)
  }

  @Test(arguments: ["br", "zstd", "gzip, gzip", "gzip\r\nContent-Encoding: deflate"])
  func aCodingThatIsNotDecodedIsNamed(_ coding: String) throws {
    let error = try #require(failure(read("Content-Encoding: \(coding)\r\nContent-Length: 2", [1, 2])))
    #expect(error.kind == .invalidResponse)
    #expect(error.message.contains(coding.replacing("\r\nContent-Encoding:", with: ",")))
  }

  @Test func theStatusOfARefusalIsKeptWhereItsBodyCannotBeDecoded() {
    var reader = HTTPResponseReader()
    let step = reader.read(
      ByteBuffer(string: "HTTP/1.1 502 Bad\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nxx"))
    guard case .complete(let response) = step else {
      Issue.record("not complete")
      return
    }
    #expect(response.status == 502 && String(buffer: response.body).contains("'br'"))
  }

  @Test func corruptAndCutOffBodiesAreInvalid() async throws {
    let body = try await encoded("gzip.compress(b)")
    var corrupt = body
    corrupt[corrupt.count / 2] ^= 0xff
    for (wrong, word) in [(corrupt, "corrupt"), (Array(body.dropLast(4)), "incomplete"), ([0x1f], "incomplete")] {
      let error = try #require(failure(read("Content-Encoding: gzip\r\nContent-Length: \(wrong.count)", wrong)))
      #expect(error.kind == .invalidResponse)
      #expect(error.message.contains("corrupt") || error.message.contains(word))
    }
  }

  @Test func whatDecodesToMoreThanTheLimitIsTooLarge() async throws {
    let bomb = try await encoded("gzip.compress(b * (8 << 20))", of: "x")
    #expect(bomb.count < 100_000)
    let error = try #require(failure(read("Content-Encoding: gzip\r\nContent-Length: \(bomb.count)", bomb)))
    #expect(error.kind == .tooLarge)
  }
}
