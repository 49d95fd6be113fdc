import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// A gateway behind an nginx that wants a certificate of the client.
@Suite(
  .serialized, .timeLimit(.minutes(3)),
  .enabled(
    if: ForeignProxy.nginx != nil && TestCertificate.isAvailable, "needs nginx and openssl: scripts/setup.sh peers"))
struct ClientCertificateRunTests {
  private static let files = Result { try ClientCertificates() }

  private func withGateway<T: Sendable>(
    _ arguments: [String] = MockGateway.threeVirtualTasks, warm: Int = 3,
    _ body: (_ url: String, ClientCertificates, ForeignProxy, MockGateway) async throws -> T
  ) async throws -> T {
    let files = try Self.files.get()
    let gateway = try await MockGateway.start(arguments, warm: warm)
    let proxy = try await ForeignProxy.nginx(
      listen: "ssl",
      """
      \(files.nginx)
      location / {
        proxy_pass \(gateway.url); proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $proxy_upgrade;
      }
      set $proxy_upgrade ""; if ($http_upgrade) { set $proxy_upgrade upgrade; }
      """)
    let result: Result<T, any Error>
    do {
      result = .success(try await body("https://127.0.0.1:\(proxy.port)", files, proxy, gateway))
    } catch {
      result = .failure(error)
    }
    proxy.stop()
    await gateway.stop()
    return try result.get()
  }

  private static let tools = [
    ("bench-allocation", ["--count", "3"]), ("bench-concurrent", ["--concurrency", "3"]),
    ("bench-e2e", ["--count", "3"]),
    ("bench-exhaustion", ["--drain-count", "1", "--settle", "0s", "--confirm-drain", "127.0.0.1"]),
  ]

  @Test(.wholeSuiteOnly, arguments: tools) func everyToolShowsIt(_ tool: String, _ load: [String]) async throws {
    try await withGateway { url, files, _, _ in
      let result = try await BenchRun.run(
        tool,
        ["--gateway-url", url, "--ca-file", files.authority, "--cert", files.chain, "--key", files.key] + load
          + ["--no-default-thresholds", "--threshold", "errors == 0", "--allow-saturated", "--timeout", "10s"])
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      let document = try result.document()
      #expect(document.counters["errors"] == 0 && document.parameters["clientCertificate"] == true)
      let said = try result.file("json") + result.file("md") + result.output + result.talk
      #expect(!said.contains(files.key) && !said.contains(files.chain))
    }
  }

  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"])
  func withoutOneTheErrorSaysWhatToGive(_ tool: String) async throws {
    try await withGateway { url, files, _, _ in
      let load = tool == "bench-concurrent" ? ["--concurrency", "2"] : ["--count", "2"]
      let result = try await BenchRun.run(
        tool, ["--gateway-url", url, "--ca-file", files.authority, "--timeout", "5s", "--allow-saturated"] + load)
      #expect(result.status == .exited(1), "\(result.output)\(result.talk)")
      #expect(result.talk.contains("client_certificate") && result.talk.contains("--cert and --key"), "\(result.talk)")
      let errors = try result.document().errors
      #expect(errors.count == 1 && errors[0].kind.hasSuffix("client_certificate") && errors[0].count == 2, "\(errors)")
    }
  }

  @Test func agentsAndTheProgramWarmTaskShowItToo() async throws {
    let own = ["--pool-size", "0", "--dialect", "lab"]
    try await withGateway(own, warm: 0) { url, files, proxy, gateway in
      let certificate = ["--ca-file", files.authority, "--cert", files.chain, "--key", files.key]
      let result = try await BenchRun.run(
        "bench-allocation",
        ["--gateway-url", url, "--agents", "2", "--count", "4", "--no-default-thresholds", "--allow-saturated"]
          + certificate)
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      #expect(try result.document().metrics["allocation"]?.count == 4)
      try await eventually("agents are left") { try await gateway.status().warmCount == 0 }
      let scratch = try Scratch()
      let agents = try await Tool(name: "warm-task").start(
        ["--gateway-url", url, "--count", "2", "--inline"] + certificate, in: scratch.path)
      try await eventually("warm-task is not warm") { try await gateway.status().warmCount == 2 }
      agents.child.signal(SIGTERM)
      #expect(await agents.end().status == .exited(143))
      #expect(proxy.log.contains { $0.contains("GET /internal/warm/") && $0.contains(" 101 ") })
    }
  }

  @Test(.wholeSuiteOnly) func wrongFilesAreWrongUsageBeforeAnythingIsAsked() async throws {
    try await withGateway { url, files, proxy, _ in
      let wrong: [(options: [String], words: String)] = [
        (["--cert", files.chain], "--cert: its private key is missing"),
        (["--key", files.key], "--key: the certificate that it belongs to is missing"),
        (["--cert", files.chain, "--key", files.strangerKey], "--key: it is not the key of the first certificate"),
        (["--cert", files.chain, "--key", files.encryptedKeys[0]], "is encrypted"),
        (["--cert", files.chain, "--key", files.encryptedKeys[1]], "is encrypted"),
        (["--cert", "/nonexistent", "--key", "/nonexistent"], "--cert: '/nonexistent' cannot be read"),
      ]
      for (options, words) in wrong {
        for (tool, more) in [("bench-allocation", ["--count", "0"]), ("warm-task", ["--count", "0", "--inline"])] {
          let run = try await BenchRun.run(tool, ["--gateway-url", url, "--ca-file", files.authority] + options + more)
          #expect(run.status == .exited(64), "\(tool) \(options): \(run.talk)")
          #expect(run.talk.contains(tool == "warm-task" ? String(words.prefix(6)) : words), "\(tool): \(run.talk)")
          // All that is wrong is said together.
          #expect(run.talk.contains("--count"), "\(run.talk)")
        }
      }
      #expect(proxy.log == [])
    }
  }
}
