import Latency
import NIOCore
import TestSupport
import Testing
import Transport

/// TLS of both versions with three servers that nobody here wrote: what is right is taken, and what is wrong is named.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"), .serialized)
struct TLSPeerTests {
  /// The servers that are installed, each with both versions.
  static let peers: [(kind: TLSPeer.Kind, version: TLSPeer.Version)] = TLSPeer.Kind.allCases.filter(\.isAvailable)
    .flatMap { kind in TLSPeer.Version.allCases.map { (kind, $0) } }

  private func connect(
    _ server: TLSPeer, on kind: LoopKind
  ) async throws -> (tls: TLSClient, result: Result<HTTPConnection, TransportError>) {
    let tls = try TLSClient(caFile: server.caFile)
    let result = await HTTPConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: server.port, isSecure: true), tls: tls, on: kind.executor(),
      timeout: 20 * second)
    return (tls, result)
  }

  @Test(arguments: peers, LoopKind.allCases)
  func eachServersAnswersAreReadInBothVersions(
    _ peer: (kind: TLSPeer.Kind, version: TLSPeer.Version), _ kind: LoopKind
  ) async throws {
    let server = try await TLSPeer(peer.kind, peer.version, nil)
    defer { server.stop() }
    let connection = try await connect(server, on: kind).result.get()
    let first = try await connection.get().get().response
    #expect(first.status == 200)
    // `s_server` answers with a page in HTTP/1.0, which ends with its connection.
    guard peer.kind != .openssl else { return #expect(first.body.readableBytes > 100 && !first.keepsConnection) }
    for _ in 1...3 { #expect(await connection.get().bodyText == "ok") }
    #expect(connection.isUsable)
    connection.close()
  }

  @Test(arguments: peers, [FaultyTLSServer.Fault.expired, .notYetValid, .unknownAuthority, .wrongName])
  func aWrongCertificateIsRefusedByName(
    _ peer: (kind: TLSPeer.Kind, version: TLSPeer.Version), _ fault: FaultyTLSServer.Fault
  ) async throws {
    let server = try await TLSPeer(peer.kind, peer.version, fault)
    defer { server.stop() }
    for kind in LoopKind.allCases {
      let error = try #require(try await connect(server, on: kind).result.failure)
      #expect(error.kind == .tls, "\(error)")
      TLSFailureTests.expect(TLSFailureTests.words(for: fault), in: error.message)
    }
  }

  @Test(arguments: peers) func aServerThatWantsACertificateIsNamed(
    _ peer: (kind: TLSPeer.Kind, version: TLSPeer.Version)
  ) async throws {
    let server = try await TLSPeer(peer.kind, peer.version, .wantsCertificate)
    defer { server.stop() }
    for kind in LoopKind.allCases {
      let (tls, result) = try await connect(server, on: kind)
      let error: TransportError
      switch result {
      case .failure(let failure): error = failure
      case .success(let connection) where peer.kind == .nginx:
        // nginx completes the handshake, and refuses by an answer.
        #expect(try await connection.get().get().response.status == 400 && tls.wasAskedInVain)
        continue
      case .success(let connection): error = try #require(await connection.get().failure)
      }
      #expect(error.kind == .clientCertificate, "\(error)")
      TLSFailureTests.expect(TLSFailureTests.words(for: .wantsCertificate), in: error.message)
    }
  }

  private static let head = "HTTP/1.1 200 OK\r\n"

  /// Answers that tell their own length.
  static let complete = [
    head + "Content-Length: 2\r\n\r\nok", head + "Content-Length: 2\r\nConnection: close\r\n\r\nok",
    head + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  ]
  /// Answers that end with their connection, or before their end.
  static let open = [
    head + "\r\nok", "HTTP/1.0 200 OK\r\n\r\nok", head + "Content-Length: 3\r\n\r\nok",
    head + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", head,
  ]

  /// Without the farewell anybody on the way may have cut the bytes off: an answer is whole then only by its own word.
  @Test(
    .enabled(if: TLSPeer.Kind.python.isAvailable, "needs Python; INFRABENCH_PYTHON names an interpreter"),
    arguments: LoopKind.allCases, TLSPeer.Version.allCases)
  func anAnswerThatEndsWithoutFarewellIsWholeByItsLengthAlone(
    _ kind: LoopKind, _ version: TLSPeer.Version
  ) async throws {
    let answers = Self.complete + Self.open
    let server = try await TLSPeer(.python, version, nil, answers: answers)
    defer { server.stop() }
    for (number, answer) in answers.enumerated() {
      for ending in [TLSPeer.End.farewell, .abrupt] {
        let connection = try await connect(server, on: kind).result.get()
        let request = ByteBuffer(string: "GET /\(ending.rawValue)/\(number) HTTP/1.1\r\nHost: test\r\n\r\n")
        let result = await connection.exchange(request, timeout: 20 * second)
        let isWhole = number < Self.complete.count || ending == .farewell && Self.endsWithItsConnection(answer)
        let place: Comment = "\(answer.debugDescription) \(ending): \(result)"
        if isWhole {
          #expect(result.bodyText == "ok", place)
        } else {
          let error = try #require(result.failure, place)
          #expect(error.kind == .closed, place)
          if ending == .abrupt { #expect(error.message.contains("without the farewell of TLS"), place) }
        }
        #expect(await connection.becomesUnusable(), place)
      }
    }
  }

  private static func endsWithItsConnection(_ answer: String) -> Bool {
    answer.hasSuffix("\r\n\r\nok") && !answer.contains("Length")
  }
}
