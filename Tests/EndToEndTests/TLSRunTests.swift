import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// A gateway behind TLS whose certificate nobody knows.
@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: TLSProxy.isAvailable, "needs /usr/bin/openssl"))
struct TLSRunTests {
  private func run(
    _ tool: String, _ options: (TLSProxy) -> [String]
  ) async throws -> (result: BenchResult, url: String) {
    let gateway = try await MockGateway.start()
    let proxy = try await TLSProxy(to: gateway.url)
    let load = tool == "bench-concurrent" ? ["--concurrency", "2"] : ["--count", "2"]
    let result = try await BenchRun.run(
      tool, load + options(proxy) + ["--no-default-thresholds", "--threshold", "errors == 0", "--timeout", "5s"])
    await proxy.stop()
    await gateway.stop()
    return (result, proxy.url)
  }

  @Test(arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"])
  func unknownCertificateIsRefused(_ tool: String) async throws {
    let (result, _) = try await run(tool) { ["--gateway-url", $0.url] }
    #expect(result.status == .exited(1))
    let document = try result.document()
    #expect(document.errors.map(\.kind) == [tool == "bench-e2e" ? "connect: tls" : "tls"], "\(document.errors)")
    #expect(document.counters["errors"] == 2 && document.metrics.isEmpty)
  }

  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"], ["https", "wss"])
  func fileOfTheAuthorityMakesItKnown(tool: String, scheme: String) async throws {
    let (result, url) = try await run(tool) {
      ["--gateway-url", scheme + $0.url.dropFirst("https".count), "--ca-file", $0.certificate]
    }
    let document = try result.passedDocument()
    #expect(document.target.gatewayUrl == url)
    #expect(!document.notes.contains { $0.contains("--insecure") })
  }

  @Test(arguments: ["bench-allocation", "bench-e2e"])
  func insecureAcceptsItAndSaysSo(_ tool: String) async throws {
    let (result, _) = try await run(tool) { ["--gateway-url", $0.url, "--insecure"] }
    let document = try result.passedDocument()
    #expect(document.notes.contains { $0.contains("--insecure") })
    #expect(try result.file("md").contains("not verified"))
  }
}
