import Foundation
import TestSupport
import Testing
import Transport

/// Answers as real and broken servers give them, read by our own reader on both kinds of loops, and by curl.
///
/// The loops must agree always; curl must agree unless ``CurlDifference/table`` has the reason.
@Suite(.timeLimit(.minutes(5)), .enabled(if: Curl.isAvailable, "needs curl"), .serialized) struct AsCurlTests {
  private static let ok = "HTTP/1.1 200 OK\r\n"
  private static let chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
  private static func long(_ count: Int) -> String { String(repeating: "c", count: count) }

  /// Which RFC 9112 lets a server send, or lets a reader take.
  static let valid = [
    ok + "Content-Length: 2, 2\r\n\r\nok", ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    ok + "Content-Length: 2,\r\n\r\nok", ok + "Content-Length: ,2\r\n\r\nok", ok + "Content-Length:2 \t\r\n\r\nok",
    ok + "Content-Length: 0000000000000000000000000002\r\n\r\nok", ok + "Content-Length:\r\n 2\r\n\r\nok",
    ok + "X: a\r\n b\r\n\tc\r\nContent-Length: 2\r\n\r\nok", ok + "Content-Length: 2\r\n\r\nokextra",
    ok + "Transfer-Encoding:\r\n chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ok + "Transfer-Encoding: chunked,\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    chunked + "0000000000000002\r\nok\r\n00\r\n\r\n", chunked + "000000000000000000002\r\nok\r\n0\r\n\r\n",
    chunked + "2;a=b;c=\"d\"\r\nok\r\n0;x\r\nTrailer: y\r\n\r\n", chunked + "2 ;a\r\nok\r\n0\r\n\r\n",
    chunked + "2\t\r\nok\r\n0\r\nX: y\r\n folded\r\n\r\n", chunked + "2\r\nok\r\n0\r\nno colon\r\n\r\n",
    chunked + "2\r\nok\r\n0\r\n\r\nextra",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok",
    "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\nok",
    "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n",
    "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 205 Reset\r\n\r\nok",
    "HTTP/1.0 200\r\nContent-Type: text/plain\r\n\r\nok", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>ok</html>", ok + "\r\n", ok + "\r\nok",
    ok + "X: \u{e4}\u{ff}\u{80}\r\nContent-Length: 2\r\n\r\nok", ok + "X: a\u{1}b\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 \u{e4}\u{ff}\r\nContent-Length: 2\r\n\r\nok",
    ok + "Set-Cookie: \(long(40_000))\r\nContent-Length: 2\r\n\r\nok",
    ok + "X: \(long(65_490))\r\nContent-Length: 2\r\n\r\nok",
  ]

  /// Which a reader has to refuse, or may.
  static let invalid = [
    ok + "Content-Length: 2, 3\r\n\r\nok", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    ok + "Content-Length: 3\r\nContent-Length: 2\r\n\r\nok", ok + "Content-Length: ,\r\n\r\nok",
    ok + "Content-Length: \r\n\r\nok", ok + "Content-Length: +2\r\n\r\nok", ok + "Content-Length: -2\r\n\r\nok",
    ok + "Content-Length: 2x\r\n\r\nok", ok + "Content-Length: 2 2\r\n\r\nok", ok + "Content-Length: 0x2\r\n\r\nok",
    ok + "Content-Length: 99999999999999999999999\r\n\r\nok", ok + "Content-Length: 18446744073709551618\r\n\r\nok",
    ok + "Content-Length : 2\r\n\r\nokmore", ok + "Content-Length: 5\r\n\r\nok",
    ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ok + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ok + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", ok + "Transfer-Encoding: gzip\r\n\r\nok",
    ok + "Transfer-Encoding: identity\r\n\r\nok", ok + "Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ok + "Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ok + " X: folded first\r\nContent-Length: 2\r\n\r\nok", ok + "Content-Length: 2\n\nok",
    "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok", ok + "X: y\nContent-Length: 2\r\n\r\nok",
    ok + "Content-Length: 2\r\n\nok", "\r\n" + ok + "Content-Length: 2\r\n\r\nok",
    chunked + "2\nok\n0\n\n", chunked + "2\r\nok\n0\r\n\r\n", chunked + "2\r\nok\r\n0\n\n",
    chunked + "2 junk\r\nok\r\n0\r\n\r\n", chunked + "2\r\nokX\r\n0\r\n\r\n", chunked + "g\r\nok\r\n0\r\n\r\n",
    chunked + "\r\nok\r\n0\r\n\r\n", chunked + "+2\r\nok\r\n0\r\n\r\n", chunked + "-2\r\nok\r\n0\r\n\r\n",
    chunked + ";a\r\nok\r\n0\r\n\r\n", chunked + " 2\r\nok\r\n0\r\n\r\n", chunked + "0x2\r\nok\r\n0\r\n\r\n",
    chunked + "FFFFFFFFFFFFFFFFF\r\nok\r\n0\r\n\r\n", chunked + "2;a\rb\r\nok\r\n0\r\n\r\n",
    chunked + "2\r\nok\r\n0\r\n", chunked + "2\r\nok\r\n", chunked + "2\r\no",
    "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok", "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.x 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1\t200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200\tOK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\nok", ok + "Two words: v\r\nContent-Length: 2\r\n\r\nok",
    ok + ": v\r\nContent-Length: 2\r\n\r\nok", ok + "no colon\r\nContent-Length: 2\r\n\r\nok",
    ok + "N\u{e4}me: v\r\nContent-Length: 2\r\n\r\nok", ok + "X: a\u{0}b\r\nContent-Length: 2\r\n\r\nok",
    ok + "X: a\rb\r\nContent-Length: 2\r\n\r\nok", ok + "X: a\r\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 a\u{0}b\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 a\rb\r\nContent-Length: 2\r\n\r\nok",
    ok + "X: y\r\n", ok, "HTTP/1.1 200 O", "H", "", "junk\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
    ok + "X: \(long(70_000))\r\nContent-Length: 2\r\n\r\nok",
    ok + String(repeating: "X: y\r\n", count: 12_000) + "Content-Length: 2\r\n\r\nok",
    ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    ok + "Content-Encoding: x\r\nContent-Length: 2\r\n\r\nok",
  ]

  /// Reads the answers in all ways, and tells what is not explained; our own readings.
  private func compare(_ answers: [PlannedAnswer], _ place: String) async throws -> [Reading] {
    let server = try await AnswerServer(answers)
    let curl = try await server.readByCurl()
    let ours = try await server.read(on: .epoll)
    let onNIO = try await server.read(on: .nio)
    await server.stop()
    for (number, answer) in answers.enumerated() {
      let shown = "\(place) \(number): \(String(answer.text.prefix(300)).debugDescription) cut at \(answer.cuts)"
      let (own, other) = (ours[number], onNIO[number])
      #expect(own.refusalKind == other.refusalKind, "\(shown): \(own) · on NIO: \(other)")
      #expect(own.agrees(with: other) && own.headerLines == other.headerLines, "\(shown): \(own) · on NIO: \(other)")
      guard !own.agrees(with: curl[number]) else { continue }
      let isKnown = try CurlDifference.table.contains {
        try $0.explains(answer.text, ours: own, curl: curl[number])
      }
      #expect(isKnown, "\(shown): \(own) · curl: \(curl[number])")
    }
    return ours
  }

  @Test func answersThatMayBeSentAreTaken() async throws {
    let readings = try await compare(Self.valid.map { PlannedAnswer(text: $0) }, "valid")
    for (number, reading) in readings.enumerated() {
      #expect(reading.refusal == nil, "\(Self.valid[number].prefix(200).debugDescription)")
    }
  }

  @Test func answersThatMayNotBeSentAreRefused() async throws {
    let readings = try await compare(Self.invalid.map { PlannedAnswer(text: $0) }, "invalid")
    for (number, reading) in readings.enumerated() {
      #expect(reading.refusal != nil, "\(Self.invalid[number].prefix(200).debugDescription)")
    }
  }

  /// `INFRABENCH_ANSWER_RUNS` says how many are drawn, `INFRABENCH_ANSWER_SEED` from which seed.
  @Test func mutatedAndSplitAnswersAreReadAsCurlReadsThem() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["INFRABENCH_ANSWER_RUNS"].flatMap { Int($0) } ?? WholeSuite.draws(3000, fast: 500)
    let seed = environment["INFRABENCH_ANSWER_SEED"].flatMap { UInt64($0) } ?? 9112
    var mutator = AnswerMutator(seed: seed)
    let answers = (0..<count).map { _ in mutator.next() }
    let readings = try await compare(answers, "INFRABENCH_ANSWER_SEED=\(seed)")
    // It draws both.
    let taken = readings.count { $0.refusal == nil }
    #expect(taken > count / 5 && taken < count * 4 / 5, "\(taken) of \(count)")
  }
}

extension Reading {
  fileprivate var refusalKind: Substring? { refusal?.prefix { $0 != ":" } }
}
