import Foundation
import Latency
import NIOCore
import TestSupport
import Testing
import Transport

/// What a reader made of one answer.
struct Reading: Sendable, CustomStringConvertible {
  var status = 0
  var body: [UInt8] = []
  /// Our own reader's header lines; empty of curl.
  var headerLines: [UInt8] = []
  /// Why the answer was not taken; nil where it was.
  var refusal: String?

  var description: String {
    refusal.map { "refused: \($0)" } ?? "\(status) \(String(decoding: body.prefix(80), as: UTF8.self).debugDescription)"
  }

  /// Whether both took the same, or both took nothing.
  func agrees(with other: Reading) -> Bool {
    guard refusal == nil, other.refusal == nil else { return (refusal == nil) == (other.refusal == nil) }
    return status == other.status && body == other.body
  }
}

/// An answer as bytes, each a Unicode scalar below 256 (Latin-1), and the pieces in which a server sends it.
struct PlannedAnswer: Sendable {
  var text: String
  /// Where it is cut, and after how many ms the rest follows.
  var cuts: [(at: Int, pause: Int)] = []

  var bytes: [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

  /// Sends all of it, and closes the connection, so that every reader knows at once what there is.
  var actions: [ScriptedServer.Action] {
    let bytes = bytes
    var actions: [ScriptedServer.Action] = []
    var begin = 0
    for cut in cuts where cut.at > begin && cut.at < bytes.count {
      actions += [.bytes(Array(bytes[begin..<cut.at])), .wait(.milliseconds(cut.pause))]
      begin = cut.at
    }
    return actions + [.bytes(Array(bytes[begin...])), .close]
  }
}

/// A server of many answers: `GET /n` gets the one of number n.
struct AnswerServer {
  let answers: [PlannedAnswer]
  private let server: ScriptedServer

  init(_ answers: [PlannedAnswer]) async throws {
    self.answers = answers
    let scripts = answers.map(\.actions)
    server = try await ScriptedServer { request in
      scripts[Int(request.head.dropFirst("GET /".count).prefix { $0.isNumber }) ?? 0]
    }
  }

  func stop() async { await server.stop() }

  /// What curl makes of each: one process for all of them.
  func readByCurl() async throws -> [Reading] {
    var readings: [Reading] = []
    while readings.count < answers.count {
      let scratch = try ScratchDirectory()
      let rest = readings.count..<answers.count
      let transfers = rest.map {
        "url = \"http://answer-\($0).test/\($0)\"\noutput = \"\(scratch.path)/\($0)\"\n"
      }
      // A host of its own for each answer keeps curl from using a connection again whose end it has not read.
      let settings = """
        silent
        noproxy = "*"
        connect-to = "::127.0.0.1:\(server.port)"
        max-time = 60
        write-out = "%{exitcode} %{http_code}\\n"

        """
      let process = Process()
      process.executableURL = URL(filePath: Curl.path)
      process.arguments = ["--config", try scratch.write("config", settings + transfers.joined())]
      let lines = try await process.outcome().output.split(separator: "\n")
      for (number, line) in zip(rest, lines) {
        let words = line.split(separator: " ").compactMap { Int($0) }
        try #require(words.count == 2, "curl says '\(line)'")
        let body = FileManager.default.contents(atPath: "\(scratch.path)/\(number)") ?? Data()
        readings.append(
          Reading(
            status: words[1], body: Array(body), refusal: words[0] == 0 ? nil : "curl ends with status \(words[0])"))
      }
      // Some of its errors make curl leave the other transfers out: they get a process of their own.
      try #require(!lines.isEmpty, "curl says nothing")
    }
    return readings
  }

  /// What our own reader makes of each, on loops of one kind.
  func read(on kind: LoopKind) async throws -> [Reading] {
    let server = server
    var readings: [Reading] = []
    for begin in stride(from: 0, to: answers.count, by: 16) {
      let numbers = begin..<min(begin + 16, answers.count)
      readings += try await withThrowingTaskGroup(of: (Int, Reading).self) { group in
        for number in numbers {
          group.addTask {
            let connection = try await HTTPConnection.open(server.port, on: kind.executor(number))
            let request = ByteBuffer(string: "GET /\(number) HTTP/1.1\r\nHost: test\r\n\r\n")
            let result = await connection.exchange(request, timeout: 60 * second)
            connection.close()
            return (number, Reading(result))
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
      }
    }
    return readings
  }
}

extension Reading {
  init(_ result: Result<HTTPExchange, TransportError>) {
    switch result {
    case .failure(let error): refusal = "\(error)"
    case .success(let exchange):
      status = exchange.response.status
      body = Array(exchange.response.body.readableBytesView)
      headerLines = Array(exchange.response.headerLines.readableBytesView)
    }
  }
}

enum Curl {
  static let path = "/usr/bin/curl"
  static let isAvailable = FileManager.default.isExecutableFile(atPath: path)
}
