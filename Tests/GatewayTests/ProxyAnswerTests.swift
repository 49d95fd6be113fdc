import Foundation
import Gateway
import TestSupport
import Testing
import Transport

/// What proxies and balancers answer before a gateway, and what the error says to do about it.
@Suite(.timeLimit(.minutes(2))) struct ProxyAnswerTests {
  private func failure(
    _ port: Int, headers: [(name: String, value: String)] = [], basePath: String = ""
  ) async -> GatewayError? {
    let client = GatewayClientTests.client(port, headers: headers, basePath: basePath)
    defer { client.close() }
    guard case .failed(let error, _) = await client.acquire(userID: "user") else { return nil }
    return error
  }

  private func failure(
    of answer: String, headers: [(name: String, value: String)] = []
  ) async throws -> GatewayError {
    let server = try await ScriptedServer { _ in [.send(answer)] }
    let error = await failure(server.port, headers: headers)
    await server.stop()
    return try #require(error)
  }

  @Test(arguments: [301, 302, 303, 307, 308])
  func aRedirectNamesItsPlaceWithoutItsQuery(_ status: Int) async throws {
    let location = "https://login.example/start?token=secret"
    let error = try await failure(
      of: "HTTP/1.1 \(status) Moved\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
    #expect(error.kind.rawValue == "http_\(status)")
    #expect(error.message.contains("'https://login.example/start'") && error.message.contains("--gateway-url"))
    #expect(!error.message.contains("secret"))
  }

  @Test(arguments: [401, 403]) func aRefusalNamesTheHeadersThatWereSent(_ status: Int) async throws {
    let answer = "HTTP/1.1 \(status) No\r\nContent-Length: 2\r\n\r\nno"
    let bare = try await failure(of: answer)
    #expect(bare.message.contains("no header of yours was sent") && bare.message.contains("--token-file"))
    let sent = try await failure(of: answer, headers: [("Authorization", "Bearer secret"), ("X-Team", "a")])
    #expect(sent.message.contains("'Authorization', 'X-Team'"))
    #expect(!sent.message.contains("secret"))
  }

  @Test func aJSONErrorOfTheGatewayIsNotTakenForAProxys() async throws {
    let body = #"{"error": "busy"}"#
    let error = try await failure(
      of: "HTTP/1.1 503 No\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    #expect(error.message == "status 503: \(body)")
  }

  @Test func anAddressIsShownWithoutItsSecrets() async throws {
    for address in ["https://u:secret@login.example/x?t=secret", "https://login.example/x#access_token=secret"] {
      let error = try await failure(of: "HTTP/1.1 302 Moved\r\nLocation: \(address)\r\nContent-Length: 0\r\n\r\n")
      #expect(error.message.contains("'https://login.example/x'"), "\(error.message)")
    }
  }

  @Test func whatAGatewayItselfSaysIsKept() async throws {
    let timeout = #"{"error":"task did not start"}"#
    let said = try await failure(of: "HTTP/1.1 408 T\r\nContent-Length: \(timeout.utf8.count)\r\n\r\n\(timeout)")
    #expect(said.message == "status 408: \(timeout)")
    let page =
      "<html><head><title>Error</title></head><body><pre>ServiceUnavailableError: pool is being warmed</pre></body>"
    let express = try await failure(
      of:
        "HTTP/1.1 503 S\r\nX-Powered-By: Express\r\nContent-Type: text/html\r\nContent-Length: \(page.utf8.count)\r\n\r\n\(page)"
    )
    #expect(express.message.contains("ServiceUnavailableError: pool is being warmed"), "\(express.message)")
    #expect(!express.message.contains("from a proxy ("))
  }

  @Test func pagesOfForeignBytesAreShownAsPlainText() async throws {
    let body = "<html><title>\u{1b}[31m502\n Bad</title></html>"
    let error = try await failure(of: "HTTP/1.1 502 No\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    #expect(error.message.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
  }

  @Test(arguments: [
    ("400 No required SSL certificate was sent", 400, "was shown none: give one with --cert and --key"),
    ("400 The SSL certificate error", 400, "refused the client certificate: check --cert and --key"),
    ("whatever", 495, "refused the client certificate"), ("whatever", 496, "was shown none"),
  ])
  func aPageThatWantsAClientCertificateIsAKindOfItsOwn(_ title: String, _ status: Int, _ words: String) async throws {
    let page = "<html><head><title>\(title)</title></head></html>"
    let error = try await failure(
      of: "HTTP/1.1 \(status) No\r\nServer: nginx\r\nContent-Type: text/html\r\n"
        + "Content-Length: \(page.utf8.count)\r\n\r\n\(page)")
    #expect(error.kind.rawValue == "client_certificate" && error.message.contains(words), "\(error)")
  }

  @Test func aBadRequestOfAnotherReasonIsNotTakenForThat() async throws {
    let page = "<html><title>400 Bad Request</title></html>"
    let error = try await failure(of: "HTTP/1.1 400 No\r\nContent-Length: \(page.utf8.count)\r\n\r\n\(page)")
    #expect(error.kind.rawValue == "http_400")
  }

  @Test func anAnswerWithoutABodyHasNoEmptyWords() async throws {
    let error = try await failure(of: "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    #expect(error.message == "status 500")
  }

  /// nginx before a gateway that is not there, that is mute, and that wants something else.
  @Suite(.timeLimit(.minutes(2)), .enabled(if: ForeignProxy.nginx != nil, "needs nginx: scripts/setup.sh peers"))
  struct BehindNginx {
    private func failure(_ server: ForeignProxy, _ path: String) async throws -> GatewayError {
      try #require(await ProxyAnswerTests().failure(server.port, basePath: path))
    }

    @Test func itsPagesAreNamedAsAProxys() async throws {
      // It takes requests and answers none.
      let mute = try await ScriptedServer { _ in [] }
      let closing = try await ScriptedServer { _ in [.close] }
      let server = try await ForeignProxy.nginx(
        """
        location /closing/ { proxy_pass http://127.0.0.1:\(closing.port); }
        location /mute/ { proxy_pass http://127.0.0.1:\(mute.port); proxy_read_timeout 1s; }
        location /down/ { return 503; }
        location /moved/ { return 302 https://login.example/?token=secret; }
        location /closed/ { return 403; }
        """)
      let expected = [
        ("closing", "http_502", "got no proper answer"), ("mute", "http_504", "did not wait any longer"),
        ("down", "http_503", "nothing behind it"), ("moved", "http_302", "no redirect is followed"),
        ("closed", "http_403", "no header of yours was sent"),
      ]
      for (path, kind, words) in expected {
        let error = try await failure(server, "/\(path)")
        #expect(error.kind.rawValue == kind, "\(path)")
        #expect(error.message.contains(words), "\(path): \(error.message)")
        if kind.hasPrefix("http_50") { #expect(error.message.contains("from a proxy (nginx/"), "\(error.message)") }
      }
      #expect(server.log.count == expected.count)
      server.stop()
      await mute.stop()
      await closing.stop()
    }
  }
}
