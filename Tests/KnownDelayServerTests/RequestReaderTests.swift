import NIOCore
import Testing

@testable import KnownDelayServer

struct RequestReaderTests {
  private static let acquire =
    "POST /api/acquire HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:  15 \r\n\r\n{\"userId\":\"ab\"}"
  private static let status = "GET /api/status HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"

  private func requests(of parts: [some StringProtocol]) throws -> [RequestReader.Request] {
    var reader = RequestReader()
    var requests: [RequestReader.Request] = []
    for part in parts {
      var bytes = ByteBuffer(string: String(part))
      reader.append(&bytes)
      while let request = try reader.next() { requests.append(request) }
    }
    return requests
  }

  @Test func requestsAreTheSameHoweverTheirBytesArrive() throws {
    let text = Self.acquire + Self.status
    let expected = [
      RequestReader.Request(method: "POST", target: "/api/acquire", closesConnection: false),
      RequestReader.Request(method: "GET", target: "/api/status", closesConnection: true),
    ]
    #expect(try requests(of: [text]) == expected)
    #expect(try requests(of: text.utf8.map { String(Unicode.Scalar($0)) }) == expected)
    for cut in 1..<text.utf8.count {
      #expect(try requests(of: [String(text.prefix(cut)), String(text.dropFirst(cut))]) == expected)
    }
  }

  @Test func requestIsThereOnlyWithItsWholeBody() throws {
    #expect(try requests(of: [Self.acquire.dropLast()]).isEmpty)
  }

  @Test(
    arguments: [
      ("GET /\r\n\r\n", .requestLine), ("GET  / HTTP/1.1\r\n\r\n", .requestLine), ("\r\n\r\n", .requestLine),
      ("GET / HTTP/1.0\r\n\r\n", .requestLine), ("GET x HTTP/1.1\r\n\r\n", .requestLine),
      ("GET / HTTP/1.1\nHost: a\n\n", .headerLine), ("GET / HTTP/1.1\r\nHost: a\n\r\n", .headerLine),
      ("GET / HTTP/1.1\r\nHost\r\n\r\n", .headerLine), ("GET / HTTP/1.1\r\n: a\r\n\r\n", .headerLine),
      ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .headerLine), ("GET / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n", .headerLine),
      ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", .bodyTooLong),
      ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncoding),
      ("GET / HTTP/1.1\r\nA: \(String(repeating: "b", count: 9000))", .headTooLong),
      (String(repeating: "\r\n", count: 5000), .requestLine),
    ] as [(String, RequestReader.Malformation)])
  func anythingElseIsRefused(_ text: String, _ malformation: RequestReader.Malformation) {
    #expect(throws: malformation) { try requests(of: [text]) }
  }
}
