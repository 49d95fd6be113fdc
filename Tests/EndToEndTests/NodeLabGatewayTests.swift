import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The tools against a laboratory's gateway in Node, whose log is the witness of what they did.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: NodeGateway.isAvailable, "\(NodeGateway.needs)"))
struct NodeLabGatewayTests {
  /// The way of one tool; `taken` tasks are assigned by it.
  struct Way: Sendable, CustomStringConvertible {
    var tool: String
    var options: [String]
    var taken: Int
    var metric: String
    var samples: UInt64

    var description: String { "\(tool) \(options.joined(separator: " "))" }
  }

  private static let anySpeed = BenchRun.anySpeed + ["--timeout", "20s", "--threshold", "errors == 0"]

  private func run(_ way: Way, _ url: String, _ more: [String] = []) async throws -> ResultDocument {
    let result = try await BenchRun.run(
      way.tool, ["--gateway-url", url, "--threshold", "unreleased == 0"] + way.options + more + Self.anySpeed)
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let document = try result.document()
    #expect(document.metrics[way.metric]?.count == way.samples, "\(document.errors)")
    return document
  }

  static let ways = [
    Way(tool: "bench-allocation", options: ["--count", "6"], taken: 6, metric: "allocation", samples: 6),
    Way(tool: "bench-concurrent", options: ["--concurrency", "3"], taken: 3, metric: "warm", samples: 3),
    Way(tool: "bench-e2e", options: ["--count", "6"], taken: 6, metric: "ready", samples: 6),
  ]

