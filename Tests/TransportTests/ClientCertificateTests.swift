import Foundation
import Latency
import NIOCore
import TestSupport
import Testing
import Transport

/// Certificates that a client shows, against servers that nobody here wrote.
@Suite(.timeLimit(.minutes(2)), .enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"), .serialized)
struct ClientCertificateTests {
  private static let files = Result { try ClientCertificates() }

  private var files: ClientCertificates { get throws { try Self.files.get() } }

  private static var servers: [CertificateServer.Kind] {
    CertificateServer.Kind.allCases.filter(CertificateServer.isAvailable)
  }

  /// Reads the two files, and what is wrong with them.
  private func problems(_ certificate: String, _ key: String) -> [ClientCertificate.Problem] {
    do throws(ClientCertificate.Problems) {
      _ = try ClientCertificate(certificateFile: certificate, keyFile: key)
      return []
    } catch {
      return error.all
    }
  }

  private func get(_ port: Int, _ tls: TLSClient) async throws -> Result<HTTPExchange, TransportError> {
    let connected = await HTTPConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: port, isSecure: true), tls: tls, on: testLoops.executor(forUser: 0),
      timeout: 20 * second)
    switch connected {
    case .failure(let error): return .failure(error)
    case .success(let connection):
      defer { connection.close() }
      return await connection.get()
    }
  }

  private func upgrade(_ port: Int, _ tls: TLSClient) async -> WebSocketError? {
    do throws(WebSocketError) {
      try await WebSocketConnection.connect(
        to: Endpoint(host: "127.0.0.1", port: port, isSecure: true), path: "/", tls: tls,
        on: testLoops.executor(forUser: 0).eventLoop
      ).close()
      return nil
    } catch {
      return error
    }
  }

  // MARK: What is wrong with the files

  @Test func wrongFilesAreNamedTogether() throws {
    let files = try files
    let empty = try files.write("empty.pem", "")
    for wrong in ["/nonexistent", empty, "/tmp"] {
      let problems = problems(wrong, wrong)
      #expect(problems.map(\.option) == ["--cert", "--key"], "\(wrong): \(problems)")
    }
    #expect(problems(files.chain, "/nonexistent").first?.reason.contains("cannot be read") == true)
    #expect(problems(files.key, files.key).first?.reason.contains("holds no certificate in PEM") == true)
    #expect(problems(files.chain, files.chain).first?.reason.contains("holds no private key in PEM") == true)
  }

  @Test func anEncryptedKeyIsNamedWithTheWayToDecryptIt() throws {
    let files = try files
    for key in files.encryptedKeys {
      let problem = problems(files.chain, key).first
      #expect(problem?.option == "--key" && problem?.reason.contains("openssl pkey -in FILE -out key.pem") == true)
    }
  }

  @Test func theKeyOfAnotherCertificateIsNamed() throws {
    let files = try files
    let problem = problems(files.chain, files.strangerKey).first
    #expect(problem?.option == "--key" && problem?.reason.contains("is not the key of the first certificate") == true)
  }

  @Test func oneFileMayHoldBoth() throws {
    let files = try files
    let both = try [files.key, files.chain].map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
    let path = try files.write("both.pem", both)
    #expect(problems(path, path) == [])
  }

  // MARK: Servers that want one

  @Test(arguments: servers) func aServerThatWantsOneTakesIt(_ kind: CertificateServer.Kind) async throws {
    let files = try files
    let server = try CertificateServer(kind, files)
    defer { server.stop() }
    let certificate = try ClientCertificate(certificateFile: files.chain, keyFile: files.key)
    let tls = try TLSClient(caFile: files.authority, certificate: certificate)
    #expect(try await get(server.port, tls).get().response.status == 200)
    // The page is its answer to an upgrade too.
    guard case .upgradeRefused(let refusal)? = await upgrade(server.port, tls) else {
      Issue.record("no answer to the upgrade")
      return
    }
    #expect(refusal.response.status == 200)
  }

  @Test(arguments: servers) func withoutOneTheErrorSaysWhatToGive(_ kind: CertificateServer.Kind) async throws {
    let files = try files
    let server = try CertificateServer(kind, files)
    defer { server.stop() }
    let tls = try TLSClient(caFile: files.authority)
    let error = try #require(try await get(server.port, tls).failure)
    #expect(error.kind == .clientCertificate && error.message.contains("--cert and --key"), "\(error)")
    guard case .clientCertificate(let words)? = await upgrade(server.port, tls) else {
      Issue.record("not said to the WebSocket")
      return
    }
    #expect(words.contains("--cert and --key"))
  }

  @Test(arguments: servers.filter { $0 != .node }, ["stranger", "leaf"])
  func oneOfAnUnknownAuthorityIsRefusedByName(_ kind: CertificateServer.Kind, _ name: String) async throws {
    let files = try files
    let server = try CertificateServer(kind, files)
    defer { server.stop() }
    let (path, key) = name == "stranger" ? (files.stranger, files.strangerKey) : (files.leaf, files.key)
    let tls = try TLSClient(
      caFile: files.authority, certificate: try ClientCertificate(certificateFile: path, keyFile: key))
    let error = try #require(try await get(server.port, tls).failure)
    #expect(error.kind == .clientCertificate && error.message.contains("check --cert and --key"), "\(error)")
    #expect(!error.message.contains("was shown none"))
  }

  @Test func aServerThatWantsNoneIsNotToldOfOne() async throws {
    let certificate = try TestCertificate(names: "IP:127.0.0.1")
    let server = try await ScriptedServer(tls: certificate.server) { _ in [.close] }
    let error = try #require(try await get(server.port, TLSClient(caFile: certificate.path)).failure)
    #expect(error.kind == .closed, "\(error)")
    await server.stop()
  }
}
