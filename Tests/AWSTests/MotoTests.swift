import AWS
import AWSTestSupport
import Foundation
import TestSupport
import Testing

/// The client against moto, a server of ECS that nobody here wrote.
@Suite(
  .enabled(if: MotoPool.isAvailable, "needs moto[server] and boto3; INFRABENCH_PYTHON names a Python that has them"),
  .timeLimit(.minutes(2)))
struct MotoTests {
  @Test(.wholeSuiteOnly) func aPoolIsListedDescribedScaledAndStopped() async throws {
    try await MotoPool.run(count: 12) { pool in
      let client = try MotoTests.client(pool)
      let filter = TaskFilter(cluster: pool.cluster, serviceName: pool.service)
      let listed = try await client.listTasks(filter).value
      #expect(listed.count == 12)

      let described = try await client.describeTasks(listed, cluster: pool.cluster)
      #expect(described.value.filter(\.isRunning).count == 12)

      _ = try await client.stopTask(listed[0], cluster: pool.cluster, reason: "test")
      #expect(try await client.listTasks(filter).value.count == 11)
      let started = try await client.runTask(
        pool.service, cluster: pool.cluster, count: 2, startedBy: "infrabench", launchType: "FARGATE")
      #expect(started.value.count == 2)
      #expect(try await client.listTasks(filter).value.count == 13)

      let updated = try await client.updateService(pool.service, cluster: pool.cluster, desiredCount: 7).value
      #expect(updated.desiredCount == 7)
      let services = try await client.describeServices([pool.service, "none"], cluster: pool.cluster)
      #expect(services.value.map(\.serviceName) == [pool.service])
      #expect(services.failures.map(\.reason) == ["MISSING"])

      let error = await awsError { _ = try await client.listTasks(.init(cluster: "none")) }
      #expect(error?.code == "ClusterNotFoundException")
      #expect(error?.hint?.contains("--cluster") == true)
    }
  }

  @Test(.wholeSuiteOnly) func aDrainAndRefillAreSeenAsTheyHappened() async throws {
    try await MotoPool.run(count: 12) { pool in
      let client = try MotoTests.client(pool)
      let events = try await pool.cycle(5, after: 0.2)
      #expect(events.filter { $0.event == "stopped" }.map(\.running) == [11, 10, 9, 8, 7])
      #expect(events.map(\.t) == events.map(\.t).sorted())
      let drained = try #require(events.first { $0.event == "drained" })
      let begun = try #require(events.first { $0.event == "refill-begin" })
      #expect(begun.missing == 5 && begun.t - drained.t >= 0.2)
      #expect(events.last?.event == "refill-end" && events.last?.running == 12)
      #expect(try await client.listTasks(.init(cluster: pool.cluster)).value.count == 12)

      _ = try await pool.drain(2)
      #expect(try await client.listTasks(.init(cluster: pool.cluster)).value.count == 10)
      _ = try await pool.refill()
      #expect(try await client.listTasks(.init(cluster: pool.cluster)).value.count == 12)
    }
  }

  @Test(.wholeSuiteOnly) func withSignatureChecksOnlyTheRightSecretPasses() async throws {
    try await MotoPool.run(count: 1, checksSignatures: true) { pool in
      let right = try await MotoTests.client(pool).listTasks(.init(cluster: pool.cluster)).value
      #expect(right.count == 1)

      let wrong = try MotoTests.client(pool, secret: "wr0ng/" + pool.secretAccessKey)
      let error = try #require(await awsError { _ = try await wrong.listTasks(.init(cluster: pool.cluster)) })
      #expect(error.kind == .wrongCredentials && error.httpStatus == 403, "\(error)")
      #expect(error.hint?.contains("they came from the environment (AWS_ACCESS_KEY_ID)") == true, "\(error)")
      #expect(!error.description.contains(pool.secretAccessKey))

      let unknown = try MotoTests.client(pool, id: "AKIAUNKNOWN")
      let refused = await awsError { _ = try await unknown.listTasks(.init(cluster: pool.cluster)) }
      #expect(refused?.kind == .wrongCredentials, "\(String(describing: refused))")
      // Keys that are right go on as before.
      #expect(try await pool.drain(1).last?.running == 0)
    }
  }

  /// moto takes a request without an `Authorization` for one of S3's, and answers it with XML and status 200.
  @Test(.wholeSuiteOnly) func anAnswerOfAnotherServiceIsAnError() async throws {
    try await MotoPool.run(count: 1) { pool in
      let client = try makeClient(
        WithoutAuthorization(transport: CurlTransport()), endpoint: pool.url, environment: .system { _ in })
      let error = await awsError { _ = try await client.listTasks(.init(cluster: pool.cluster)) }
      #expect(error?.kind == .malformedAnswer && error?.httpStatus == 200, "\(String(describing: error))")
      #expect(error?.message.contains("<") == true)
    }
  }

  private static func client(_ pool: MotoPool, id: String? = nil, secret: String? = nil) throws -> ECSClient {
    let environment = pool.environment.merging([
      "AWS_ACCESS_KEY_ID": id ?? pool.accessKeyID, "AWS_SECRET_ACCESS_KEY": secret ?? pool.secretAccessKey,
      "AWS_ENDPOINT_URL_ECS": pool.url,
    ]) { $1 }
    return ECSClient(
      configuration: try AWSConfiguration.resolve(flags: .init(), environment: environment) { _ in nil },
      transport: try CurlTransport(), environment: .system { _ in })
  }
}

private struct WithoutAuthorization: HTTPTransport {
  let transport: CurlTransport

  func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
    var request = request
    request.headers.removeAll { $0.name == "Authorization" }
    return try await transport.send(request)
  }
}
