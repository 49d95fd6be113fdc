import Foundation
import Gateway
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Two gateways behind haproxy, which tells a visitor's node by its cookie. A node knows its own tasks only.
@Suite(
  .serialized, .timeLimit(.minutes(2)),
  .enabled(if: ForeignProxy.haproxy != nil, "needs haproxy: scripts/setup.sh peers"))
struct StickyCookieTests {
  private func withBalancer<T: Sendable>(
    tasks: Int, areVirtual: Bool = true, _ body: (_ url: String, ForeignProxy, [MockGateway]) async throws -> T
  ) async throws -> T {
    let pool = (areVirtual ? ["--virtual-tasks"] : []) + ["--pool-size", "\(tasks)", "--max-tasks", "\(4 * tasks)"]
    let nodes = [
      try await MockGateway.start(pool, warm: tasks), try await MockGateway.start(pool, warm: tasks),
    ]
    let servers = nodes.enumerated().map { index, node in
      "server node\(index) \(node.url.dropFirst("http://".count)) cookie node\(index)"
    }
    let balancer = try await ForeignProxy.haproxy(
      "balance roundrobin\ncookie NODE insert indirect nocache\n" + servers.joined(separator: "\n"))
    let result: Result<T, any Error>
    do {
      result = .success(try await body("http://127.0.0.1:\(balancer.port)", balancer, nodes))
    } catch {
      result = .failure(error)
    }
    balancer.stop()
    for node in nodes { await node.stop() }
    return try result.get()
  }

  /// By haproxy's word.
  private func count(_ line: String, in balancer: ForeignProxy) -> Int { balancer.log.count { $0.hasPrefix(line) } }

  @Test(.wholeSuiteOnly) func withItsCookiesEveryTaskGoesBackToItsNode() async throws {
    try await withBalancer(tasks: 10) { url, balancer, nodes in
      let result = try await BenchRun.run(
        "bench-allocation",
        [
          "--gateway-url", url, "--count", "200", "--allow-saturated", "--no-default-thresholds",
          "--threshold", "unreleased == 0", "--threshold", "errors == 0",
        ])
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      #expect(try result.document().counters["unreleased"] == 0)
      #expect(count("POST /api/acquire 200", in: balancer) == 200)
      #expect(count("POST /api/release 200", in: balancer) == 200)
      for node in nodes { #expect(try await node.status().assignedCount == 0) }
      // A new iteration is a new visitor: both nodes had their share.
      for node in ["node0", "node1"] {
        #expect(balancer.log.contains { $0.hasPrefix("POST /api/acquire 200") && $0.hasSuffix(node) })
      }
    }
  }

  @Test func withoutCookiesTheRunFailsByTheNumberThatTheBalancerConfirms() async throws {
    try await withBalancer(tasks: 60) { url, balancer, nodes in
      let result = try await BenchRun.run(
        "bench-allocation", ["--gateway-url", url, "--count", "40", "--no-cookies", "--allow-saturated"])
      let document = try result.document()
      let left = count("POST /api/acquire 200", in: balancer) - count("POST /api/release 200", in: balancer)
      #expect(left > 0)
      #expect(document.counters["unreleased"] == UInt64(left))
      #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
      let judged = document.thresholds.first { $0.expression == "unreleased == 0" }
      #expect(judged?.pass == false && judged?.observed == Double(left), "\(document.thresholds)")
      #expect(document.parameters["noCookies"] == true)
      // A line with the number of refusals, and one that names what is left and how it is given back.
      let refusals = count("POST /api/release 404", in: balancer)
      let notes = document.notes.filter { $0.contains("releases were") || $0.contains("be released") }
      #expect(notes.count == 2, "\(notes)")
      #expect(notes.first?.hasPrefix("\(refusals) releases were refused, the first: ") == true, "\(notes)")
      #expect(
        notes.last?.hasPrefix("\(left) tasks could not be released and are still assigned: ") == true
          && notes.last?.contains("curl -X POST ") == true, "\(notes)")
      var assigned = 0
      for node in nodes { assigned += try await node.status().assignedCount }
      #expect(assigned == left)
    }
  }

  @Test(
    .wholeSuiteOnly,
    arguments: [
      ("bench-concurrent", ["--concurrency", "10", "--bursts", "2"]),
      ("bench-concurrent", ["--concurrency", "10", "--hold"]), ("bench-allocation", ["--count", "10", "--hold"]),
    ])
  func tasksThatAreHeldGoBackToTheirNodesAtTheEnd(_ tool: String, _ options: [String]) async throws {
    try await withBalancer(tasks: 20) { url, balancer, nodes in
      let result = try await BenchRun.run(tool, ["--gateway-url", url, "--allow-saturated"] + options)
      #expect(try result.document().counters["unreleased"] == 0, "\(result.output)\(result.talk)")
      #expect(count("POST /api/release 404", in: balancer) == 0)
      for node in nodes { #expect(try await node.status().assignedCount == 0) }
    }
  }

  @Test func aUsersProgramIsReachedOnTheNodeThatTheVisitHasBegunOn() async throws {
    try await withBalancer(tasks: 4, areVirtual: false) { url, balancer, _ in
      let result = try await BenchRun.run("bench-e2e", ["--gateway-url", url, "--count", "6", "--allow-saturated"])
      #expect(try result.document().counters["iterations"] == 6, "\(result.output)\(result.talk)")
      // A visit begins with a look whether the pool is warm, where one is needed; the upgrade follows it, and ends what is of it.
      var node: Substring?
      var visits = 0
      for line in balancer.log {
        let last = line.split(separator: " ").last
        if line.hasPrefix("GET /session/"), line.contains(" 101 ") {
          if let node {
            #expect(last == node)
            visits += 1
          }
          node = nil
        } else if line.hasPrefix("GET /api/status") {
          node = last
        }
      }
      #expect(visits > 0)
    }
  }
}
