import Foundation
import Latency
import Synchronization
import Testing
@testable import AWS

@Suite struct RetryTests {
  static let throttled = ScriptedTransport.Answer.json(400, #"{"__type":"ThrottlingException","message":"Rate"}"#)
  static let empty = ScriptedTransport.Answer.json(200, #"{"taskArns":[]}"#)

  @Test(arguments: [
    (1, 1.0, 1.0), (2, 1, 2), (2, 0.25, 0.5), (3, 0, 0), (5, 1, 16), (6, 1, 20), (40, 1, 20), (70, 1, 20), (1, 7, 1),
    (1, -3, 0),
  ])
  func delaysDoubleUpToTwentySecondsWithFullJitter(failures: Int, random: Double, seconds: Double) {
    let error = AWSError(.throttled, message: "")
    #expect(RetryPolicy(attempts: 100).delay(after: error, failures: failures, random: random) == .seconds(seconds))
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
    #expect(manual.sleeps == [.seconds(1), .seconds(2)])
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

  @Test func retriedThrottlesAreCountedInTheRecordAndByTheClient() async throws {
    let transport = ScriptedTransport([
      RetryTests.throttled, .json(503, ""), RetryTests.empty, RetryTests.empty,
    ])
    let client = try makeClient(transport, environment: ManualEnvironment().environment())
    let first = try await client.listTasks(.init()).calls
    #expect(first.map(\.attempts) == [3] && first.map(\.throttles) == [1])
    let second = try await client.listTasks(.init()).calls
    #expect(second.map(\.attempts) == [1] && second.map(\.throttles) == [0])
    #expect(client.throttleCount == 1)
  }

  @Test func theDelayIsTheScriptedRandomPartOfTheBound() async throws {
    let numbers = Mutex([0.25, 0.5])
    let manual = ManualEnvironment()
    var environment = manual.environment()
    environment.random = { numbers.withLock { $0.removeFirst() } }
    let transport = ScriptedTransport([RetryTests.throttled, RetryTests.throttled, RetryTests.empty])
    _ = try await makeClient(transport, environment: environment).listTasks(.init())
    #expect(manual.sleeps == [.milliseconds(250), .seconds(1)])
  }

  /// A second set of tasks would be started otherwise, though the first answer was only lost.
  @Test func runTaskIsRetriedWithTheSameTokenAndAnotherCallHasAnother() async throws {
    let lost = ScriptedTransport.Answer.failure(.init(.connectionLost, "reset"))
    let started = ScriptedTransport.Answer.json(200, #"{"tasks":[]}"#)
    let transport = ScriptedTransport([lost, .json(500, ""), started, started])
    let client = try makeClient(transport, environment: ManualEnvironment().environment())
    for _ in 0..<2 { _ = try await client.runTask("shell", cluster: "c", count: 1) }
    let tokens = try transport.requests.map { request in
      let fields = try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
      return try #require(fields?["clientToken"] as? String)
    }
    #expect(tokens.allSatisfy { $0.utf8.count == 36 })
    #expect(Set(tokens[..<3]).count == 1 && tokens[3] != tokens[0])
    #expect(transport.requests[0].body == transport.requests[2].body)
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

  static let skews = [
    #"{"__type":"InvalidSignatureException","message":"Signature expired: x"}"#,
    #"{"__type":"InvalidSignatureException","message":"Signature not yet current: x"}"#,
    #"{"__type":"RequestTimeTooSkewed","message":""}"#, #"{"__type":"x#RequestExpired:y"}"#,
    "<Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: x</Message></Error>",
  ]

  @Test(arguments: skews) func aWrongClockIsCorrectedOnceAndForGood(body: String) async throws {
    let skewed = ScriptedTransport.Answer.json(400, body, headers: [("Date", "Mon, 02 Feb 2026 03:40:00 GMT")])
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
    #expect(stubborn.requests.count == 2)
  }

  @Test func aClockThatDriftsFurtherIsCorrectedAgainAndToldAgainOnlyIfItIsFar() async throws {
    func skewed(_ time: String) -> ScriptedTransport.Answer {
      .json(400, RetryTests.skews[0], headers: [("Date", "Mon, 02 Feb 2026 \(time) GMT")])
    }
    let manual = ManualEnvironment()
    let transport = ScriptedTransport([
      skewed("03:40:00"), RetryTests.empty, skewed("03:40:30"), RetryTests.empty, skewed("04:40:00"), RetryTests.empty,
    ])
    let client = try makeClient(transport, environment: manual.environment())
    for _ in 0..<2 { _ = try await client.listTasks(.init()) }
    let dates = transport.requests.map { request in request.headers.first { $0.name == "X-Amz-Date" }?.value }
    #expect(dates == ["20260202T024000Z", "20260202T034000Z", "20260202T034000Z", "20260202T034030Z"])
    #expect(manual.warnings.count == 1)
    _ = try await client.listTasks(.init())
    #expect(manual.warnings.count == 2)
  }

  @Test func clocksThatAgreeAreNotBlamed() async throws {
    let held = ScriptedTransport.Answer.json(
      400, RetryTests.skews[0], headers: [("Date", "Mon, 02 Feb 2026 02:40:01 GMT")])
    let manual = ManualEnvironment()
    let transport = ScriptedTransport([held, RetryTests.empty])
    _ = try await makeClient(transport, environment: manual.environment()).listTasks(.init())
    #expect(manual.warnings.count == 1 && manual.warnings.allSatisfy { $0.contains("held up on the way") })
  }

  @Test(arguments: [[], [("Date", "yesterday")]] as [[(name: String, value: String)]])
  func withoutAReadableDateTheClockStaysAsItIs(headers: [(name: String, value: String)]) async throws {
    let manual = ManualEnvironment()
    let transport = ScriptedTransport([.json(400, RetryTests.skews[0], headers: headers), RetryTests.empty])
    let error = await awsError {
      _ = try await makeClient(transport, environment: manual.environment()).listTasks(.init())
    }
    #expect(error?.kind == .clockSkew && error?.hint?.contains("clock") == true)
    #expect(transport.requests.count == 1 && manual.warnings.isEmpty)
  }

  @Test func aCancelledTaskStopsWaitingForTheNextTry() async throws {
    let environment = CallEnvironment(
      wallClock: { 0 }, sleep: { _ in throw CancellationError() }, random: { 1 }, warn: { _ in })
    let transport = ScriptedTransport([RetryTests.throttled, RetryTests.empty])
    let error = await awsError { _ = try await makeClient(transport, environment: environment).listTasks(.init()) }
    #expect(error?.transfer?.kind == .cancelled)
    #expect(transport.requests.count == 1)
  }

  private func authorization(_ request: HTTPRequest) -> String {
    request.headers.first { $0.name == "Authorization" }?.value ?? ""
  }
}