  @Test(arguments: ways) func everyToolRunsWithAgents(_ way: Way) async throws {
    try await NodeLab.with { lab in
      let document = try await run(way, lab.gateway.url, ["--agents", "3"])
      lab.expectTaken(way.taken, "\(document.notes)")
      // The agents have gone with their tool, and were there.
      try await eventually("an agent is left") {
        lab.gateway.count("task_closed") == lab.gateway.count("task_connected")
      }
      #expect(lab.gateway.count("task_connected") >= 3)
      // The others give a task back without waiting for its word.
      if way.tool == "bench-e2e" { #expect(lab.gateway.count("session_ready") == way.taken) }
    }
  }

  @Test func endToEndWithAgentsShowsAllItsPhases() async throws {
    try await NodeLab.with { lab in
      let result = try await BenchRun.run(
        "bench-e2e", ["--gateway-url", lab.gateway.url, "--agents", "3", "--count", "6"] + Self.anySpeed)
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      let document = try result.document()
      #expect(document.findings?["route"] == .string("agents"), "\(document.errors)")
      for metric in ["acquire", "ready", "init_user", "workspace", "process_start"] {
        #expect(document.metrics[metric]?.count == 6, "\(metric)")
      }
      #expect(document.counters["failed_steps"] == 0)
      lab.expectTaken(6, "\(document.notes)")
    }
  }

  @Test(.wholeSuiteOnly, arguments: ways) func everyToolRunsOnTasksOfAnotherProcess(_ way: Way) async throws {
    try await NodeLab.with(tasks: 3) { lab in
      let document = try await run(way, lab.gateway.url)
      lab.expectTaken(way.taken, "\(document.notes)")
      if way.tool == "bench-e2e" { #expect(document.findings?["route"] == .string("status")) }
      // It makes a user's directory inside its acquire, and a task makes its own in its own root.
      #expect(lab.scratch.names(in: "gateway/lab") == lab.scratch.names(in: "efs/lab"))
      #expect(lab.scratch.names(in: "gateway/lab") != [])
    }
  }

  @Test func theTimesAreNoShorterThanTheGatewaysOwn() async throws {
    try await NodeLab.with(tasks: 1) { lab in
      let result = try await BenchRun.run(
        "bench-e2e", ["--gateway-url", lab.gateway.url, "--count", "5"] + Self.anySpeed)
      let document = try result.document()
      let log = lab.gateway.log
      let acquired = log.filter { $0.event == "acquire" }.map(\.ms)
      let confirmed = log.filter { $0.event == "session_ready" }.map(\.ms)
      try #require(acquired.count == 5 && confirmed.count == 5, "\(result.talk)")
      let shortest = zip(confirmed, acquired).map { $0 - $1 }.min() ?? 0
      let ready = try #require(document.metrics["ready"])
      // A histogram keeps three digits.
      #expect(ready.min >= shortest * 0.998)
    }
  }

  @Test func anEmptyPoolIsAMissAndNoError() async throws {
    try await NodeLab.with { lab in
      let result = try await BenchRun.run(
        "bench-concurrent",
        ["--gateway-url", lab.gateway.url, "--agents", "2", "--concurrency", "2", "--beyond", "2"] + Self.anySpeed)
      let document = try result.document()
      #expect(document.counters["misses"] == 2 && document.counters["warm"] == 2, "\(document.errors)")
      #expect(document.counters["errors"] == 0)
      #expect(lab.gateway.count("miss") == 2)
      lab.expectTaken(2, "\(result.talk)")
    }
  }

  private static let drain = [
    "--drain-by", "acquire", "--drain-count", "2", "--settle", "0s", "--poll-interval", "20ms",
  ]

  @Test func exhaustionDrainsByAcquiresAndSeesTheRefill() async throws {
    try await NodeLab.with(tasks: 3) { lab in
      let result = try await BenchRun.run(
        "bench-exhaustion", ["--gateway-url", lab.gateway.url] + Self.drain + Self.anySpeed)
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      let document = try result.document()
      #expect(document.metrics["drain"]?.count == 2 && document.metrics["refill_full"]?.count == 1)
      lab.expectTaken(2, "\(result.talk)")
      // By warm-task, which puts a new one in the place of each.
      try await eventually("no refill") { lab.gateway.count("task_connected") == 5 }
    }
  }

  @Test func exhaustionSaysThatNothingIsRefilledWhileTheTasksAreHeld() async throws {
    try await NodeLab.with(tasks: 3) { lab in
      let result = try await BenchRun.run(
        "bench-exhaustion",
        ["--gateway-url", lab.gateway.url, "--release", "at-end", "--refill-timeout", "1s"] + Self.drain
          + Self.anySpeed)
      #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
      #expect(try result.document().errors.map(\.kind) == ["refill_timeout"])
      lab.expectTaken(2, "\(result.talk)")
    }
  }

  @Test(arguments: [("bench-api", ["--iterations", "3"]), ("bench-dirinit", ["--count", "3"])])
  func toolsThatAskNoGatewaySaySo(tool: String, options: [String]) async throws {
    try await NodeLab.with { lab in
      let result = try await BenchRun.run(tool, ["--gateway-url", lab.gateway.url] + options)
      #expect(result.status == .exited(64) && result.talk.contains("--gateway-url"), "\(result.talk)")
      #expect(lab.gateway.log.isEmpty)
    }
  }

  @Test func dirinitMeasuresTheTreeThatTheGatewayAndItsTasksWorkOn() async throws {
    try await NodeLab.with(tasks: 1) { lab in
      _ = try await run(Self.ways[0], lab.gateway.url)
      let result = try await BenchRun.run(
        "bench-dirinit", ["--root", lab.scratch("efs"), "--count", "3"] + BenchRun.anySpeed)
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      #expect(try result.document().metrics["create"]?.count == 3)
    }
  }

  // MARK: Behind a proxy

  private static let toLab = """
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    """

  @Test(
    .wholeSuiteOnly, .enabled(if: ForeignProxy.nginx != nil, "needs nginx: scripts/setup.sh peers"), arguments: ways)
  func everyToolRunsThroughNginx(_ way: Way) async throws {
    try await NodeLab.with(tasks: 3) { lab in
      let proxy = try await ForeignProxy.nginx("location / { proxy_pass \(lab.gateway.url); \(Self.toLab) }")
      defer { proxy.stop() }
      let document = try await run(way, "http://127.0.0.1:\(proxy.port)")
      lab.expectTaken(way.taken, "\(document.notes)")
      if way.tool == "bench-e2e" {
        #expect(document.findings?["route"] == .string("status"))
        #expect(lab.gateway.count("upgrade_closed") > 0, "what nginx answers with 502")
      }
      #expect(proxy.log.count { $0.contains(#""POST /api/acquire HTTP/1.1" 200"#) } == way.taken)
      #expect(proxy.log.count { $0.contains(#""POST /api/release HTTP/1.1" 200"#) } == way.taken)
    }
  }

  @Test(
    .wholeSuiteOnly, .enabled(if: ForeignProxy.haproxy != nil, "needs haproxy: scripts/setup.sh peers"), arguments: ways
  )
  func everyToolRunsThroughHaproxy(_ way: Way) async throws {
    try await NodeLab.with(tasks: 3) { lab in
      let proxy = try await ForeignProxy.haproxy("server lab 127.0.0.1:\(lab.gateway.port)")
      defer { proxy.stop() }
      let document = try await run(way, "http://127.0.0.1:\(proxy.port)")
      lab.expectTaken(way.taken, "\(document.notes)")
      if way.tool == "bench-e2e" { #expect(document.findings?["route"] == .string("status")) }
      #expect(proxy.log.count { $0.hasPrefix("POST /api/acquire 200") } == way.taken)
      #expect(proxy.log.count { $0.hasPrefix("POST /api/release 200") } == way.taken)
    }
  }

  @Test(.enabled(if: ForeignProxy.nginx != nil, "needs nginx: scripts/setup.sh peers"))
  func agentsComeThroughNginxToo() async throws {
    try await NodeLab.with { lab in
      let proxy = try await ForeignProxy.nginx("location / { proxy_pass \(lab.gateway.url); \(Self.toLab) }")
      defer { proxy.stop() }
      let document = try await run(Self.ways[2], "http://127.0.0.1:\(proxy.port)", ["--agents", "3"])
      #expect(document.findings?["route"] == .string("agents"))
      lab.expectTaken(6, "\(document.notes)")
    }
  }

  /// nginx speaks HTTP/1.0 to what is behind it unless told otherwise: each call has a connection of its own there.
  @Test(.wholeSuiteOnly, .enabled(if: ForeignProxy.nginx != nil, "needs nginx: scripts/setup.sh peers"))
  func aBackEndOfHTTP10IsDriven() async throws {
    try await NodeLab.with(tasks: 2) { lab in
      let proxy = try await ForeignProxy.nginx(
        "location / { proxy_pass \(lab.gateway.url); proxy_http_version 1.0; }")
      defer { proxy.stop() }
      let document = try await run(Self.ways[0], "http://127.0.0.1:\(proxy.port)")
      lab.expectTaken(6, "\(document.notes)")
    }
  }

  @Test(
    .wholeSuiteOnly, .enabled(if: ForeignProxy.nginx != nil, "needs nginx: scripts/setup.sh peers"),
    arguments: [1, 2, 3])
  func aProxyThatClosesAfterSomeRequestsCostsNoSample(requests: Int) async throws {
    try await NodeLab.with(tasks: 2) { lab in
      let proxy = try await ForeignProxy.nginx(
        "keepalive_requests \(requests); location / { proxy_pass \(lab.gateway.url); \(Self.toLab) }")
      defer { proxy.stop() }
      let document = try await run(Self.ways[0], "http://127.0.0.1:\(proxy.port)")
      lab.expectTaken(6, "\(document.notes)")
      #expect(proxy.log.count { $0.contains("POST /api/acquire") } == 6)
    }
  }
}
