import AWSTestSupport
import Latency
import TestSupport
import Testing

@testable import AWS

@Suite(.enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"), .timeLimit(.minutes(1)))
struct TLSTests {
  static func withServer(
    _ names: String = "IP:127.0.0.1", _ body: (_ url: String, TestCertificate) async throws -> Void
  ) async throws {
    let certificate = try TestCertificate(names: names)
    let server = try await ScriptedServer(tls: certificate.server) { _ in [ScriptedServer.answer("secured")] }
    do {
      try await body("https://127.0.0.1:\(server.port)/", certificate)
      await server.stop()
    } catch {
      await server.stop()
      throw error
    }
  }

  static func error(_ url: String, bundle: String?) async -> TransferError? {
    do throws(TransferError) {
      _ = try await CurlTransport(options: .init(certificateBundle: bundle)).send(HTTPRequest(method: .get, url: url))
      return nil
    } catch { return error }
  }

  @Test func anUnknownAuthorityIsRefusedAndOneOfTheBundleIsTrusted() async throws {
    try await TLSTests.withServer { url, certificate in
      let refusal = await TLSTests.error(url, bundle: nil)
      #expect(refusal?.kind == .tls && refusal?.isTransient == false, "\(String(describing: refusal))")

      let transport = try CurlTransport(options: .init(certificateBundle: certificate.path))
      let first = try await transport.send(HTTPRequest(method: .get, url: url))
      #expect(first.body == Array("secured".utf8))
      let timings = first.timings
      let connected = (timings.nameLookup ?? 0) + (timings.connect ?? 0)
      let secured = connected + (try #require(timings.tls))
      #expect(connected < secured && secured <= timings.firstByte && timings.firstByte <= timings.total)
      let second = try await transport.send(HTTPRequest(method: .get, url: url)).timings
      #expect(second.reusedConnection && second.tls == nil)
    }
  }

  @Test func aCertificateOfAnotherNameIsRefusedThoughTheBundleHasIt() async throws {
    try await TLSTests.withServer("DNS:other.example") { url, certificate in
      #expect(await TLSTests.error(url, bundle: certificate.path)?.kind == .tls)
    }
  }

  /// The bundle replaces the system's authorities, as in other AWS tools.
  @Test func anotherBundleDoesNotTrustIt() async throws {
    let other = try TestCertificate(names: "DNS:other.example")
    try await TLSTests.withServer { url, _ in
      #expect(await TLSTests.error(url, bundle: other.path)?.kind == .tls)
    }
  }

  @Test func aBundleThatCannotBeUsedIsNamedWithItsVariable() async throws {
    let scratch = try ScratchDirectory()
    let empty = try scratch.write("empty.pem", "no certificate")
    try await TLSTests.withServer { url, _ in
      for path in ["/nonexistent/ca.pem", empty] {
        let error = try #require(await TLSTests.error(url, bundle: path))
        #expect(error.kind == .tls)
        #expect(error.message.contains("AWS_CA_BUNDLE") && error.message.contains(path), "\(error)")
      }
    }
  }

  @Test func theVariableReachesTheCallAndItsError() async throws {
    try await TLSTests.withServer { url, certificate in
      for (bundle, isTrusted) in [(certificate.path, true), ("/nonexistent/ca.pem", false)] {
        let environment = [
          "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1",
          "AWS_ENDPOINT_URL_ECS": url, "AWS_CA_BUNDLE": bundle,
        ]
        let configuration = try AWSConfiguration.resolve(flags: .init(), environment: environment) { _ in nil }
        let client = ECSClient(
          configuration: configuration,
          transport: try CurlTransport(options: .init(certificateBundle: configuration.certificateBundle)),
          environment: .system { _ in })
        let error = await awsError { _ = try await client.listTasks(.init()) }
        #expect(error?.kind == (isTrusted ? .malformedAnswer : .transfer))
        #expect(isTrusted || error?.description.contains("AWS_CA_BUNDLE") == true)
      }
    }
  }

  @Test(arguments: FaultyTLSServer.Fault.allCases) func theReasonIsNamedInWordsOfUsers(
    fault: FaultyTLSServer.Fault
  ) async throws {
    let server = try FaultyTLSServer(fault)
    defer { server.stop() }
    let error = try #require(await TLSTests.error("https://127.0.0.1:\(server.port)/", bundle: server.caFile))
    #expect(error.kind == .tls && !error.isTransient, "\(error)")
    let words =
      switch fault {
      case .expired: "its certificate, or one of its authorities', has expired"
      case .notYetValid: "its certificate is not yet valid: check this machine's clock"
      case .unknownAuthority: "its certificate is signed by an authority that is not trusted here"
      case .wrongName: "its certificate is for other.example, 192.0.2.7, not for 127.0.0.1"
      case .wantsCertificate: "the server asks for a client certificate"
      case .wantsCertificateInTLS12: "the server broke the handshake off: it asks for a client certificate, or"
      case .plain: "what listens there does not speak TLS: is it http instead of https?"
      }
    #expect(error.message.contains(words))
    for part in ["routines", "OpenSSL", "errno", ".c:", "/", "error:"] {
      #expect(!error.message.contains(part), "\(error)")
    }
  }
}
