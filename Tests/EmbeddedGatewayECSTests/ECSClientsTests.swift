import AWS
import AWSTestSupport
import EmbeddedGateway
import Foundation
import TestSupport
import Testing

/// The endpoint over HTTP, with boto3 and with the suite's own client.
@Suite struct ECSClientsTests {
  static let key = AWSCredentials.generated()

  static func serve(_ fleet: any TaskFleet, _ body: (HTTPTestServer) async throws -> Void) async throws {
    let endpoint = ECSEndpoint(
      fleet: fleet, credentials: key, wallClock: { Int64(Date().timeIntervalSince1970.rounded(.down)) })
    try await HTTPTestServer.run { request in
      let signable = SignableRequest(
        method: request.method, path: request.path, query: request.query, headers: request.headers, body: request.body)
      let response = await endpoint.respond(to: signable)
      return .answer(status: response.status, headers: response.headers, body: response.body)
    } _: { server in
      try await body(server)
    }
  }

  static func client(_ server: HTTPTestServer, key: AWSCredentials = key) throws -> ECSClient {
    let flags = AWSConfiguration.Flags(region: "eu-west-1", ecsEndpointURL: server.url, credentials: key)
    return ECSClient(
      configuration: try AWSConfiguration.resolve(flags: flags, environment: [:]) { _ in nil },
      transport: try CurlTransport(), environment: .system { _ in })
  }

