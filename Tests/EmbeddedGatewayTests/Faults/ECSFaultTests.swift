import AWS
import Gateway
import TestSupport
import Testing

/// Faults of the ECS-compatible endpoint, as botocore and the suite's own client meet them.
@Suite(.wholeSuiteOnly, .serialized, .timeLimit(.minutes(3))) struct ECSFaultTests {
  /// Calls the endpoint through botocore, as its last argument says: `raw` without retries, `retry` with its own. Prints
  /// a line for each call: what was listed and described, or the error's code.
  private static let botocore = """
    import sys
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import ClientError
    endpoint, key, secret, mode, calls = sys.argv[1:6]
    attempts = 1 if mode == "raw" else 3
    ecs = botocore.session.get_session().create_client(
        "ecs", region_name="us-east-1", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret,
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}))
    for _ in range(int(calls)):
        try:
            arns = ecs.list_tasks(cluster="embedded", desiredStatus="RUNNING")["taskArns"]
            print(len(arns))
        except ClientError as error:
            print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
    """

  private func botocore(_ gateway: FaultyGateway, _ mode: String, calls: Int) async throws -> [String] {
    let ready = gateway.program.ready
    let result = try await Python.run([
      "-c", Self.botocore, ready.ecsEndpointUrl, ready.accessKeyId ?? "", ready.secretAccessKey ?? "", mode, "\(calls)",
    ])
    #expect(result.status == 0, "\(result.output)")
    return result.output.split(separator: "\n").map(String.init)
  }

  private func client(_ gateway: FaultyGateway, secret: String? = nil) throws -> ECSClient {
    let ready = gateway.program.ready
    let key = AWSCredentials(
      accessKeyID: ready.accessKeyId ?? "", secretAccessKey: ready.secretAccessKey ?? "", source: "the test")
    let flags = AWSConfiguration.Flags(region: "us-east-1", ecsEndpointURL: ready.ecsEndpointUrl, credentials: key)
    return ECSClient(
      configuration: try AWSConfiguration.resolve(flags: flags, environment: [:]) { _ in nil },
      transport: try CurlTransport(), environment: .system { _ in })
  }

  private func with(_ body: (FaultyGateway) async throws -> Void) async throws {
    try await FaultyGateway.with(FaultyGateway.twoVirtualTasks + ["--print-credentials"]) { gateway in
      try await gateway.warm(2)
      try await body(gateway)
    }
  }

  private let pool = TaskFilter(cluster: "embedded", serviceName: "warm-pool")

  @Test(
    .enabled(if: Python.canImport("botocore"), "needs botocore; INFRABENCH_PYTHON names a Python that has it"),
    arguments: [
      ("ecs-throttling:count=2", ["ThrottlingException 400", "ThrottlingException 400", "2"]),
      ("ecs-access-denied:count=1,skip=1", ["2", "AccessDeniedException 400", "2"]),
      ("ecs-expired-token:count=1", ["ExpiredTokenException 400", "2", "2"]),
      ("ecs-task-flickers:count=1", ["1", "2", "2"]),
      ("answer-5xx:on=ecs,count=1", ["503 503", "2", "2"]),
      ("ecs-skewed-clock:skew=-1h", Array(repeating: "InvalidSignatureException 400", count: 3)),
      ("ecs-skewed-clock:skew=1h", Array(repeating: "InvalidSignatureException 400", count: 3)),
    ])
  func botocoreMeetsTheErrorsOfECS(fault: String, expected: [String]) async throws {
    try await with { gateway in
      try await gateway.set(fault)
      #expect(try await botocore(gateway, "raw", calls: 3) == expected)
      #expect(try await gateway.report().injected == expected.count { !["2"].contains($0) })
    }
  }

  @Test(.enabled(if: Python.canImport("botocore"), "needs botocore; INFRABENCH_PYTHON names a Python that has it"))
  func botocoreRetriesThrottledCallsByItself() async throws {
    try await with { gateway in
      try await gateway.set("ecs-throttling:count=2")
      #expect(try await botocore(gateway, "retry", calls: 1) == ["2"])
      #expect(try await gateway.report().injected == 2)
    }
  }

  @Test func ownClientRetriesThrottledCallsAndStopsAtADeniedOne() async throws {
    try await with { gateway in
      try await gateway.set("ecs-throttling:count=2")
      let listed = try await client(gateway).listTasks(pool)
      #expect(listed.value.count == 2)
      #expect(try await gateway.report().injected == 2)
      try await gateway.set("ecs-access-denied")
      let denied = await #expect(throws: AWSError.self) { try await client(gateway).listTasks(pool) }
      #expect(denied?.kind == .accessDenied && denied?.attempts == 1 && denied?.hint?.contains("ecs:ListTasks") == true)
      try await gateway.set("ecs-expired-token")
      let expired = await #expect(throws: AWSError.self) { try await client(gateway).listTasks(pool) }
      #expect(expired?.kind == .expiredCredentials)
    }
  }

  /// The endpoint's clock is really off: a client that takes the time of its answers is let in.
  @Test(arguments: ["1h", "-1h"]) func ownClientSetsItsClockByTheEndpoints(skew: String) async throws {
    try await with { gateway in
      try await gateway.set("ecs-skewed-clock:skew=\(skew)")
      let client = try client(gateway)
      for _ in 0..<3 { #expect(try await client.listTasks(pool).value.count == 2) }
      // The first call was tried twice.
      #expect(try await gateway.report().injected == 4)
    }
  }

  @Test func vanishedTaskLivesOnAndIsListedAgainLater() async throws {
    try await with { gateway in
      let client = try client(gateway)
      let all = try await client.listTasks(pool).value
      try await gateway.set("ecs-task-vanishes:rate=100/s,count=1")
      try await gateway.eventually("it does not vanish") { try await client.listTasks(pool).value.count == 1 }
      let described = try await client.describeTasks(all, cluster: "embedded")
      #expect(described.value.count == 1 && described.failures.map(\.reason) == ["MISSING"])
      #expect(try await gateway.status().warmCount == 2)
      #expect(try await gateway.remove().injected == 1)
      #expect(try await client.listTasks(pool).value == all)
      try await gateway.set("ecs-task-vanishes:rate=100/s,count=1,hold=300ms")
      try await gateway.eventually("it never vanishes") { try await gateway.report().injected == 1 }
      try await gateway.eventually("it never comes back") { try await client.listTasks(pool).value == all }
    }
  }
}
