import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// What a user gives to open a gateway is sent, and told to nobody else.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SecretTests {
  private static let secrets = ["s3cr3t-header-value", "s3cr3t-token"]

  private func expectNoSecret(_ result: BenchResult, _ location: SourceLocation = #_sourceLocation) {
    let everything = [result.output, result.talk] + result.files().values
    for secret in Self.secrets {
      #expect(!everything.contains { $0.contains(secret) }, "\(secret)", sourceLocation: location)
    }
  }

  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"], [true, false])
  func headersAndTokensAreSentAndNeverTold(tool: String, tokenIsInAFile: Bool) async throws {
    // It repeats what it was sent, as a debugging gateway might.
    let gateway = try await ScriptedGateway { request in
      if request.line == "GET /api/status" { return ScriptedGateway.status(warm: 3) }
      return .json(#"{"taskId": "t", "head": "..."}"#, status: request.line.hasPrefix("POST") ? 200 : 404)
    }
    let scratch = try Scratch()
    let file = scratch.write("token", Self.secrets[1] + "\n")
    let load = tool == "bench-concurrent" ? ["--concurrency", "1"] : ["--count", "1"]
    let result = try await BenchRun.run(
      tool,
      ["--gateway-url", gateway.url, "--header", "X-Key: \(Self.secrets[0])", "--timeout", "300ms"] + load
        + (tokenIsInAFile ? ["--token-file", file] : []),
      environment: tokenIsInAFile ? [:] : ["GATEWAY_TOKEN": Self.secrets[1]])
    await gateway.stop()
    #expect(!gateway.requests.isEmpty && result.files().count == 2, "\(result.talk)")
    for request in gateway.requests {
      #expect(request.head.contains("\r\nX-Key: \(Self.secrets[0])"), "\(request.line)")
      #expect(request.head.contains("\r\nAuthorization: Bearer \(Self.secrets[1])"), "\(request.line)")
    }
    expectNoSecret(result)
    #expect(try result.document().parameters["headers"] == .array(["X-Key", "Authorization"]))
  }

  @Test func wrongHeadersAreRefusedWithoutRepeatingThem() async throws {
    let result = try await BenchRun.run(
      "bench-allocation",
      [
        "--header", "s3cr3t-header-value", "--header", "Bad Name: s3cr3t-header-value", "--header",
        "X: s3cr3t-header-value\u{1}", "--header", "Authorization: s3cr3t-header-value",
      ], environment: ["GATEWAY_TOKEN": "s3cr3t-token"])
    #expect(result.status == .exited(64))
    expectNoSecret(result)
  }
}
