import Latency
import NIOCore
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(1)), .enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"))
struct TLSTests {
  private static let answer: @Sendable (ScriptedServer.Request) -> [ScriptedServer.Action] = { _ in
    [ScriptedServer.answer("secret")]
  }

  private func attempt(_ certificate: TestCertificate, _ tls: TLSClient, host: String = "127.0.0.1") async throws
    -> Result<String, TransportError>
  {
    let server = try await ScriptedServer(tls: certificate.server, Self.answer)
    let connected = await HTTPConnection.connect(
      to: Endpoint(host: host, port: server.port, isSecure: true), tls: tls, on: testLoops.executor(forUser: 0),
      timeout: 20 * second)
    let result: Result<String, TransportError>
    switch connected {
    case .failure(let error): result = .failure(error)
    case .success(let connection):
      let phases = connection.phases
      let securedAt = try #require(phases.securedAt)
      #expect(phases.startedAt <= securedAt)
      result = await connection.get().map { String(buffer: $0.response.body) }
      connection.close()
    }
    await server.stop()
    return result
  }

  @Test func anUnknownCertificateIsRefusedByDefault() async throws {
    let certificate = try TestCertificate(names: "IP:127.0.0.1,DNS:localhost")
    #expect(try await attempt(certificate, TLSClient()).failure?.kind == .tls)
  }

  @Test(arguments: ["127.0.0.1", "localhost"]) func theCAFileMakesItKnown(_ host: String) async throws {
    let certificate = try TestCertificate(names: "IP:127.0.0.1,DNS:localhost")
    #expect(try await attempt(certificate, TLSClient(caFile: certificate.path), host: host) == .success("secret"))
  }

  @Test(arguments: ["127.0.0.1", "localhost"]) func aWrongNameIsRefusedEvenOfAKnownCertificate(_ host: String)
    async throws
  {
    let certificate = try TestCertificate(names: "DNS:other.example")
    #expect(try await attempt(certificate, TLSClient(caFile: certificate.path), host: host).failure?.kind == .tls)
  }

  @Test func insecureAcceptsAnything() async throws {
    let certificate = try TestCertificate(names: "DNS:other.example")
    #expect(try await attempt(certificate, TLSClient(insecure: true)) == .success("secret"))
  }

  @Test func aServerWithoutTLSIsNamed() async throws {
    // It stays open: a close that meets the client's hello would reset the connection, and the greeting be lost.
    let server = try await ScriptedServer(greeting: [.send("HTTP/1.1 400 Bad Request\r\n\r\n")]) { _ in [] }
    let tls = try TLSClient(insecure: true)
    // Often: whether the greeting is read before or after the connect is told is a race.
    for _ in 1...20 {
      let connected = await HTTPConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: server.port, isSecure: true), tls: tls,
        on: testLoops.executor(forUser: 0), timeout: 20 * second)
      #expect(connected.failure?.kind == .tls, "\(connected)")
    }
    await server.stop()
  }

  @Test func aMuteHandshakeIsAConnectTimeout() async throws {
    let server = try await ScriptedServer { _ in [] }
    let connected = await HTTPConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: server.port, isSecure: true), tls: try TLSClient(insecure: true),
      on: testLoops.executor(forUser: 0), timeout: .milliseconds(50))
    #expect(connected.failure?.kind == .connectTimeout)
    await server.stop()
  }

  /// TLS closes with a farewell that takes a while: meanwhile the channel is still active.
  @Test func aConnectionThatTimedOutIsUnusableAtOnceAndKeepsNoLateAnswer() async throws {
    let certificate = try TestCertificate(names: "IP:127.0.0.1")
    let server = try await ScriptedServer(tls: certificate.server) {
      $0.number == 1 ? [.wait(.seconds(5)), ScriptedServer.answer("late")] : []
    }
    let tls = try TLSClient(caFile: certificate.path)
    try await onLoop {
      let connection = try await HTTPConnection.open(server.port, tls: tls)
      #expect(await connection.get(timeout: .milliseconds(20)).failure?.kind == .timeout)
      #expect(!connection.isUsable)
      #expect(await connection.get(timeout: 2 * second).failure?.kind == .closed)
    }
    await server.stop()
  }

  @Test func aFileWithoutCertificatesIsRefused() throws {
    let scratch = try ScratchDirectory()
    let empty = try scratch.write("empty.pem", "no certificate\n")
    for path in [empty, "\(scratch.path)/missing.pem", scratch.path] {
      #expect {
        try TLSClient(caFile: path)
      } throws: {
        ($0 as? TransportError)?.kind == .tls
      }
    }
  }
}
