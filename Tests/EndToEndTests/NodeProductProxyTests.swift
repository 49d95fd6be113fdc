import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The product's session gateway in Node behind proxies, whose logs are the witness of the counts.
@Suite(
  .serialized, .timeLimit(.minutes(4)), .enabled(if: NodeGateway.isAvailable, "\(NodeGateway.needs)"),
  .enabled(
    if: ForeignProxy.nginx != nil && ForeignProxy.haproxy != nil, "needs nginx and haproxy: scripts/setup.sh peers"))
struct NodeProductProxyTests {
  private func nginx(
    _ product: NodeProduct, _ more: String = "", certificate: TestCertificate? = nil, canReload: Bool = false
  ) async throws -> ForeignProxy {
    try await ForeignProxy.nginx(
      """
      location / {
        proxy_pass \(product.url); proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; \(more)
      }
      """, certificate: certificate, canReload: canReload)
  }

  /// By nginx's log: it writes the line of a WebSocket when that ends.
  private func upgrades(_ proxy: ForeignProxy) -> Int { proxy.log.count { $0.contains(#" HTTP/1.1" 101 "#) } }

  @Test(.wholeSuiteOnly, .enabled(if: TestCertificate.isAvailable, "needs /usr/bin/openssl"))
  func sessionsThroughNginxThatEndsTheTLS() async throws {
    try await NodeProduct.with { product in
      let certificate = try TestCertificate(names: "IP:127.0.0.1")
      let proxy = try await nginx(product, certificate: certificate)
      defer { proxy.stop() }
      let result = try await product.run(
        at: "https://127.0.0.1:\(proxy.port)", ["--ca-file", certificate.path, "--count", "10", "--messages", "2"])
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      result.expectNoToken()
      let document = try result.document()
      #expect(document.metrics["complete"]?.count == 20 && document.metrics["tls"]?.count == 10, "\(document.errors)")
      #expect(product.answers.count == 20)
      try await eventually("nginx counts otherwise") { upgrades(proxy) == 10 }
    }
  }

  @Test(.wholeSuiteOnly) func aThousandSessionsComeThroughNginx() async throws {
    try await NodeProduct.with(["--think", "20"]) { product in
      let proxy = try await nginx(product)
      defer { proxy.stop() }
      let result = try await product.run(
        at: "http://127.0.0.1:\(proxy.port)", ["--count", "1000", "--concurrency", "1000", "--quiet"])
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      let document = try result.document()
      #expect(document.counters["iterations"] == 1000 && document.metrics["complete"]?.count == 1000)
      #expect(product.count("session_opened") == 1000 && product.answers.count == 1000)
      try await eventually("nginx counts otherwise") { upgrades(proxy) == 1000 }
    }
  }

  // MARK: Idle sessions

  enum Balancer: String, CaseIterable, Sendable { case nginx, haproxy }

  /// A proxy that ends a session which has been silent for 2 s.
  private func impatient(_ kind: Balancer, _ product: NodeProduct) async throws -> ForeignProxy {
    switch kind {
    case .nginx: try await nginx(product, "proxy_read_timeout 2s; proxy_send_timeout 2s;")
    case .haproxy: try await ForeignProxy.haproxy("timeout tunnel 2s\nserver node 127.0.0.1:\(product.nodes[0].port)")
    }
  }

  @Test(.wholeSuiteOnly, arguments: Balancer.allCases) func pingsKeepIdleSessionsAlive(_ kind: Balancer) async throws {
    try await NodeProduct.with { product in
      let proxy = try await impatient(kind, product)
      defer { proxy.stop() }
      let result = try await product.run(
        at: "http://127.0.0.1:\(proxy.port)", profile: try await product.profile(pingEvery: "500ms"),
        ["--count", "5", "--concurrency", "5", "--hold-sessions", "5s"])
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      let document = try result.document()
      #expect(document.counters["sessions_held"] == 5, "\(document.counters) \(document.errors)")
      #expect(product.count("ping") >= 5 * 5)
    }
  }

  @Test(.wholeSuiteOnly, arguments: Balancer.allCases) func withoutPingsTheEndOfIdleSessionsIsSeen(_ kind: Balancer)
    async throws
  {
    try await NodeProduct.with { product in
      let proxy = try await impatient(kind, product)
      defer { proxy.stop() }
      let result = try await product.run(
        at: "http://127.0.0.1:\(proxy.port)", profile: try await product.profile(pingEvery: nil),
        ["--count", "5", "--concurrency", "5", "--hold-sessions", "5s"])
      #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
      let document = try result.document()
      // Each was answered before it was lost.
      #expect(document.metrics["first_response"]?.count == 5 && document.metrics["complete"]?.count == 5)
      #expect(document.counters["errors"] == 5 && document.counters["sessions_held"] == 0, "\(document.errors)")
      #expect(document.counters["sessions_lost"] == 5)
      #expect(document.errors.allSatisfy { $0.kind.contains("closed") }, "\(document.errors)")
      #expect(product.count("ping") == 0 && product.count("session_opened") == 5)
    }
  }

  @Test(.wholeSuiteOnly) func theGatewaysOwnLimitIsKeptByPingsToo() async throws {
    try await NodeProduct.with(["--idle-limit", "1000"]) { product in
      let hold = ["--count", "3", "--concurrency", "3", "--hold-sessions", "3s"]
      let kept = try await product.run(profile: try await product.profile(pingEvery: "200ms"), hold)
      #expect(kept.status == .exited(0), "\(kept.output)\(kept.talk)")
      #expect(product.count("idle_cut") == 0)
      let cut = try await product.run(profile: try await product.profile(pingEvery: nil), hold)
      #expect(cut.status != .exited(0))
      #expect(product.count("idle_cut") == 3)
    }
  }

  // MARK: Sticky cookies

  private func balanced(_ product: NodeProduct) async throws -> ForeignProxy {
    let servers = product.nodes.enumerated().map { "server node\($0) 127.0.0.1:\($1.port) cookie node\($0)" }
    return try await ForeignProxy.haproxy(
      "balance roundrobin\ncookie NODE insert indirect nocache\n" + servers.joined(separator: "\n"))
  }

  @Test(.wholeSuiteOnly) func withItsCookiesNoReleaseIsRefused() async throws {
    try await NodeProduct.with(count: 2) { product in
      let proxy = try await balanced(product)
      defer { proxy.stop() }
      let result = try await product.run(
        tool: "bench-allocation", at: "http://127.0.0.1:\(proxy.port)",
        ["--count", "200", "--threshold", "unreleased == 0"])
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      #expect(product.count("rest_created") == 200 && product.count("rest_deleted") == 200)
      #expect(product.count("rest_unknown") == 0)
      #expect(product.nodes.allSatisfy { $0.count("rest_created") > 0 })
      #expect(proxy.log.count { $0.hasPrefix("POST /api/sessions 201") } == 200)
      #expect(proxy.log.count { $0.hasPrefix("DELETE /api/sessions/") && $0.contains(" 204 ") } == 200)
    }
  }

  @Test(.wholeSuiteOnly) func withoutCookiesTheRefusedReleasesAreCounted() async throws {
    try await NodeProduct.with(count: 2) { product in
      let proxy = try await balanced(product)
      defer { proxy.stop() }
      let result = try await product.run(
        tool: "bench-allocation", at: "http://127.0.0.1:\(proxy.port)",
        ["--count", "40", "--no-cookies", "--threshold", "unreleased == 0"])
      #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
      let left = product.count("rest_created") - product.count("rest_deleted")
      #expect(left > 0)
      #expect(try result.document().counters["unreleased"] == UInt64(left))
      #expect(
        proxy.log.count { $0.hasPrefix("POST /api/sessions 201") }
          - proxy.log.count { $0.hasPrefix("DELETE /api/sessions/") && $0.contains(" 204 ") } == left)
    }
  }

  @Test(.wholeSuiteOnly) func aSessionIsGoneBackToOnItsNode() async throws {
    try await NodeProduct.with(["--think", "50"], count: 2) { product in
      let proxy = try await balanced(product)
      defer { proxy.stop() }
      let result = try await product.run(
        at: "http://127.0.0.1:\(proxy.port)", ["--count", "6", "--reconnect", "after-ready"])
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      #expect(product.count("session_opened") == 6 && product.count("session_recovered") == 6)
      #expect(product.nodes.allSatisfy { $0.count("session_opened") == $0.count("session_recovered") })
      #expect(proxy.log.count { $0.hasPrefix("GET / 101") } == 12)
    }
  }

  @Test(.wholeSuiteOnly) func withoutCookiesAnotherNodeBeginsAnotherSession() async throws {
    try await NodeProduct.with(count: 2) { product in
      let proxy = try await balanced(product)
      defer { proxy.stop() }
      let result = try await product.run(
        at: "http://127.0.0.1:\(proxy.port)", ["--count", "6", "--reconnect", "after-ready", "--no-cookies"])
      let document = try result.document()
      let lost = 6 - product.count("session_recovered")
      #expect(lost > 0 && product.count("session_opened") == 6 + lost)
      #expect(
        document.errors.map(\.kind) == ["recovery: not_recovered"] && document.errors.first?.count == UInt64(lost))
    }
  }

  // MARK: A proxy that is reloaded

  @Test(.wholeSuiteOnly) func aReloadInTheMiddleLosesNoSample() async throws {
    try await NodeProduct.with(["--think", "30"]) { product in
      let proxy = try await nginx(product, canReload: true)
      defer { proxy.stop() }
      let run = try await product.start(
        at: "http://127.0.0.1:\(proxy.port)", ["--count", "120", "--concurrency", "6", "--quiet"])
      for answers in [20, 60] {
        try await eventually("no \(answers) answers") { product.answers.count >= answers }
        proxy.reload()
      }
      let result = await run.end(within: .seconds(110))
      let document = try result.document()
      let errors = document.errors.map(\.count).reduce(0, +)
      #expect(document.counters["iterations"] == 120)
      #expect((document.metrics["complete"]?.count ?? 0) + errors == 120, "\(document.errors)")
      #expect(document.errors.allSatisfy { !$0.kind.isEmpty && !$0.example.isEmpty })
      // An old worker lives until its last session has ended: none is cut.
      #expect(errors == 0 && result.status == .exited(0), "\(document.errors)")
      #expect(product.answers.count == 120)
      try await eventually("nginx counts otherwise") { upgrades(proxy) == 120 }
    }
  }
}
