import AWSClient
import AWSSignature
import AWSTestSupport
import TestSupport
import Foundation
import Testing

/// The client against moto, a server of ECS that nobody here wrote.
@Suite(
  .enabled(if: Python.canImport("moto.server, boto3"), "needs moto[server] and boto3; INFRABENCH_PYTHON names a Python")
)
struct MotoTests {
  @Test(.timeLimit(.minutes(2))) func aPoolIsListedDescribedScaledAndStopped() async throws {
    try await Python.withMoto { url in
      let client = try await MotoTests.setUp(url, count: 12, options: [])
      let filter = TaskFilter(cluster: "pool", serviceName: "warm")
      let listed = try await client.listTasks(filter).value
      #expect(listed.count == 12)

      let described = try await client.describeTasks(listed, cluster: "pool")
      #expect(described.value.filter(\.isRunning).count == 12)

      _ = try await client.stopTask(listed[0], cluster: "pool", reason: "test")
      #expect(try await client.listTasks(filter).value.count == 11)
      let started = try await client.runTask(
        "warm", cluster: "pool", count: 2, startedBy: "infrabench", launchType: "FARGATE")
      #expect(started.value.count == 2)
      #expect(try await client.listTasks(filter).value.count == 13)

      let updated = try await client.updateService("warm", cluster: "pool", desiredCount: 7).value
      #expect(updated.desiredCount == 7)
      let services = try await client.describeServices(["warm", "none"], cluster: "pool")
      #expect(services.value.map(\.serviceName) == ["warm"])
      #expect(services.failures.map(\.reason) == ["MISSING"])

      let error = await awsError { _ = try await client.listTasks(.init(cluster: "none")) }
      #expect(error?.code == "ClusterNotFoundException")
    }
  }

  @Test(.timeLimit(.minutes(2))) func motoVerifiesOurSignatures() async throws {
    try await Python.withMoto { url in
      let client = try await MotoTests.setUp(url, count: 1, options: ["auth"])
      #expect(try await client.listTasks(.init(cluster: "pool")).value.count == 1)
      let wrong = try makeClient(CurlTransport(), endpoint: url, environment: .system { _ in })
      let error = await awsError { _ = try await wrong.listTasks(.init(cluster: "pool"), retry: .never) }
      #expect(error?.kind == .wrongCredentials, "\(String(describing: error))")
    }
  }

  private static func setUp(_ url: String, count: Int, options: [String]) async throws -> ECSClient {
    let script = try #require(
      Bundle.module.url(forResource: "moto_setup", withExtension: "py", subdirectory: "Fixtures"))
    let result = try await Python.run([script.path, url, String(count)] + options)
    try #require(result.status == 0, "\(result.output)")
    let pair = try JSONDecoder().decode([String].self, from: Data(result.output.utf8))
    let key = AWSCredentials(accessKeyID: pair[0], secretAccessKey: pair[1], source: "moto")
    return try makeClient(
      CurlTransport(), endpoint: url, environment: .system { _ in }, credentials: StaticCredentials(key))
  }
}
