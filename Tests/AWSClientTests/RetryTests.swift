import AWSSignature
import Testing

@testable import AWSClient

@Suite struct RetryTests {
  static let throttled = ScriptedTransport.Answer.json(400, #"{"__type":"ThrottlingException","message":"Rate"}"#)
  static let empty = ScriptedTransport.Answer.json(200, #"{"taskArns":[]}"#)

  @Test(arguments: [
    (1, 1.0, UInt64(1_000_000_000)), (2, 1, 2_000_000_000), (2, 0.25, 500_000_000), (3, 0, 0), (5, 1, 16_000_000_000),
    (6, 1, 20_000_000_000), (40, 1, 20_000_000_000), (70, 1, 20_000_000_000), (1, 7, 1_000_000_000), (1, -3, 0),
  ])
  func delaysDoubleUpToTwentySecondsWithFullJitter(failures: Int, random: Double, expected: UInt64) {
    let error = AWSError(.throttled, message: "")
    #expect(RetryPolicy(attempts: 100).delay(after: error, failures: failures, random: random) == expected)
  }

  @Test(arguments: [
    throttled, .json(500, ""), .json(502, "<html>"), .json(503, ""), .json(504, ""),
    .failure(.init(.connect, "refused")),
    .failure(.init(.connectionLost, "reset")), .failure(.init(.timeout, "late")), .failure(.init(.nameLookup, "dns")),
  ])
  func transientFailuresAreTriedThreeTimes(failure: ScriptedTransport.Answer) async throws {
    let manual = ManualEnvironment()
    let transport = ScriptedTransport([failure, failure, RetryTests.empty])
    let answer = try await makeClient(transport, environment: manual.environment()).listTasks(.init())
    #expect(manual.sleeps == [1_000_000_000, 2_000_000_000])
    #expect(answer.calls.map(\.attempts) == [3])

    let exhausted = ScriptedTransport([failure, failure, failure, RetryTests.empty])
    let error = await awsError {
      _ = try await makeClient(exhausted, environment: manual.environment()).listTasks(.init())
    }
    #expect(error?.isRetryable == true)
    #expect(exhausted.requests.count == 3)
  }

  @Test(
    arguments: [
      .json(400, #"{"__type":"ClusterNotFoundException"}"#), .json(400, #"{"__type":"AccessDeniedException"}"#),
      .json(400, #"{"__type":"UnrecognizedClientException"}"#), .json(200, "<xml/>"), .json(302, ""),
      .failure(.init(.tls, "certificate")), .failure(.init(.answerTooLarge, "")), .failure(.init(.cancelled, "")),
    ] as [ScriptedTransport.Answer])
  func lastingFailuresAreNotTriedAgain(failure: ScriptedTransport.Answer) async throws {
    let manual = ManualEnvironment()
    let transport = ScriptedTransport([failure, RetryTests.empty])
    let error = await awsError {
      _ = try await makeClient(transport, environment: manual.environment()).listTasks(.init())
    }
    #expect(error != nil)
    #expect(transport.requests.count == 1)
    #expect(manual.sleeps.isEmpty)
  }

  @Test func aPollerWithoutRetriesSeesEveryThrottle() async throws {
    let manual = ManualEnvironment()
    let transport = ScriptedTransport([RetryTests.throttled, RetryTests.throttled, RetryTests.empty])
    let client = try makeClient(transport, environment: manual.environment())
    for expected in 1...2 {
      let error = await awsError { _ = try await client.listTasks(.init(), retry: .never) }
      #expect(error?.kind == .throttled)
      #expect(client.throttleCount == expected)
    }
    _ = try await client.listTasks(.init(), retry: .never)
    #expect(manual.sleeps.isEmpty)
    #expect(client.throttleCount == 2)
  }

  @Test func expiredCredentialsAreReloadedOnce() async throws {
    let fresh = AWSCredentials(accessKeyID: "AKIAFRESH", secretAccessKey: "s", source: "test")
    let expired = ScriptedTransport.Answer.json(400, #"{"__type":"ExpiredTokenException","message":"m"}"#)
    let manual = ManualEnvironment()
    let transport = ScriptedTransport([expired, RetryTests.empty])
    _ = try await makeClient(
      transport, environment: manual.environment(), credentials: CredentialSequence([testKey, fresh])
    ).listTasks(.init(), retry: .never)
    #expect(authorization(transport.requests[0]).contains("AKIATEST"))
    #expect(authorization(transport.requests[1]).contains("AKIAFRESH"))
    #expect(!transport.requests[1].headers.contains { $0.name == "X-Amz-Security-Token" })

    for credentials in [[testKey], [testKey, fresh]] {
      let again = ScriptedTransport([expired, expired, expired])
      let error = await awsError {
        _ = try await makeClient(again, environment: manual.environment(), credentials: CredentialSequence(credentials))
          .listTasks(.init())
      }
      #expect(error?.kind == .expiredCredentials)
      #expect(again.requests.count == credentials.count)
    }
  }

  @Test func aWrongClockIsCorrectedOnceAndForGood() async throws {
    let skewed = ScriptedTransport.Answer.json(
      400, #"{"__type":"InvalidSignatureException","message":"Signature expired: x"}"#,
      headers: [("Date", "Mon, 02 Feb 2026 03:40:00 GMT")])
    let manual = ManualEnvironment()
    let transport = ScriptedTransport([skewed, RetryTests.empty, RetryTests.empty])
    let client = try makeClient(transport, environment: manual.environment())
    _ = try await client.listTasks(.init(), retry: .never)
    _ = try await client.listTasks(.init(), retry: .never)
    let dates = transport.requests.map { request in request.headers.first { $0.name == "X-Amz-Date" }?.value }
    #expect(dates == ["20260202T024000Z", "20260202T034000Z", "20260202T034000Z"])
    #expect(manual.warnings.count == 1)

    let stubborn = ScriptedTransport([skewed, skewed, RetryTests.empty])
    let error = await awsError {
      _ = try await makeClient(stubborn, environment: manual.environment()).listTasks(.init())
    }
    #expect(error?.kind == .clockSkew)
  }

  @Test func aCancelledTaskStopsWaitingForTheNextTry() async throws {
    let environment = CallEnvironment(
      wallClock: { 0 }, sleep: { _ in throw CancellationError() }, random: { 1 }, warn: { _ in })
    let transport = ScriptedTransport([RetryTests.throttled, RetryTests.empty])
    let error = await awsError { _ = try await makeClient(transport, environment: environment).listTasks(.init()) }
    #expect(error?.transfer?.code == .cancelled)
    #expect(transport.requests.count == 1)
  }

  private func authorization(_ request: HTTPRequest) -> String {
    request.headers.first { $0.name == "Authorization" }?.value ?? ""
  }
}