  @Test(
    .enabled(if: Python.canImport("boto3"), "needs boto3; INFRABENCH_PYTHON names a Python that has it"),
    .timeLimit(.minutes(2)))
  func boto3UnderstandsTheEndpoint() async throws {
    try await ECSClientsTests.serve(MemoryFleet(runningTasks: 250)) { server in
      let script = try #require(
        Bundle.module.url(forResource: "boto3_client", withExtension: "py", subdirectory: "Fixtures"))
      let key = ECSClientsTests.key
      let result = try await Python.run([script.path, server.url, key.accessKeyID, key.secretAccessKey])
      #expect(result.status == 0 && result.output.hasSuffix("ok\n"), "\(result.output)")
    }
  }

  @Test(.timeLimit(.minutes(1))) func ourClientListsDescribesStopsAndStarts() async throws {
    let fleet = MemoryFleet(runningTasks: 250)
    let pending = fleet.add(.pending)
    try await ECSClientsTests.serve(fleet) { server in
      let client = try ECSClientsTests.client(server)
      let filter = TaskFilter(cluster: "pool", serviceName: "warm")
      let listed = try await client.listTasks(filter)
      #expect(listed.value.count == 251)
      #expect(listed.calls.count == 3 && server.connectionCount == 1)
      #expect(listed.calls.dropFirst().allSatisfy { $0.timings.reusedConnection })
      #expect(listed.calls.allSatisfy { $0.requestID?.count == 36 })

      let described = try await client.describeTasks(listed.value + ["missing"], cluster: "pool")
      #expect(described.value.filter { !$0.isRunning }.map(\.taskArn) == [pending.arn])
      #expect(described.value.first?.startedAt == 1_770_000_003.75)
      #expect(described.failures.map(\.reason) == ["MISSING"])

      let stopped = try await client.stopTask(pending.taskID, cluster: "pool", reason: "why").value
      #expect(stopped.desiredStatus == "STOPPED" && stopped.stoppedReason == "why")
      #expect(try await client.listTasks(filter, desiredStatus: .stopped).value == [pending.arn])

      let started = try await client.runTask("shell", cluster: "pool", count: 2, startedBy: "us").value
      #expect(started.map(\.lastStatus) == ["PROVISIONING", "PROVISIONING"])
      #expect(try await client.listTasks(.init(cluster: "pool", startedBy: "us")).value == started.map(\.taskArn))

      #expect(try await client.updateService("warm", cluster: "pool", desiredCount: 3).value.desiredCount == 3)
      let service = try #require(try await client.describeServices(["warm"], cluster: "pool").value.first)
      #expect(service.desiredCount == 3 && service.runningCount == 250 && service.pendingCount == 2)
      #expect(service.deployments?.first?.id == "ecs-svc/1234")
    }
  }

  @Test(arguments: [100, 37, 1]) func everyTaskIsListedOnceWhateverThePages(pageSize: Int) async throws {
    let fleet = MemoryFleet(runningTasks: 250)
    try await ECSClientsTests.serve(fleet) { server in
      let client = try ECSClientsTests.client(server)
      let listed = try await client.listTasks(.init(cluster: "pool", serviceName: "warm"), pageSize: pageSize)
      #expect(listed.value == (await fleet.tasks().map(\.arn)))
      #expect(listed.calls.count == (250 + pageSize - 1) / pageSize)
    }
  }

  /// Between any two pages a task of the first, of the next and of the last page stops; no other may be lost or doubled.
  @Test func tasksThatStopBetweenPagesTakeNoOthersWithThem() async throws {
    let fleet = StoppingFleet(MemoryFleet(runningTasks: 250)) { listing in
      [[], [0, 99, 100, 249], [1, 150, 248]][min(listing, 2)]
    }
    try await ECSClientsTests.serve(fleet) { server in
      let client = try ECSClientsTests.client(server)
      let all = await fleet.fleet.tasks().map(\.arn)
      let listed = try await client.listTasks(.init(cluster: "pool", serviceName: "warm"))
      #expect(Set(listed.value).count == listed.value.count && listed.calls.count == 3)
      // Seen before they stopped: 0, 1 and 99 on the first page, 150 on the second.
      let stoppedUnseen = Set([100, 248, 249].map { all[$0] })
      #expect(listed.value == all.filter { !stoppedUnseen.contains($0) })
      let later = try await client.listTasks(.init(cluster: "pool", serviceName: "warm"))
      let stopped = Set([0, 1, 99, 100, 150, 248, 249].map { all[$0] })
      #expect(later.value == all.filter { !stopped.contains($0) })
    }
  }

  /// The list is full as soon as tasks are wanted; whether they run only their description says.
  @Test func aFullListIsNotAFullPool() async throws {
    let fleet = MemoryFleet(runningTasks: 3)
    let waiting = [fleet.add(.provisioning), fleet.add(.pending)]
    try await ECSClientsTests.serve(fleet) { server in
      let client = try ECSClientsTests.client(server)
      let listed = try await client.listTasks(.init(cluster: "pool", serviceName: "warm")).value
      #expect(listed.count == 5)
      let described = try await client.describeTasks(listed, cluster: "pool").value
      #expect(described.filter { !$0.isRunning }.map(\.taskArn) == waiting.map(\.arn))
      #expect(described.filter { !$0.isRunning }.allSatisfy { $0.startedAt == nil && $0.desiredStatus == "RUNNING" })
      // Placement shows as `createdAt`: not yet for the one, already for the other.
      #expect(described.suffix(2).map { $0.createdAt != nil } == [false, true])
      for task in waiting { fleet.set(task.taskID, to: .running) }
      #expect(try await client.describeTasks(listed, cluster: "pool").value.allSatisfy(\.isRunning))
      #expect(try await client.listTasks(.init(cluster: "pool", serviceName: "warm")).value == listed)
    }
  }

  @Test func ourClientSaysWhatIsWrong() async throws {
    try await ECSClientsTests.serve(MemoryFleet()) { server in
      let client = try ECSClientsTests.client(server)
      await #expect { try await client.listTasks(.init(cluster: "none")) } throws: {
        ($0 as? AWSError)?.description.contains("--cluster") == true
      }
      await #expect { try await client.listTasks(.init(cluster: "pool", serviceName: "none")) } throws: {
        ($0 as? AWSError)?.description.contains("--service") == true
      }
      var wrong = ECSClientsTests.key
      wrong.secretAccessKey = "wrong-secret"
      let stranger = try ECSClientsTests.client(server, key: wrong)
      await #expect { try await stranger.listTasks(.init(cluster: "pool")) } throws: {
        let error = $0 as? AWSError
        return error?.kind == .wrongCredentials && error?.description.contains("wrong-secret") == false
      }
    }
  }
}
