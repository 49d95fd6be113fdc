import AWSTestSupport
import Foundation
import Latency
import Testing

@testable import AWS

/// Each in a process of its own, as the environment belongs to the whole process.
@Suite struct ProxyTests {
  /// A documentation address (RFC 5737): only a proxy can have answered for it.
  static let far = "http://192.0.2.1/"

  @Test func theEnvironmentsProxyIsUsedButNeverForLoopback() async {
    await #expect(processExitsWith: .success) {
      try await HTTPTestServer.run { request in
        .answer(status: 200, body: Array((request.header("host") ?? "").utf8))
      } _: { (server) async throws -> Void in
        setenv("http_proxy", server.url, 1)
        let transport = try CurlTransport()
        let proxied = try await transport.send(HTTPRequest(method: .get, url: ProxyTests.far))
        #expect(String(decoding: proxied.body, as: UTF8.self) == "192.0.2.1")
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        setenv("all_proxy", "http://127.0.0.1:1", 1)
        let direct = try await transport.send(HTTPRequest(method: .get, url: server.url))
        #expect(direct.status == 200)
        let refused = await CurlTransportTests.code {
          _ = try await transport.send(HTTPRequest(method: .get, url: ProxyTests.far))
        }
        #expect(refused == .connect)
      }
    }
  }

  @Test func noProxyNamesHostsThatAreReachedDirectly() async {
    await #expect(processExitsWith: .success) {
      try await HTTPTestServer.run { _ in
        .answer(status: 200)
      } _: { (server) async throws -> Void in
        setenv("http_proxy", server.url, 1)
        setenv("no_proxy", "direct.invalid,.inside.invalid", 1)
        // Longer than a resolver that hears nothing takes to give up.
        let transport = try CurlTransport(options: .init(connectTimeout: .seconds(25)))
        // No name below .invalid has an address (RFC 6761): asked directly they are not found.
        for host in ["direct.invalid", "ecs.inside.invalid"] {
          let code = await CurlTransportTests.code {
            _ = try await transport.send(HTTPRequest(method: .get, url: "http://\(host)/"))
          }
          #expect(code == .nameLookup)
        }
        #expect(try await transport.send(HTTPRequest(method: .get, url: "http://other.invalid/")).status == 200)
      }
    }
  }

  @Test func httpsGoesThroughATunnelThatTheProxyMayRefuse() async {
    await #expect(processExitsWith: .success) {
      try await HTTPTestServer.run { request in
        request.method == "CONNECT" ? .answer(status: 403) : .answer(status: 200)
      } _: { (server) async throws -> Void in
        setenv("HTTPS_PROXY", server.url.replacingOccurrences(of: "http://", with: "http://user:pr0xy-secret@"), 1)
        let client = try makeClient(
          CurlTransport(), endpoint: "https://ecs.eu-west-1.invalid", environment: .system { _ in })
        let error = await awsError { _ = try await client.listTasks(.init(), retry: .never) }
        #expect(error?.kind == .transfer && server.connectionCount == 1)
        #expect(error?.transfer?.message.contains("403") == true, "\(String(describing: error))")
        #expect(error?.description.contains("pr0xy-secret") == false)
      }
    }
  }
}
