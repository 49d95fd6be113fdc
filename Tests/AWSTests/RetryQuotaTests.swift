import Testing

@testable import AWS

@Suite struct RetryQuotaTests {
  static let throttle = AWSError(.throttled, message: "")
  static let failure = AWSError(.server, message: "")
  static let broken = AWSError(.transfer, message: "", transfer: TransferError(.timeout, ""))

  @Test(arguments: [(throttle, 5, 100), (failure, 5, 100), (broken, 10, 50)])
  func retriesHaveAPriceUntilTheBucketIsEmpty(error: AWSError, price: Int, count: Int) {
    var quota = RetryQuota()
    for taken in 1...count {
      #expect(quota.acquire(after: error) == price)
      #expect(quota.tokens == 500 - taken * price)
    }
    #expect(quota.acquire(after: error) == nil)
    #expect(quota.tokens == 0)
  }

  @Test func aPriceThatIsTooHighTakesNothing() {
    var quota = RetryQuota()
    for _ in 0..<99 { _ = quota.acquire(after: RetryQuotaTests.throttle) }
    #expect(quota.tokens == 5)
    #expect(quota.acquire(after: RetryQuotaTests.broken) == nil)
    #expect(quota.tokens == 5)
    #expect(quota.acquire(after: RetryQuotaTests.throttle) == 5)
  }

  @Test(arguments: [(nil, 491), (5, 495), (10, 500), (100, 500)] as [(Int?, Int)])
  func successGivesBackThePriceOrOneButNeverMoreThanThereWas(price: Int?, expected: Int) {
    var quota = RetryQuota()
    _ = quota.acquire(after: RetryQuotaTests.broken)
    quota.succeed(havingPaid: price)
    #expect(quota.tokens == expected)
    quota.succeed(havingPaid: 1_000)
    #expect(quota.tokens == RetryQuota.capacity)
  }

  /// Three tries cost two retries, 10 tokens a call.
  @Test func aServiceInTroubleIsAskedOncePerCallInTheEnd() async throws {
    let manual = ManualEnvironment()
    let transport = ScriptedTransport(Array(repeating: RetryTests.throttled, count: 152) + [RetryTests.empty])
    let client = try makeClient(transport, environment: manual.environment())
    for call in 1...52 {
      let error = try #require(await awsError { _ = try await client.listTasks(.init()) })
      let isUsedUp = call > 50
      #expect(error.isRetryQuotaUsedUp == isUsedUp && error.attempts == (isUsedUp ? 1 : 3), "call \(call)")
      #expect(error.description.contains("retry quota") == isUsedUp)
      #expect(error.description.contains("3 tries") == !isUsedUp)
      #expect(error.kind == .throttled)
    }
    #expect(transport.requests.count == 152 && manual.sleeps.count == 100)
    #expect(client.throttleCount == 152)
    _ = try await client.listTasks(.init())
  }

  @Test func successesRefillTheQuota() async throws {
    let used = Array(repeating: RetryTests.throttled, count: 151)
    let transport = ScriptedTransport(
      used + Array(repeating: RetryTests.empty, count: 5) + [RetryTests.throttled, RetryTests.empty])
    let client = try makeClient(transport, environment: ManualEnvironment().environment())
    for _ in 0..<51 { _ = await awsError { _ = try await client.listTasks(.init()) } }
    for _ in 0..<5 { _ = try await client.listTasks(.init()) }
    let record = try await client.listTasks(.init()).calls.first
    #expect(record?.attempts == 2 && record?.throttles == 1)
  }

  @Test func aPollerWithoutRetriesCostsNothing() async throws {
    let transport = ScriptedTransport(
      Array(repeating: RetryTests.throttled, count: 600) + [RetryTests.throttled, RetryTests.empty])
    let client = try makeClient(transport, environment: ManualEnvironment().environment())
    for _ in 0..<600 {
      let error = await awsError { _ = try await client.listTasks(.init(), retry: .never) }
      #expect(error?.isRetryQuotaUsedUp == false && error?.attempts == 1)
    }
    #expect(try await client.listTasks(.init()).calls.map(\.attempts) == [2])
  }
}
