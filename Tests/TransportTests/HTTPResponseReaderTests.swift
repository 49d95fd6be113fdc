import NIOCore
import TestSupport
import Testing
import Transport

/// Valid responses, in whatever pieces they arrive.
@Suite struct HTTPResponseReaderTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: String
    var status = 200
    var body = ""
    var keepsConnection = true
    /// The response ends with its connection.
    var endsWithConnection = false

    var testDescription: String { name }
  }

  static let samples = [
    Sample(name: "length", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", body: "hello"),
    Sample(name: "length 0", bytes: "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n"),
    Sample(
      name: "the same length twice", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
      body: "ok"),
    Sample(
      name: "a list of one length", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2 ,2, 2\r\n\r\nok", body: "ok"),
    Sample(
      name: "folded lines",
      bytes: "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\t c\r\nContent-Length:\r\n 2\r\nY: z\r\n \r\n\r\nok",
      body: "ok"),
    Sample(name: "no reason", bytes: "HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", status: 503),
    Sample(
      name: "chunks, extensions, trailers",
      bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        + "5;name=\"value\"\r\nhello\r\n1 ; x\r\n \r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
      body: "hello 0123456789"),
    Sample(
      name: "chunks with leading zeros",
      bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000000000000005\r\nhello\r\n0000\r\n\r\n",
      body: "hello"),
    Sample(name: "no chunk", bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    Sample(
      name: "interim",
      bytes: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        + "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", status: 201, body: "x"),
    Sample(name: "101", bytes: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", status: 101),
    Sample(name: "204", bytes: "HTTP/1.1 204 No Content\r\n\r\n", status: 204),
    Sample(name: "304 tells a length and has none", bytes: "HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n", status: 304),
    Sample(
      name: "close", bytes: "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 1\r\n\r\n1", body: "1",
      keepsConnection: false),
    Sample(
      name: "close wins", bytes: "HTTP/1.1 200 OK\r\nConnection: close, keep-alive\r\nContent-Length: 0\r\n\r\n",
      keepsConnection: false),
    Sample(
      name: "close wins in another line",
      bytes: "HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
      keepsConnection: false),
    Sample(name: "HTTP/1.0", bytes: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", body: "1", keepsConnection: false),
    Sample(
      name: "HTTP/1.0 knows no chunks, and is not kept with them",
      bytes: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      body: "x", keepsConnection: false),
    Sample(
      name: "304 with two lengths is not kept",
      bytes: "HTTP/1.1 304 x\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n", status: 304, keepsConnection: false),
    Sample(
      name: "204 with a length and a coding is not kept",
      bytes: "HTTP/1.1 204 x\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n", status: 204,
      keepsConnection: false),
    Sample(
      name: "empty elements of a list", bytes: "HTTP/1.1 200 OK\r\nContent-Length: , 2 ,,\r\n\r\nok", body: "ok"),
    Sample(
      name: "HTTP/1.0 kept", bytes: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\n1",
      body: "1"),
    Sample(
      name: "until the end", bytes: "HTTP/1.1 200 OK\r\nX: y\r\n\r\nall of it", body: "all of it",
      keepsConnection: false, endsWithConnection: true),
  ]

  private func read(_ pieces: [String.UTF8View.SubSequence], _ sample: Sample) throws -> HTTPResponse {
    var reader = HTTPResponseReader()
    for (index, piece) in pieces.enumerated() {
      switch reader.read(ByteBuffer(bytes: piece)) {
      case .failed(let error): throw error
      case .complete(let response):
        #expect(index == pieces.count - 1, "complete before its last byte")
        #expect(!reader.isInsideResponse)
        return response
      case .needsMore: break
      }
    }
    #expect(sample.endsWithConnection)
    switch reader.readEnd() {
    case .complete(let response): return response
    case .failed(let error): throw error
    case .needsMore: throw TransportError(.closed, "the response is not complete")
    }
  }

  @Test(arguments: samples) func everySplitGivesTheSameResponse(_ sample: Sample) throws {
    let bytes = sample.bytes.utf8
    var ways = [bytes.indices.map { bytes[$0...$0] }]
    for index in bytes.indices.dropFirst() { ways.append([bytes[..<index], bytes[index...]]) }
    ways.append([bytes[...]])
    for pieces in ways {
      let response = try read(pieces, sample)
      #expect(response.status == sample.status)
      #expect(String(buffer: response.body) == sample.body)
      #expect(response.keepsConnection == sample.keepsConnection)
    }
  }

  @Test(arguments: samples) func everySplitIntoThreePiecesGivesTheSameResponse(_ sample: Sample) throws {
    let bytes = sample.bytes.utf8
    // The line ends, where a state ends, and their neighbours: all pairs of them.
    let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\r") || bytes[$0] == UInt8(ascii: "\n") }
    let cuts = Set(ends + ends.map { bytes.index(after: $0) }).filter { $0 > bytes.startIndex && $0 < bytes.endIndex }
    for first in cuts {
      for second in cuts where second > first {
        let response = try read([bytes[..<first], bytes[first..<second], bytes[second...]], sample)
        #expect(response.status == sample.status)
        #expect(String(buffer: response.body) == sample.body)
        #expect(response.keepsConnection == sample.keepsConnection)
      }
    }
  }

  @Test(arguments: samples) func theHeaderLinesAreTheSameInOnePieceAndByteByByte(_ sample: Sample) throws {
    let bytes = sample.bytes.utf8
    let whole = try read([bytes[...]], sample).headerLines
    #expect(try read(bytes.indices.map { bytes[$0...$0] }, sample).headerLines == whole)
    let lines = String(buffer: whole)
    #expect(lines.hasSuffix("\r\n") && !lines.hasPrefix("HTTP/"))
  }

  @Test func oneResponseAfterAnotherIsReadFromOneReader() throws {
    var reader = HTTPResponseReader()
    for sample in Self.samples where sample.keepsConnection {
      guard case .complete(let response) = reader.read(ByteBuffer(string: sample.bytes)) else {
        Issue.record("\(sample.name) is not complete")
        continue
      }
      #expect(response.status == sample.status)
      #expect(response.keepsConnection, "\(sample.name)")
    }
  }

  @Test(arguments: samples.filter { $0.keepsConnection })
  func bytesBeyondTheResponseMakeTheConnectionUnusable(_ sample: Sample) {
    var reader = HTTPResponseReader()
    guard case .complete(let response) = reader.read(ByteBuffer(string: sample.bytes + "H")) else {
      Issue.record("not complete")
      return
    }
    #expect(String(buffer: response.body) == sample.body)
    #expect(!response.keepsConnection)
  }

  @Test func headersAreFoundInAnyCaseAndWithoutWhiteSpace() throws {
    var reader = HTTPResponseReader()
    let bytes = "HTTP/1.1 200 OK\r\nDate: \t Sat, 21 Nov 2026 00:00:00 GMT \r\nEmpty:\r\nContent-Length: 0\r\n\r\n"
    guard case .complete(let response) = reader.read(ByteBuffer(string: bytes)) else {
      Issue.record("not complete")
      return
    }
    #expect(response.header("DATE") == "Sat, 21 Nov 2026 00:00:00 GMT")
    #expect(response.header("empty") == "")
    #expect(response.header("absent") == nil)
  }

  @Test func anEndInsideAResponseCompletesNothing() {
    for bytes in ["HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n12"] {
      var reader = HTTPResponseReader()
      _ = reader.read(ByteBuffer(string: bytes))
      #expect(reader.isInsideResponse)
      let end = reader.readEnd()
      guard case .needsMore = end else {
        Issue.record("\(bytes) is taken for whole")
        continue
      }
    }
  }
}
