import Testing

@testable import InfraBench
@testable import Results

/// Who the users of a run are when nobody has said it.
@Suite(.timeLimit(.minutes(1))) struct DefaultUserTests {
  private func user(_ options: [String]) async throws -> String {
    let gateway = try await ScriptedGateway { request in
      request.line == "GET /api/status"
        ? ScriptedGateway.status(warm: 5) : .json(#"{"success": true, "taskId": "t", "source": "warm"}"#)
    }
    _ = try await BenchRun.run("bench-allocation", ["--gateway-url", gateway.url, "--count", "1"] + options)
    await gateway.stop()
    return try #require(gateway.requests.first { $0.line == "POST /api/acquire" }?.body)
  }

  @Test func theDefaultIsOfThisHostAndUserAndTheSameEveryRun() async throws {
    let first = try await user([])
    #expect(first.wholeMatch(of: /\{"userId":"test-user-[a-z0-9]{4}"\}/) != nil, "\(first)")
    #expect(try await user([]) == first)
    #expect(try await user(["--user-id", "test-user"]) == #"{"userId":"test-user"}"#)
  }
}
