import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// bench-e2e against the product's session gateway in Node, whose log is the witness of what was answered, and when.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: NodeGateway.isAvailable, "\(NodeGateway.needs)"))
struct NodeProductGatewayTests {
  private func passed(_ result: BenchResult, _ location: SourceLocation = #_sourceLocation) throws -> ResultDocument {
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)", sourceLocation: location)
    result.expectNoToken(location)
    return try result.document()
  }

  @Test func everySessionIsOpenedAnsweredAndClosed() async throws {
    try await NodeProduct.with { product in
      let document = try passed(try await product.run(["--count", "8"]))
      for metric in ["connect", "ready", "end_to_end", "complete", "gap"] {
        #expect(document.metrics[metric]?.count == 8, "\(metric): \(document.errors)")
      }
      #expect(product.count("session_opened") == 8, "looking makes no session")
      #expect(product.answers.count == 8)
      try await eventually("a session is left") { product.count("session_closed") == 8 }
    }
  }

  /// A client's time holds the gateway's own: it begins before it and ends after it. So of the sorted times each is at least the
  /// gateway's, on any machine. What a busy machine adds differs from answer to answer; a mistake of the tool would be in every
  /// one. So at least one answer of these, all of one length, is within 2 ms, unless all of them were held up.
  private func expectWithin2ms(
    _ metric: MetricDocument?, of witness: [UInt64], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let seen = try #require(metric, sourceLocation: location).samples
    let logged = witness.map { Double($0) / 1e6 }.sorted()
    try #require(seen.count == logged.count, sourceLocation: location)
    for (own, other) in zip(seen, logged) { #expect(own >= other, sourceLocation: location) }
    let least = zip(seen, logged).map { $0 - $1 }.min() ?? .infinity
    // Three digits are kept.
    #expect(least <= 2 + 0.001 * (seen.first ?? 0), "\(seen) for \(logged)", sourceLocation: location)
  }

  @Test(.wholeSuiteOnly, arguments: [(40, 5, 10), (5, 1, 0), (150, 20, 3)])
  func firstTokenAndCompletionAreThoseOfTheGatewaysLog(think: Int, chunks: Int, delay: Int) async throws {
    let options = ["--think", "\(think)", "--chunks", "\(chunks)", "--chunk-delay", "\(delay)", "--says-source", "yes"]
    try await NodeProduct.with(options) { product in
      let document = try passed(try await product.run(["--count", "30"]))
      let answers = product.answers
      try expectWithin2ms(document.metrics["first_response_warm"], of: answers.compactMap(\.firstChunkNs))
      try expectWithin2ms(document.metrics["complete"], of: answers.compactMap(\.finishNs))
      if chunks > 1 {
        // What the wire does to a gap may shorten it, as two chunks can be held up unlike.
        let gap = try #require(document.metrics["gap"])
        #expect(gap.count == 30 && gap.max >= Double(delay) / 2)
      }
    }
  }

  /// The user has seen it: that the rest took too long is another step's failure.
  @Test(.wholeSuiteOnly) func aFirstTokenStandsWhoseAnswerIsNeverComplete() async throws {
    let options = ["--chunks", "100", "--chunk-delay", "200", "--says-source", "yes"]
    try await NodeProduct.with(options) { product in
      let result = try await product.run(["--count", "3", "--concurrency", "3", "--timeout", "4s"])
      #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
      let document = try result.document()
      #expect(document.metrics["first_response"]?.count == 3 && document.metrics["complete"] == nil)
      #expect(document.errors.map(\.kind) == ["complete: timeout"] && document.errors.first?.count == 3)
      #expect(document.errors.first?.example.contains("had begun") ?? false, "\(document.errors)")
      #expect(!document.notes.contains { $0.hasPrefix("nothing was answered") }, "\(document.notes)")
    }
  }

  @Test(.wholeSuiteOnly) func severalMessagesGoOverOneSocket() async throws {
    try await NodeProduct.with(["--says-source", "yes"]) { product in
      let document = try passed(try await product.run(["--count", "5", "--messages", "4"]))
      #expect(document.metrics["first_response_warm"]?.count == 5)
      #expect(document.metrics["message_roundtrip"]?.count == 15)
      #expect(document.metrics["complete"]?.count == 20)
      #expect(product.count("session_opened") == 5)
      #expect(product.answers.map(\.source) == (1...5).flatMap { _ in ["warm", "running", "running", "running"] })
    }
  }

  @Test(.wholeSuiteOnly, arguments: ["yes", "no"]) func aLazyStartIsToldByTheGatewaysWord(_ says: String) async throws {
    try await NodeProduct.with(["--warm", "0", "--start-delay", "120", "--says-source", says]) { product in
      let document = try passed(
        try await product.run(["--count", "4"] + (says == "no" ? ["--threshold", "unclassified == 4"] : [])))
      #expect(product.answers.allSatisfy { $0.source == "cold" && $0.firstChunkNs ?? 0 > 100_000_000 })
      if says == "yes" {
        #expect(document.metrics["first_response_cold"].map { $0.count == 4 && $0.min >= 100 } == true)
        #expect(document.metrics["first_response_warm"] == nil)
      } else {
        #expect(document.metrics["first_response_cold"] == nil && document.metrics["first_response_warm"] == nil)
      }
    }
  }

  @Test(.wholeSuiteOnly) func aQuestionIsAnsweredAndCounted() async throws {
    try await NodeProduct.with { product in
      let document = try passed(try await product.run(["--count", "5", "--message", "[ask] list the files"]))
      #expect(document.counters["questions"] == 5 && document.metrics["complete"]?.count == 5)
      #expect(product.count("question") == 5 && product.count("question_answered") == 5)
    }
  }

  @Test func messagesOfOlderBuildsAreUnderstood() async throws {
    try await NodeProduct.with { product in
      let document = try passed(try await product.run(["--count", "5", "--message", "[old] hello"]))
      #expect(document.metrics["complete"]?.count == 5 && product.answers.count == 5)
    }
  }

  /// Node's ws agrees to the first subprotocol that it is offered.
  @Test func aSubprotocolThatTheGatewayAgreesToIsSpoken() async throws {
    try await NodeProduct.with { product in
      let profile = try await product.profile { $0["subprotocols"] = ["chat.v2", "chat.v1"] }
      let document = try passed(try await product.run(profile: profile, ["--count", "2"]))
      #expect(document.metrics["complete"]?.count == 2)
    }
  }

  @Test(.wholeSuiteOnly, arguments: [("[fail]", "TASK_RESTART_FAILED", "failed"), ("[cut]", "closed", "cut")])
  func anAnswerThatDoesNotComeIsAFailedStepAndNoSample(text: String, kind: String, event: String) async throws {
    try await NodeProduct.with { product in
      let result = try await product.run(["--count", "4", "--message", text])
      #expect(result.status == .exited(1), "\(result.output)\(result.talk)")
      let document = try result.document()
      #expect(document.counters["failed_steps"] == 4 && document.counters["failed_first_response"] == 4)
      #expect(document.errors.count == 1 && document.errors.first?.kind.contains(kind) == true, "\(document.errors)")
      #expect(document.metrics["complete"] == nil && document.metrics["end_to_end"] == nil)
      #expect(product.count(event) == 4)
    }
  }

  @Test func aTokenThatIsExpiredOrUnknownIsSaidAndNotShown() async throws {
    try await NodeProduct.with { product in
      let expired = try await product.run(token: "expired", ["--count", "2"])
      #expect(expired.status == .exited(1))
      #expect(try expired.document().errors.allSatisfy { $0.kind.contains("TOKEN_EXPIRED") }, "\(expired.talk)")
      #expect(product.count("expired") == 2)
      product.scratch.write("unknown", "a-token-that-nobody-knows\n")
      let unknown = try await product.run(token: "unknown", ["--count", "2"])
      #expect(unknown.status == .exited(1))
      #expect(try unknown.document().errors.allSatisfy { $0.kind.contains("http_401") }, "\(unknown.talk)")
      #expect(!unknown.talk.contains("a-token-that-nobody-knows") && !unknown.output.contains("a-token-that-nobody"))
      expired.expectNoToken()
    }
  }

  @Test(.wholeSuiteOnly, arguments: ["after-ready", "mid-answer"]) func aSessionIsGoneBackTo(_ moment: String)
    async throws
  {
    try await NodeProduct.with(["--think", "60", "--chunks", "5", "--chunk-delay", "40"]) { product in
      let document = try passed(try await product.run(["--count", "4", "--reconnect", moment]))
      #expect(document.metrics["recovery"]?.count == 4, "\(document.errors)")
      #expect(product.count("session_opened") == 4 && product.count("session_recovered") == 4)
    }
  }

  @Test(
    .wholeSuiteOnly,
    arguments: [
      ("bench-allocation", ["--count", "10"], 10), ("bench-concurrent", ["--concurrency", "4", "--bursts", "2"], 8),
    ])
  func sessionsAreMadeAndDeletedByREST(tool: String, options: [String], sessions: Int) async throws {
    try await NodeProduct.with { product in
      let result = try await product.run(tool: tool, options + ["--threshold", "unreleased == 0"])
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      result.expectNoToken()
      #expect(product.count("rest_created") == sessions && product.count("rest_deleted") == sessions)
      #expect(product.count("rest_unknown") == 0 && product.count("unauthorized") == 0)
    }
  }

  @Test(.wholeSuiteOnly) func withoutCapacityTheGatewaysAnswerIsAMiss() async throws {
    try await NodeProduct.with(["--capacity", "2"]) { product in
      let document = try await product.run(tool: "bench-concurrent", ["--concurrency", "4", "--hold"]).document()
      #expect(document.counters["misses"] == 2, "\(document.errors)")
      #expect(product.count("rest_refused") == 2)
      #expect(product.count("rest_created") == 2 && product.count("rest_deleted") == 2)
    }
  }

  @Test(arguments: ["bench-exhaustion"]) func aToolNamesTheRoleThatIsMissing(_ tool: String) async throws {
    try await NodeProduct.with { product in
      let result = try await product.run(tool: tool, [])
      #expect(result.status == .exited(64) && result.talk.contains("status"), "\(result.talk)")
      #expect(product.count("rest_created") == 0)
    }
  }
}
