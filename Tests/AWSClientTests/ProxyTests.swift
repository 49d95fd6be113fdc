import AWSTestSupport
import Foundation
import Testing

@testable import AWSClient

@Suite struct ProxyTests {
  /// In a process of its own, as the environment belongs to the whole process.
  @Test func theEnvironmentsProxyIsUsedButNeverForLoopback() async {
    await #expect(processExitsWith: .success) {
      try await HTTPTestServer.run { request in
        .answer(status: 200, body: Array((request.header("host") ?? "").utf8))
      } _: { (server) async throws -> Void in
        setenv("http_proxy", server.url, 1)
        let transport = try CurlTransport()
        // A documentation address (RFC 5737): only a proxy can have answered for it.
        let proxied = try await transport.send(HTTPRequest(method: .get, url: "http://192.0.2.1/"))
        #expect(String(decoding: proxied.body, as: UTF8.self) == "192.0.2.1")
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        let direct = try await transport.send(HTTPRequest(method: .get, url: server.url))
        #expect(direct.status == 200)
        let refused = await CurlTransportTests.code {
          _ = try await transport.send(HTTPRequest(method: .get, url: "http://192.0.2.1/"))
        }
        #expect(refused == .connect)
      }
    }
  }
}
