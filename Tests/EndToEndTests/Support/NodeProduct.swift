import Foundation
import Latency
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The product's session gateway in Node (`Fixtures/gateways/product.js`), on one node or several.
struct NodeProduct: Sendable {
  /// Valid at every node; it must appear in nothing that a tool writes.
  static let token = "secret-token-of-the-tests"
  static let expiredToken = "expired-token-of-the-tests"

  let nodes: [NodeGateway]
  let scratch: Scratch

  /// Starts `count` nodes, and runs `body`.
  static func with<T: Sendable>(
    _ options: [String] = [], count: Int = 1, _ body: (NodeProduct) async throws -> T
  ) async throws -> T {
    var nodes: [NodeGateway] = []
    let result: Result<T, any Error>
    do {
      for index in 0..<count {
        nodes.append(
          try await NodeGateway(
            script: try Fixture.path("gateways/product.js"),
            ["--tokens", token, "--expired", expiredToken, "--name", "node\(index)"] + options))
      }
      let product = NodeProduct(nodes: nodes, scratch: try Scratch())
      product.scratch.write("token", token + "\n")
      product.scratch.write("expired", expiredToken + "\n")
      result = .success(try await body(product))
    } catch {
      result = .failure(error)
    }
    for node in nodes { node.stop() }
    return try result.get()
  }

  var url: String { nodes[0].url }

  /// How often something has happened on all nodes together.
  func count(_ event: String) -> Int { nodes.map { $0.count(event) }.reduce(0, +) }

  /// The answers that were given in full, in their order.
  var answers: [NodeGateway.Event] { nodes.flatMap(\.log).filter { $0.event == "answer" } }

  /// Runs a tool by the product's profile, or by one of its own, on the first node or at `url`.
  ///
  /// - Parameter token: the file's name.
  func run(
    tool: String = "bench-e2e", at url: String? = nil, profile: String = "product", token: String = "token",
    _ options: [String]
  ) async throws -> BenchResult {
    try await start(tool: tool, at: url, profile: profile, token: token, options).end(within: .seconds(110))
  }

  func start(
    tool: String = "bench-e2e", at url: String? = nil, profile: String = "product", token: String = "token",
    _ options: [String]
  ) async throws -> BenchRun {
    try await BenchRun.start(
      tool,
      [
        "--gateway-url", url ?? self.url, "--gateway-profile", profile, "--token-file", scratch(token),
        "--timeout", "30s", "--threshold", "errors == 0",
      ] + BenchRun.anySpeed + options)
  }

  /// The product's profile with pings of another rhythm, or without any.
  func profile(pingEvery: String?) async throws -> String {
    try await profile { session in
      guard let pingEvery else { return session["ping"] = nil }
      var ping = try #require(session["ping"] as? [String: Any])
      ping["every"] = pingEvery
      session["ping"] = ping
    }
  }

  /// A file of the product's profile as the tool prints it, with a session that `change` has changed.
  func profile(_ change: (inout [String: Any]) throws -> Void) async throws -> String {
    let printed = try await BenchRun.run("bench-e2e", ["--print-profile", "product"])
    try #require(printed.status == .exited(0), "\(printed.talk)")
    var profile = try #require(
      try JSONSerialization.jsonObject(with: Data(printed.output.utf8)) as? [String: Any])
    var session = try #require(profile["session"] as? [String: Any])
    try change(&session)
    profile["session"] = session
    profile["name"] = "product-variant"
    let data = try JSONSerialization.data(withJSONObject: profile)
    return scratch.write("profile.json", String(decoding: data, as: UTF8.self))
  }
}

extension BenchResult {
  /// Neither what was said nor what was written has the token, in any form.
  func expectNoToken(_ location: SourceLocation = #_sourceLocation) {
    for token in [NodeProduct.token, NodeProduct.expiredToken] {
      #expect(!output.contains(token) && !talk.contains(token), sourceLocation: location)
      #expect(!files().values.contains { $0.contains(token) }, sourceLocation: location)
    }
  }
}

extension MetricDocument {
  /// Every sample in ms, sorted, as the histogram keeps it: three digits, and never below what was measured.
  var samples: [Double] {
    get throws {
      let histogram = try HistogramV2Codec.decode(base64: self.histogram.data)
      guard count > 0 else { return [] }
      return (1...count).map { rank in
        Double(histogram.value(atPercentile: 100 * Double(rank) / Double(count))) / 1e6
      }
    }
  }
}
