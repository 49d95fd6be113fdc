import NIOCore
import TestSupport
import Testing
import Transport

/// Whatever a server sends, the reader ends in a typed error or a response: never in a trap, never in endless memory.
@Suite struct HostileResponseTests {
  static let invalid = [
    "HTTP/1.1 200\rjunk\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\nX: y\r\n\r\n",
    "HTTP/2 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.x 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 600 x\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n",
    "HTTP/1.1 -12 x\r\n\r\n", "HTTP/1.1 \r\n\r\n", "HTTP/1.1\r\n\r\n", "H\r\n\r\n", "\r\n\r\n",
    "http/1.1 200 OK\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n", "{\"taskArn\": \"x\"}", "\u{16}\u{3}\u{1}",
    "HTTP/1.1 200 OK\r\nName : value\r\n\r\n", "HTTP/1.1 200 OK\r\nTwo words: value\r\n\r\n",
    "HTTP/1.1 200 OK\r\n: value\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length:\r\n 1\r\n\t2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nNäme: value\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: ,\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
  ]

  static let chunks = [
    "\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x5\r\n", ";ext\r\n", "5\n", "123456789\r\n", "FFFFFFFFFFFFFFFFF\r\n",
    "5 junk\r\nhello\r\n", "5\r\nhelloX\r\n", "5\r\nhello\n", "1\r\nx\r\n\r\n",
    "0\r\nX: " + String(repeating: "y", count: 9000), String(repeating: "0", count: 9000),
    "1;" + String(repeating: "e", count: 9000), "0\r\n" + String(repeating: "X: y\r\n", count: 4000),
  ]

  static let tooLarge = [
    "HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 65 << 10),
    "HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 65 << 10) + "\r\n\r\n",
    "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 12_000),
    "HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400001\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
    "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "b", count: (4 << 20) + 1),
  ]

  private func kind(_ pieces: [[UInt8]]) -> TransportError.Kind? {
    var reader = HTTPResponseReader()
    for piece in pieces {
      if case .failed(let error) = reader.read(ByteBuffer(bytes: piece)) { return error.kind }
    }
    return nil
  }

  @Test(
    .wholeSuiteOnly, arguments: invalid + chunks.map { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + $0 })
  func malformedResponsesAreInvalidInOnePieceAndByteByByte(_ text: String) {
    #expect(kind([Array(text.utf8)]) == .invalidResponse)
    #expect(kind(text.utf8.map { [$0] }) == .invalidResponse)
  }

  @Test(arguments: tooLarge.indices) func whatIsTooLargeIsRefused(_ index: Int) {
    let bytes = Array(Self.tooLarge[index].utf8)
    #expect(kind([bytes]) == .tooLarge)
    let pieces = stride(from: 0, to: bytes.count, by: 1000).map { Array(bytes[$0..<min($0 + 1000, bytes.count)]) }
    #expect(kind(pieces) == .tooLarge)
  }

  @Test func chunksTogetherAreBoundedLikeOneBody() {
    var limits = HTTPResponseReader.Limits()
    limits.body = 10
    var reader = HTTPResponseReader(limits: limits)
    let bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n"
    guard case .failed(let error) = reader.read(ByteBuffer(string: bytes)) else {
      Issue.record("accepted")
      return
    }
    #expect(error.kind == .tooLarge)
  }

  /// What comes of bytes first: a response, an error, or nothing yet.
  private func outcome(_ bytes: [UInt8], piece: Int) -> String {
    var reader = HTTPResponseReader()
    for start in stride(from: 0, to: bytes.count, by: piece) {
      switch reader.read(ByteBuffer(bytes: bytes[start..<min(start + piece, bytes.count)])) {
      case .needsMore: continue
      case .complete(let response):
        return "\(response.status) \(String(buffer: response.headerLines)) \(String(buffer: response.body))"
      case .failed(let error): return error.kind.rawValue
      }
    }
    return "needs more"
  }

  @Test(arguments: 0..<4) func mutatedBytesMeanTheSameInWhateverPiecesTheyCome(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let likely = Array("\r\n: ;0123456789aFHTPcontentlh-,".utf8) + [0, 0x80]
    var outcomes: Set<String> = []
    for _ in 0..<1500 {
      var bytes = Array((HTTPResponseReaderTests.samples.randomElement(using: &random)?.bytes ?? "").utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[index] = likely.randomElement(using: &random) ?? 0
        case 1: bytes.insert(likely.randomElement(using: &random) ?? 0, at: index)
        default: if bytes.count > 1 { bytes.remove(at: index) }
        }
      }
      let whole = outcome(bytes, piece: bytes.count)
      #expect(outcome(bytes, piece: 1) == whole, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
      #expect(outcome(bytes, piece: Int.random(in: 2...50, using: &random)) == whole)
      outcomes.insert(whole)
    }
    #expect(outcomes.count > 20 && outcomes.contains("invalid_response"))
  }

  @Test(arguments: 0..<8) func randomAndMutatedBytesNeverTrap(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var outcomes = (complete: 0, failed: 0)
    for _ in 0..<1500 {
      var bytes: [UInt8]
      if Bool.random(using: &random) {
        bytes = (0..<Int.random(in: 1...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      } else {
        bytes = Array((HTTPResponseReaderTests.samples.randomElement(using: &random)?.bytes ?? "").utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let index = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
          default: if bytes.count > 1 { bytes.remove(at: index) }
          }
        }
      }
      var reader = HTTPResponseReader()
      var rest = bytes[...]
      reading: while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...40, using: &random))
        rest = rest.dropFirst(piece.count)
        switch reader.read(ByteBuffer(bytes: piece)) {
        case .needsMore: continue
        case .complete(let response):
          #expect((100..<600).contains(response.status))
          outcomes.complete += 1
          break reading
        case .failed(let error):
          #expect(error.kind == .invalidResponse || error.kind == .tooLarge)
          outcomes.failed += 1
          break reading
        }
      }
      _ = reader.readEnd()
    }
    #expect(outcomes.complete > 0 && outcomes.failed > 0)
  }
}
