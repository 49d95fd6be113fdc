import Latency
import Synchronization
import TestSupport
import Testing
@testable import AWS

@Suite struct RenewalTests {
  static func issued(_ name: String, expiration: Int64?) -> IssuedCredentials {
    IssuedCredentials(
      credentials: AWSCredentials(accessKeyID: name, secretAccessKey: "s3cr3t", source: "the test"),
      expiration: expiration)
  }

  static let failure = AWSError(.configuration, message: "not now")

  /// A renewal that has issued credentials `A` at 0.
  static func renewal(expiration: Int64?) -> CredentialRenewal {
    var renewal = CredentialRenewal()
    let number = renewal.request(replacing: nil, at: 0).starts ?? -1
    _ = renewal.finish(number, .success(issued("A", expiration: expiration)), at: 0)
    return renewal
  }

  @Test(
    arguments: [
      (3_600, 0, true, false), (3_600, 2_999, true, false), (3_600, 3_000, true, true), (3_600, 3_599, true, true),
      (3_600, 3_600, false, true), (3_600, 9_999, false, true), (nil, 1 << 40, true, false),
      // Shorter than the margin: not at every call.
      (300, 59, true, false), (300, 60, true, true), (20, 9, true, false), (20, 10, true, true),
      // Ended when issued: AWS decides; tried again in a moment.
      (-5, 59, true, false), (-5, 60, true, true),
    ] as [(Int64?, Int64, Bool, Bool)])
  func credentialsAreHandedOutWhileValidAndRenewedTenMinutesBefore(
    expiration: Int64?, now: Int64, isHandedOut: Bool, starts: Bool
  ) {
    var renewal = RenewalTests.renewal(expiration: expiration)
    let decision = renewal.request(replacing: nil, at: now)
    #expect((decision.credentials != nil) == isHandedOut)
    #expect((decision.starts != nil) == starts)
    // Whoever asks meanwhile does not start another.
    let another = renewal.request(replacing: nil, at: now)
    #expect(another.starts == nil)
  }

  @Test func aFailedRenewalGoesOnWithTheOldOnesAndWarnsOnce() throws {
    var renewal = RenewalTests.renewal(expiration: 3_600)
    var warnings: [String] = []
    for now in [3_000, 3_060, 3_120] as [Int64] {
      let early = renewal.request(replacing: nil, at: now - 1)
      #expect(early.starts == nil)
      let decision = renewal.request(replacing: nil, at: now)
      let number = try #require(decision.starts)
      let finished = renewal.finish(number, .failure(RenewalTests.failure), at: now)
      let outcome = try #require(finished)
      #expect(try outcome.answer.get().accessKeyID == "A")
      warnings += [outcome.warning].compactMap { $0 }
    }
    #expect(warnings == ["the credentials from the test were not renewed and are used on for another 600 s: not now"])

    // When they have ended, the error is everybody's.
    let last = renewal.request(replacing: nil, at: 3_600)
    #expect(last.credentials == nil)
    let number = try #require(last.starts)
    let outcome = renewal.finish(number, .failure(RenewalTests.failure), at: 3_600)
    #expect(throws: AWSError.self) { try outcome?.answer.get() }

    // After a success the next trouble is news again.
    let again = try #require(renewal.request(replacing: nil, at: 3_700).starts)
    _ = renewal.finish(again, .success(RenewalTests.issued("B", expiration: 7_300)), at: 3_700)
    let decision = renewal.request(replacing: nil, at: 6_700)
    #expect(decision.credentials?.accessKeyID == "B")
    let later = try #require(decision.starts)
    let news = renewal.finish(later, .failure(RenewalTests.failure), at: 6_700)
    #expect(news?.warning != nil)
  }

  @Test func rejectedCredentialsAreNotHandedOutAgainUnlessTheSourceInsists() throws {
    var renewal = RenewalTests.renewal(expiration: nil)
    let a = RenewalTests.issued("A", expiration: nil).credentials
    let decision = renewal.request(replacing: a, at: 1)
    #expect(decision.credentials == nil)
    // Those who do not know yet wait too, and start nothing.
    let waiting = renewal.request(replacing: nil, at: 1)
    #expect(waiting == .init(credentials: nil, starts: nil))
    let first = try #require(decision.starts)
    guard case .failure(let error)? = renewal.finish(first, .failure(RenewalTests.failure), at: 1)?.answer else {
      throw RenewalTests.failure
    }
    #expect(error.message == "the credentials from the test have expired and were not renewed: not now")

    let second = try #require(renewal.request(replacing: nil, at: 2).starts)
    _ = renewal.finish(second, .success(RenewalTests.issued("A", expiration: nil)), at: 2)
    let handedOut = renewal.request(replacing: nil, at: 2)
    #expect(handedOut.credentials == a)
    // Others than those at hand were rejected: somebody has renewed them already.
    let stale = RenewalTests.issued("OLD", expiration: nil).credentials
    let current = renewal.request(replacing: stale, at: 3)
    #expect(current == .init(credentials: a, starts: nil))
  }

  @Test func aRenewalThatWasGivenUpChangesNothing() throws {
    var renewal = CredentialRenewal()
    let first = try #require(renewal.request(replacing: nil, at: 0).starts)
    renewal.giveUp()
    let second = try #require(renewal.request(replacing: nil, at: 1).starts)
    let late = renewal.finish(first, .success(RenewalTests.issued("LATE", expiration: nil)), at: 2)
    #expect(late == nil)
    _ = renewal.finish(second, .success(RenewalTests.issued("B", expiration: nil)), at: 2)
    let key = renewal.request(replacing: nil, at: 3).credentials?.accessKeyID
    #expect(key == "B")
  }

