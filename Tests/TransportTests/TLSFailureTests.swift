import Latency
import NIOCore
import TestSupport
import Testing
import Transport

/// What is said of a peer whose TLS is wrong, over HTTP and over WebSocket.
@Suite(.timeLimit(.minutes(2)), .enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"), .serialized)
struct TLSFailureTests {
  static func words(for fault: FaultyTLSServer.Fault) -> String {
    switch fault {
    case .expired: "its certificate expired at 2021-01-01T00:00:00Z"
    case .notYetValid: "its certificate is valid only from 2100-01-01T00:00:00Z on: check this machine's clock"
    case .unknownAuthority: "its certificate is signed by an authority that is not trusted here"
    case .wrongName: "its certificate is for other.example, 192.0.2.7, not for 127.0.0.1"
    case .wantsCertificate, .wantsCertificateInTLS12:
      "the server asks for a client certificate and was shown none: give one with --cert and --key"
    case .plain: "what listens there does not speak TLS: is it http instead of https?"
    }
  }

  /// The reason, and nothing of the library's build or of its ways.
  static func expect(
    _ words: String, in message: String, sourceLocation location: SourceLocation = #_sourceLocation
  ) {
    #expect(message.contains(words), sourceLocation: location)
    for part in ["OPENSSL", "BoringSSL", "SSLError", ".cc", ".c:", "/", "error:"] {
      #expect(!message.contains(part), "\(message)", sourceLocation: location)
    }
  }

  @Test(arguments: FaultyTLSServer.Fault.allCases) func overHTTPTheReasonIsNamed(fault: FaultyTLSServer.Fault)
    async throws
  {
    let server = try FaultyTLSServer(fault)
    defer { server.stop() }
    let connected = await HTTPConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: server.port, isSecure: true), tls: try TLSClient(caFile: server.caFile),
      on: testLoops.executor(forUser: 0), timeout: 20 * second)
    let error: TransportError
    switch connected {
    case .failure(let failure): error = failure
    // With TLS 1.3 a client learns only after its handshake that its certificate was wanted.
    case .success(let connection): error = try #require(await connection.get().failure)
    }
    #expect(error.kind == (fault.isOfClientCertificate ? .clientCertificate : .tls), "\(error)")
    Self.expect(Self.words(for: fault), in: error.message)
  }

  @Test(arguments: FaultyTLSServer.Fault.allCases) func overWebSocketTheReasonIsNamed(fault: FaultyTLSServer.Fault)
    async throws
  {
    let server = try FaultyTLSServer(fault)
    defer { server.stop() }
    do {
      _ = try await WebSocketConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: server.port, isSecure: true), path: "/",
        tls: try TLSClient(caFile: server.caFile), on: testLoops.executor(forUser: 0).eventLoop)
      Issue.record("a WebSocket in spite of \(fault)")
    } catch let error as WebSocketError {
      let reason: String
      switch error {
      case .tls(let words) where !fault.isOfClientCertificate: reason = words
      case .clientCertificate(let words) where fault.isOfClientCertificate: reason = words
      default:
        Issue.record("\(error)")
        return
      }
      Self.expect(Self.words(for: fault), in: reason)
    }
  }
}

extension FaultyTLSServer.Fault {
  fileprivate var isOfClientCertificate: Bool { [.wantsCertificate, .wantsCertificateInTLS12].contains(self) }
}