  @Test func credentialsThatHaveEndedWhenIssuedAreWarnedOfOnce() throws {
    var renewal = CredentialRenewal()
    var warnings: [String] = []
    for now in [100, 200] as [Int64] {
      let number = try #require(renewal.request(replacing: nil, at: now).starts)
      let outcome = renewal.finish(number, .success(RenewalTests.issued("A", expiration: 40)), at: now)
      warnings += [outcome?.warning].compactMap { $0 }
    }
    #expect(warnings == ["the credentials from the test ended 60 s ago by this machine's clock"])
  }

  // MARK: - With tasks

  @Test func concurrentCallersShareOneRenewal() async throws {
    let gate = Gate()
    let provider = RefreshingCredentials(clock: { 0 }, warn: { _ in }) {
      await gate.enter()
      return .success(RenewalTests.issued("A", expiration: nil))
    }
    let keys = try await withThrowingTaskGroup { group in
      for _ in 0..<50 { group.addTask { try await provider.credentials(replacing: nil).accessKeyID } }
      await gate.open(after: 1)
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(keys == Array(repeating: "A", count: 50))
    #expect(await gate.entered == 1)
  }

  @Test func whoeverWaitsCanBeCancelledAndTheLastOneEndsTheRenewal() async throws {
    let gate = Gate()
    let provider = RefreshingCredentials(clock: { 0 }, warn: { _ in }) {
      await gate.enter()
      return Task.isCancelled ? .failure(.cancelledWait) : .success(RenewalTests.issued("A", expiration: nil))
    }
    let waiting = (0..<3).map { _ in Task { try await provider.credentials(replacing: nil) } }
    await gate.waitUntil(entered: 1)
    for task in waiting { task.cancel() }
    for task in waiting {
      let error = await awsError { _ = try await task.value }
      #expect(error?.transfer?.kind == .cancelled)
    }
    // The next one is not bound to what was given up.
    async let next = provider.credentials(replacing: nil)
    await gate.open(after: 2)
    #expect(try await next.accessKeyID == "A")
  }

  @Test func filesAreReadAnewWhenTheServiceCallsTheKeysExpired() async throws {
    let home = try CredentialHome(credentials: "[default]\naws_access_key_id = OLD\naws_secret_access_key = s3cr3t")
    let provider = try home.configuration().credentials
    let old = try await provider.credentials(replacing: nil)
    try home.directory.write(".aws/credentials", "[default]\naws_access_key_id = NEW\naws_secret_access_key = s3cr3t")
    #expect(try await provider.credentials(replacing: nil) == old)
    #expect(try await provider.credentials(replacing: old).accessKeyID == "NEW")
  }

  @Test func expiredKeysOfTheEnvironmentAreNotTriedAgainAndTheErrorSaysWhatToDo() async throws {
    let home = try CredentialHome([
      "AWS_ACCESS_KEY_ID": "ASIAENVIRONMENTKEYS", "AWS_SECRET_ACCESS_KEY": "s3cr3t",
      "AWS_SESSION_TOKEN": "s3cr3t-token",
    ])
    let manual = ManualEnvironment()
    let expired = ScriptedTransport.Answer.json(400, #"{"__type":"ExpiredTokenException","message":"m"}"#)
    let transport = ScriptedTransport([expired, RetryTests.empty])
    let client = try makeClient(
      transport, environment: manual.environment(), credentials: try home.configuration().credentials)
    let error = try #require(await awsError { _ = try await client.listTasks(.init()) })
    #expect(error.kind == .expiredCredentials && transport.requests.count == 1)
    for text in ["the environment (AWS_ACCESS_KEY_ID), which cannot be renewed", "start again", "--profile"] {
      #expect(error.description.contains(text), "\(error)")
    }
  }

  @Test func credentialsOfARoleAreRenewedByTheClock() async throws {
    try await CredentialServer.run { server in
      let manual = ManualEnvironment()
      let provider = try Place.home([.role], server).configuration(manual).credentials
      for _ in 0..<3 { _ = try await provider.credentials(replacing: nil) }
      #expect(server.requests.count == 1)
      try await manual.environment().sleep(.seconds(2_999))
      _ = try await provider.credentials(replacing: nil)
      #expect(server.requests.count == 1)
      try await manual.environment().sleep(.seconds(601))
      _ = try await provider.credentials(replacing: nil)
      #expect(server.requests.count == 2)
    }
  }
}

/// Holds back whoever enters until it is opened.
private actor Gate {
  private(set) var entered = 0
  private var isOpen = false
  private var held: [CheckedContinuation<Void, Never>] = []
  private var watching: [(count: Int, CheckedContinuation<Void, Never>)] = []

  func enter() async {
    entered += 1
    watching.filter { $0.count <= entered }.forEach { $0.1.resume() }
    watching.removeAll { $0.count <= entered }
    if !isOpen { await withCheckedContinuation { held.append($0) } }
  }

  func waitUntil(entered count: Int) async {
    if entered < count { await withCheckedContinuation { watching.append((count, $0)) } }
  }

  func open(after count: Int) async {
    await waitUntil(entered: count)
    isOpen = true
    for continuation in held { continuation.resume() }
    held = []
  }
}
